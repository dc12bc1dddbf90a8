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
    explicit LazySum(R start) : low(start), high(V::zero()) {}

    void add_product(R a, R b) {
      low = V::add_low(low, a, b);
      high = V::add_high(high, a, b);
    }
  };

  // floor(2^(51+k) / q) < 2^52 for 2^(k-1) < q < 2^k.
  static R quotient_multiplier(const LimbTables& t) {
    return V::set1(
        static_cast<std::uint64_t>((static_cast<u128>(1) << (51 + std::bit_width(t.q))) / t.q));
  }

  // The bits of a LazySum from 2^right on.
  static R top_bits(const LazySum& sum, int right) {
    return V::add(V::shift_left(sum.high, 52 - right), V::shift_right(sum.low, right));
  }

  // Reduction by a quotient of q from the bits of the sum from 2^(k-1) on, for sums below 2^(k+51).
  // What the quotient misses is below 3, so the result is reduced.
  struct OneStepReduction {
    Prime p;
    R multiplier;
    int bits;  // k

    explicit OneStepReduction(const LimbTables& t)
        : p(t), multiplier(quotient_multiplier(t)), bits(static_cast<int>(std::bit_width(t.q))) {}

    // low is the sum modulo 2^52; top < 2^52 its upper bits.
    R operator()(R low, R top) const {
      return low52(V::add_low(low, V::add_high(V::zero(), top, multiplier), p.complement), p);
    }

    R operator()(const LazySum& sum) const { return (*this)(sum.low, top_bits(sum, bits - 1)); }

    // sum + the upper bits of the product a * b of reduced words: from a 2^(50-k) < 2^52 and 8 b <
    // 2^51. Those of two products together miss one more multiple of q, and are still reduced.
    R add_top(R sum, R a, R b) const {
      return V::add_high(sum, V::shift_left(a, 50 - bits), V::shift_left(b, 3));
    }

    R mul(R a, R b) const { return (*this)(V::add_low(V::zero(), a, b), add_top(V::zero(), a, b)); }

    R mul_add(R sum, R a, R b) const {
      const R result = (*this)(V::add_low(sum, a, b), add_top(V::zero(), a, b));
      return subtract_once(result, p.bound);
    }
  };

  // The same by a quotient of 16 q from the bits from 2^(k+3) on, for sums below 2^(k+55), and a
  // second quotient. 32 products of reduced words and one more reduced word fit. The result is
  // below 2q.
  struct TwoStepReduction {
    Prime p;
    R multiplier, complement16;
    int bits;

    explicit TwoStepReduction(const LimbTables& t)
        : p(t),
          multiplier(quotient_multiplier(t)),
          complement16(V::set1(kTwo52 - 16 * t.q)),
          bits(static_cast<int>(std::bit_width(t.q))) {}

    R operator()(const LazySum& sum) const {
      const R quotient = V::add_high(V::zero(), top_bits(sum, bits + 3), multiplier);
      // In [0, 48 q) modulo 2^52.
      return reduce(V::add_low(sum.low, quotient, complement16), p);
    }
  };
};
