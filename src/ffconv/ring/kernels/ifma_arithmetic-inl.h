// The 52-bit integer tier: arithmetic modulo one prime on vectors of eight 64-bit words.
//
// Included inside a tier's own namespace and target region, before a wrapper V of its vector
// operations (simd_avx512ifma-inl.h, simd_portable_ifma-inl.h): no guard, no includes. A word is a
// residue in [0, 4q) at the entry and exit of every kernel ("reduced"), q < 2^46. Multiply-adds
// read the low 52 bits of their factors, so what stands above them in between does not matter
// (docs/simd.md).

template <class V>
struct IfmaArithmetic {
  using R = typename V::Reg;
  static constexpr std::size_t kWidth = V::kWidth;
  static constexpr std::uint64_t kTwo52 = std::uint64_t{1} << 52;

  struct Prime {
    R q, twice, bound, complement, ratio, low_bits;
    explicit Prime(const LimbTables& t)
        : q(V::set1(t.q)),
          twice(V::set1(2 * t.q)),
          bound(V::set1(4 * t.q)),
          complement(V::set1(kTwo52 - t.q)),
          ratio(V::set1(kTwo52 / t.q)),
          low_bits(V::set1(kTwo52 - 1)) {}
  };

  struct Factor {
    R w, ratio;
    Factor() = default;
    Factor(R value, R quotient) : w(value), ratio(quotient) {}
    explicit Factor(const Constant& c) : w(V::set1(c.value)), ratio(V::set1(c.ratio)) {}
  };

  static R low52(R x, const Prime& p) { return V::bit_and(x, p.low_bits); }

  // sum + r modulo 2^52, r = y * w mod q. y < 2^52. r is in [0, q (1 + y 2^-52)).
  static R add_product(R sum, R y, const Factor& f, const Prime& p) {
    const R quotient = V::add_high(V::zero(), y, f.ratio);
    return V::add_low(V::add_low(sum, y, f.w), quotient, p.complement);
  }

  // y * w mod q, below 2q. y < 2^52.
  static R mul(R y, const Factor& f, const Prime& p) {
    return low52(add_product(V::zero(), y, f, p), p);
  }

  // x mod q, below 2q, modulo 2^52. x < 2^52.
  static R reduce_low52(R x, const Prime& p) {
    const R quotient = V::add_high(V::zero(), x, p.ratio);
    return V::add_low(x, quotient, p.complement);
  }

  static R reduce(R x, const Prime& p) { return low52(reduce_low52(x, p), p); }

  // x - modulus where x >= modulus: otherwise the difference wraps and is the larger.
  static R subtract_once(R x, R modulus) { return V::min(x, V::sub(x, modulus)); }

  static R canonical(R x, const Prime& p) { return subtract_once(subtract_once(x, p.twice), p.q); }

  // A sum of products, its low and its high halves summed apart: up to 4096 terms before the low
  // sum overflows.
  struct LazySum {
    R low, high;
    LazySum() : LazySum(V::zero()) {}
    explicit LazySum(R start) : low(start), high(V::zero()) {}

    void add_product(R a, R b) {
      low = V::add_low(low, a, b);
      high = V::add_high(high, a, b);
    }
  };

  // Reduction of a sum below 2^(k+51+kExtra), 2^(k-1) < q < 2^k, by a quotient of 2^kExtra q: the
  // bits of the sum from 2^(k-1+kExtra) on times floor(2^(51+k) / q), at most three too small.
  template <int kExtra>
  struct SumReduction {
    Prime p;
    R multiplier, complement;
    int bits;  // k

    explicit SumReduction(const LimbTables& t)
        : p(t),
          multiplier(V::set1(static_cast<std::uint64_t>(
              (static_cast<u128>(1) << (51 + std::bit_width(t.q))) / t.q))),
          complement(V::set1(kTwo52 - (t.q << kExtra))),
          bits(static_cast<int>(std::bit_width(t.q))) {}

    R operator()(const LazySum& sum) const {
      const int right = bits - 1 + kExtra;
      return (*this)(sum.low,
                     V::add(V::shift_left(sum.high, 52 - right), V::shift_right(sum.low, right)));
    }

    // low is the sum modulo 2^52; top < 2^52 its upper bits.
    R operator()(R low, R top) const {
      const R quotient = V::add_high(V::zero(), top, multiplier);
      R result = low52(V::add_low(low, quotient, complement), p);  // < 3 * 2^kExtra q
      for (int i = kExtra; i > 0; --i) {
        result = subtract_once(result, V::shift_left(p.twice, i));
      }
      return result;
    }
  };

  // Products of reduced words; upper bits of a factor, a 2^(50-k) < 2^52, times 8 b < 2^51.
  struct ProductReduction : SumReduction<0> {
    using SumReduction<0>::SumReduction;

    // sum + the upper bits of a * b. Those of two products together miss one more multiple of q
    // than one product, which misses at most two: the result is still reduced.
    R add_top(R sum, R a, R b) const {
      return V::add_high(sum, V::shift_left(a, 50 - this->bits), V::shift_left(b, 3));
    }

    R mul(R a, R b) const { return (*this)(V::add_low(V::zero(), a, b), add_top(V::zero(), a, b)); }

    R mul_add(R sum, R a, R b) const {
      const R result = (*this)(V::add_low(sum, a, b), add_top(V::zero(), a, b));
      return subtract_once(result, this->p.bound);
    }
  };
};
