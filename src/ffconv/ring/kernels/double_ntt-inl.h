// The transforms of the double-precision tiers; included after double-inl.h, under the same rules.
//
// Passes over memory of two stages each (radix 4); the last log2(width) stages in registers, on
// blocks of width^2 words, between two transpositions. No correction in any butterfly: the forward
// bound grows by 0.63 q a stage from 1.63 q after the fold, to 12.4 q < 2^50 at N = 2^17; the
// inverse reduces the one output of each group that is a pure sum.

template <class V>
struct Ntt : Body<V> {
  using Base = Body<V>;
  using R = typename V::Reg;
  using Factor = typename Base::Factor;
  using Prime = typename Base::Prime;
  using Base::kLogWidth;
  using Base::kWidth;
  static constexpr std::size_t kBlock = kWidth * kWidth;

  static void prepare(LimbTables& t) { prepare_double_tables(t, kLogWidth); }

  static Factor vector_factor(const AlignedBuffer<Constant>& twiddles, std::size_t index) {
    const auto* words = reinterpret_cast<const Word*>(twiddles.data() + index);
    return {V::load(words), V::load(words + kWidth)};
  }

  static void butterfly(R& x, R& y, const Factor& f, const Prime& p) {
    const R product = Base::mul(y, f, p);
    y = V::sub(x, product);
    x = V::add(x, product);
  }

  static void inverse_butterfly(R& x, R& y, const Factor& f, const Prime& p) {
    const R difference = V::sub(x, y);
    x = V::add(x, y);
    y = Base::mul(difference, f, p);
  }

  // Entry |x| <= q; exit |x| <= 1.63 q.
  static void fold(Word* x, std::size_t n, const LimbTables& t, const Prime& p) {
    const Factor psi(t.psi);
    fold_pairs(x, n, [&](R& a, R& b) {
      const R folded = V::sub(a, Base::mul(b, psi, p));
      b = V::sub(b, Base::mul(a, psi, p));
      a = folded;
    });
  }

  // Applies f to the pairs (x[i], x[n - i]), i = 1 .. n/2: vectors x[i .. i + width) and, reversed,
  // x[n - i - width + 1 .. n - i] as long as they are disjoint, then single words.
  template <typename F>
  static void fold_pairs(Word* x, std::size_t n, const F& f) {
    std::size_t i = 1;
    for (; i + kWidth <= n / 2; i += kWidth) {
      Word* mirror = x + n - i - kWidth + 1;
      R a = V::load_unaligned(x + i);
      R b = V::reverse(V::load_unaligned(mirror));
      f(a, b);
      V::store_unaligned(x + i, a);
      V::store_unaligned(mirror, V::reverse(b));
    }
    for (; i <= n / 2; ++i) {
      R a = V::set1(to_double(x[i]));
      R b = V::set1(to_double(x[n - i]));
      f(a, b);
      x[n - i] = to_word(V::first(b));
      x[i] = to_word(V::first(a));
    }
  }

  static void forward_radix2(Word* x, std::size_t n, const LimbTables& t, const Prime& p) {
    const Factor f(t.forward[1]);
    for (std::size_t j = 0; j < n / 2; j += kWidth) {
      R a = V::load(x + j), b = V::load(x + n / 2 + j);
      butterfly(a, b, f, p);
      V::store(x + j, a);
      V::store(x + n / 2 + j, b);
    }
  }

  // Stages s and s + 1, blocks = 2^s.
  static void forward_radix4(Word* x, std::size_t n, std::size_t blocks, const LimbTables& t,
                             const Prime& p) {
    const std::size_t quarter = n / blocks / 4;
    for (std::size_t i = 0; i < blocks; ++i) {
      const Factor f0(t.forward[blocks + i]), f1(t.forward[2 * (blocks + i)]),
          f2(t.forward[2 * (blocks + i) + 1]);
      Word* block = x + 4 * quarter * i;
      for (std::size_t j = 0; j < quarter; j += kWidth) {
        Word* at = block + j;
        R a = V::load(at), b = V::load(at + quarter), c = V::load(at + 2 * quarter),
          d = V::load(at + 3 * quarter);
        butterfly(a, c, f0, p);
        butterfly(b, d, f0, p);
        butterfly(a, b, f1, p);
        butterfly(c, d, f2, p);
        V::store(at, a);
        V::store(at + quarter, b);
        V::store(at + 2 * quarter, c);
        V::store(at + 3 * quarter, d);
      }
    }
  }

  // The last stages and the reduction.
  static void forward_in_registers(Word* x, std::size_t n, const LimbTables& t, const Prime& p) {
    for (std::size_t block = 0; block < n / kBlock; ++block) {
      R v[kWidth];
      load_block(v, x + block * kBlock);
      V::transpose(v);
      for (int stage = 0; stage < kLogWidth; ++stage) {
        const std::size_t groups = std::size_t{1} << stage;
        const std::size_t len = kWidth >> (stage + 1);
        const std::size_t table = (n >> (kLogWidth - stage)) + block * groups * kWidth;
        for (std::size_t g = 0; g < groups; ++g) {
          const Factor f = vector_factor(t.forward, table + g * kWidth);
          for (std::size_t c = 0; c < len; ++c) {
            butterfly(v[2 * len * g + c], v[2 * len * g + len + c], f, p);
          }
        }
      }
      for (R& value : v) {
        value = Base::reduce(value, p);
      }
      V::transpose(v);
      store_block(x + block * kBlock, v);
    }
  }

  static void load_block(R (&v)[kWidth], const Word* x) {
    for (std::size_t c = 0; c < kWidth; ++c) {
      v[c] = V::load(x + c * kWidth);
    }
  }

  static void store_block(Word* x, const R (&v)[kWidth]) {
    for (std::size_t c = 0; c < kWidth; ++c) {
      V::store(x + c * kWidth, v[c]);
    }
  }

  static void ntt_forward(Word* x, const LimbTables& t) {
    const Prime p(t);
    const std::size_t n = std::size_t{1} << t.log_n;
    fold(x, n, t, p);
    int stage = 0;
    if ((t.log_n - kLogWidth) % 2 != 0) {
      forward_radix2(x, n, t, p);
      stage = 1;
    }
    for (; stage + kLogWidth < t.log_n; stage += 2) {
      forward_radix4(x, n, std::size_t{1} << stage, t, p);
    }
    forward_in_registers(x, n, t, p);
  }

  // Entry |x| <= q; exit |x| <= q: sums of width words are reduced, the others end in at most one
  // sum of two products.
  static void inverse_in_registers(Word* x, std::size_t n, const LimbTables& t, const Prime& p) {
    for (std::size_t block = 0; block < n / kBlock; ++block) {
      R v[kWidth];
      load_block(v, x + block * kBlock);
      V::transpose(v);
      for (int stage = kLogWidth - 1; stage >= 0; --stage) {
        const std::size_t groups = std::size_t{1} << stage;
        const std::size_t len = kWidth >> (stage + 1);
        const std::size_t table = (n >> (kLogWidth - stage)) + block * groups * kWidth;
        for (std::size_t g = 0; g < groups; ++g) {
          const Factor f = vector_factor(t.inverse, table + g * kWidth);
          for (std::size_t c = 0; c < len; ++c) {
            inverse_butterfly(v[2 * len * g + c], v[2 * len * g + len + c], f, p);
          }
        }
      }
      for (std::size_t c = 0; c < kWidth / 2; ++c) {
        v[c] = Base::reduce(v[c], p);
      }
      V::transpose(v);
      store_block(x + block * kBlock, v);
    }
  }

  // Stages s + 1 and s, blocks = 2^s. Entry |x| <= 1.26 q; exit the same: a is reduced, b is a sum
  // of two products, c and d are products.
  static void inverse_radix4(Word* x, std::size_t n, std::size_t blocks, const LimbTables& t,
                             const Prime& p) {
    const std::size_t quarter = n / blocks / 4;
    for (std::size_t i = 0; i < blocks; ++i) {
      const Factor f0(t.inverse[blocks + i]), f1(t.inverse[2 * (blocks + i)]),
          f2(t.inverse[2 * (blocks + i) + 1]);
      Word* block = x + 4 * quarter * i;
      for (std::size_t j = 0; j < quarter; j += kWidth) {
        Word* at = block + j;
        R a = V::load(at), b = V::load(at + quarter), c = V::load(at + 2 * quarter),
          d = V::load(at + 3 * quarter);
        inverse_butterfly(a, b, f1, p);
        inverse_butterfly(c, d, f2, p);
        inverse_butterfly(a, c, f0, p);
        inverse_butterfly(b, d, f0, p);
        V::store(at, Base::reduce(a, p));
        V::store(at + quarter, b);
        V::store(at + 2 * quarter, c);
        V::store(at + 3 * quarter, d);
      }
    }
  }

  static void inverse_radix2(Word* x, std::size_t n, const LimbTables& t, const Prime& p) {
    const Factor f(t.inverse[1]);
    for (std::size_t j = 0; j < n / 2; j += kWidth) {
      R a = V::load(x + j), b = V::load(x + n / 2 + j);
      inverse_butterfly(a, b, f, p);
      V::store(x + j, a);
      V::store(x + n / 2 + j, b);
    }
  }

  static void unfold(Word* x, std::size_t n, const LimbTables& t, const Prime& p) {
    const Factor psi(t.psi), scale(t.unfold);
    const R first = V::set1(to_double(x[0]));
    fold_pairs(x, n, [&](R& a, R& b) {
      const R unfolded = Base::mul(V::add(a, Base::mul(b, psi, p)), scale, p);
      b = Base::mul(V::add(b, Base::mul(a, psi, p)), scale, p);
      a = unfolded;
    });
    x[0] = to_word(V::first(Base::mul(first, Factor(t.unfold_first), p)));
  }

  static void ntt_inverse(Word* x, const LimbTables& t) {
    const Prime p(t);
    const std::size_t n = std::size_t{1} << t.log_n;
    inverse_in_registers(x, n, t, p);
    int stage = t.log_n - kLogWidth;
    for (; stage >= 2; stage -= 2) {
      inverse_radix4(x, n, std::size_t{1} << (stage - 2), t, p);
    }
    if (stage == 1) {
      inverse_radix2(x, n, t, p);
    }
    unfold(x, n, t, p);
  }
};
