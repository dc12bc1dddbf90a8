// The transforms of the 52-bit integer tier; included after ifma-inl.h, under the same rules.
//
// Depth first: a block is split by a pass of two or three stages over memory (radix 4, 8), then its
// parts one after the other, so that they stay in cache. The first pass of the forward transform
// contains the fold, the last pass of the inverse the unfolding. The last six stages run in
// registers on blocks of 64 words, the last three of them between two transpositions.

template <class V>
struct IfmaNtt : IfmaBody<V> {
  using Base = IfmaBody<V>;
  using R = typename V::Reg;
  using Factor = typename Base::Factor;
  using Base::kWidth;
  static constexpr std::size_t kBlock = kWidth * kWidth;
  static constexpr int kLogBlock = 6;

  struct Prime : Base::Prime {
    R minus_q, lift;
    explicit Prime(const LimbTables& t)
        : Base::Prime(t), minus_q(V::set1(0 - t.q)), lift(V::set1(32 * t.q)) {}
  };

  // r = y w mod q - q is in [-q, q): a forward stage lowers and raises the bounds by q.
  static void butterfly(R& x, R& y, const Factor& f, const Prime& p) {
    const R product = Base::add_product(p.minus_q, y, f, p);
    y = V::sub(x, product);
    x = V::add(x, product);
  }

  // Entry x, y < 32 q. Exit y < 2q, x the sum.
  static void inverse_butterfly(R& x, R& y, const Factor& f, const Prime& p) {
    const R difference = V::add(V::sub(x, y), p.lift);
    x = V::add(x, y);
    y = Base::add_product(V::zero(), difference, f, p);
  }

  // The factors of a tree of log2(kRadix) stages whose top is table entry `index`: the top, its
  // left half, its right half.
  template <std::size_t kRadix>
  static void load_factors(Factor* f, const Constant* table, std::size_t index) {
    if constexpr (kRadix > 1) {
      f[0] = Factor(table[index]);
      load_factors<kRadix / 2>(f + 1, table, 2 * index);
      load_factors<kRadix / 2>(f + kRadix / 2, table, 2 * index + 1);
    }
  }

  template <std::size_t kRadix>
  static void forward_tree(R* v, const Factor* f, const Prime& p) {
    if constexpr (kRadix > 1) {
      for (std::size_t c = 0; c < kRadix / 2; ++c) {
        butterfly(v[c], v[c + kRadix / 2], f[0], p);
      }
      forward_tree<kRadix / 2>(v, f + 1, p);
      forward_tree<kRadix / 2>(v + kRadix / 2, f + kRadix / 2, p);
    }
  }

  template <std::size_t kRadix>
  static void inverse_tree(R* v, const Factor* f, const Prime& p) {
    if constexpr (kRadix > 1) {
      inverse_tree<kRadix / 2>(v, f + 1, p);
      inverse_tree<kRadix / 2>(v + kRadix / 2, f + kRadix / 2, p);
      for (std::size_t c = 0; c < kRadix / 2; ++c) {
        inverse_butterfly(v[c], v[c + kRadix / 2], f[0], p);
      }
    }
  }

  template <std::size_t kCount>
  static void load_vectors(R* v, const Word* x, std::size_t stride) {
    for (std::size_t c = 0; c < kCount; ++c) {
      v[c] = V::load(x + c * stride);
    }
  }

  template <std::size_t kCount>
  static void store_vectors(Word* x, const R* v, std::size_t stride) {
    for (std::size_t c = 0; c < kCount; ++c) {
      V::store(x + c * stride, v[c]);
    }
  }

  // Factors of the last three stages of block number `block`, one vector each.
  static void load_lane_factors(Factor (&f)[kWidth - 1], const AlignedBuffer<Constant>& table,
                                std::size_t block) {
    const auto* words = reinterpret_cast<const Word*>(table.data() + table.size() / kWidth) +
                        2 * kWidth * (kWidth - 1) * block;
    for (std::size_t k = 0; k < kWidth - 1; ++k) {
      f[k] = Factor(V::load(words + 2 * kWidth * k), V::load(words + 2 * kWidth * k + kWidth));
    }
  }

  // The partners of eight words: words first, first + 1, ... of a range pair with the words of the
  // mirrored range counted down from its end, the first of them with `after`, the word that follows
  // the range.
  static R mirror(R range, R after) { return V::reverse(V::append_first(range, after)); }

  // Fold and the first log2(kRadix) stages: columns j of the kRadix parts of x together with the
  // mirrored columns n / kRadix - j. Words x[N - i] are those of part kRadix - 1 - c for those of
  // part c.
  template <std::size_t kRadix>
  static void fold_pass(Word* x, std::size_t n, const LimbTables& t, const Prime& p, R offset) {
    const std::size_t part = n / kRadix;
    const Factor minus_psi(t.psi);
    Factor f[kRadix];
    load_factors<kRadix>(f, t.forward.data(), 1);
    // What follows the mirrored columns in each part; nothing pairs with word 0.
    R after[kRadix];
    load_vectors<kRadix - 1>(after, x + part, part);
    after[kRadix - 1] = V::zero();
    for (std::size_t j = 0; j < part / 2; j += kWidth) {
      Word* low = x + j;
      Word* high = x + part - kWidth - j;
      R a[kRadix], b[kRadix], u[kRadix], v[kRadix];
      load_vectors<kRadix>(a, low, part);
      load_vectors<kRadix>(b, high, part);
      for (std::size_t c = 0; c < kRadix; ++c) {
        const std::size_t m = kRadix - 1 - c;
        const R next = V::load(low + kWidth + m * part);
        u[c] = Base::add_product(V::add(a[c], offset), mirror(b[m], after[m]), minus_psi, p);
        v[c] = Base::add_product(V::add(b[c], offset), mirror(a[m], next), minus_psi, p);
      }
      std::copy_n(b, kRadix, after);
      forward_tree<kRadix>(u, f, p);
      forward_tree<kRadix>(v, f, p);
      store_vectors<kRadix>(low, u, part);
      store_vectors<kRadix>(high, v, part);
    }
  }

  template <std::size_t kRadix>
  static void forward_pass(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                           const Prime& p) {
    const std::size_t part = n / kRadix;
    Factor f[kRadix - 1];
    load_factors<kRadix>(f, t.forward.data(), index);
    for (std::size_t j = 0; j < part; j += kWidth) {
      R v[kRadix];
      load_vectors<kRadix>(v, x + j, part);
      forward_tree<kRadix>(v, f, p);
      store_vectors<kRadix>(x + j, v, part);
    }
  }

  // The last six stages and the reduction.
  static void forward_in_registers(Word* x, std::size_t index, const LimbTables& t,
                                   const Prime& p) {
    R v[kWidth];
    Factor f[kWidth - 1];
    load_vectors<kWidth>(v, x, kWidth);
    load_factors<kWidth>(f, t.forward.data(), index);
    forward_tree<kWidth>(v, f, p);
    V::transpose(v);
    load_lane_factors(f, t.forward, index - t.forward.size() / kBlock);
    forward_tree<kWidth>(v, f, p);
    for (R& value : v) {
      value = Base::reduce(value, p);
    }
    V::transpose(v);
    store_vectors<kWidth>(x, v, kWidth);
  }

  template <std::size_t kRadix>
  static void forward_split(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                            const Prime& p) {
    forward_pass<kRadix>(x, n, index, t, p);
    for (std::size_t c = 0; c < kRadix; ++c) {
      forward_block(x + c * (n / kRadix), n / kRadix, kRadix * index + c, t, p);
    }
  }

  // The block of n words with table entry `index`.
  static void forward_block(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                            const Prime& p) {
    if (n == kBlock) {
      forward_in_registers(x, index, t, p);
    } else if (splits_by_four(n)) {
      forward_split<4>(x, n, index, t, p);
    } else {
      forward_split<8>(x, n, index, t, p);
    }
  }

  // Blocks of 4 and 16 times 64 words: what no number of radix-8 passes leaves over.
  static bool splits_by_four(std::size_t n) { return n == 4 * kBlock || n == 16 * kBlock; }

  // How many parts the pass with the fold makes, so that passes of radix 4 and 8 can do the rest.
  static std::size_t fold_radix(int log_n) {
    const int stages = log_n - kLogBlock;
    return stages == 0 ? 1 : stages == 1 || stages == 3 ? 2 : 4;
  }

  // The fold adds log_n q to every word, so that no stage goes below zero: the words after it are
  // in [log_n q, (log_n + 4) q), those after all stages in [0, (2 log_n + 4) q), below 2^52 at N =
  // 2^17.
  template <std::size_t kRadix>
  static void forward(Word* x, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    const R offset = V::set1(static_cast<std::uint64_t>(t.log_n) * t.q);
    fold_pass<kRadix>(x, n, t, p, offset);
    for (std::size_t c = 0; c < kRadix; ++c) {
      forward_block(x + c * (n / kRadix), n / kRadix, kRadix + c, t, p);
    }
  }

  static void ntt_forward(Word* x, const LimbTables& t) {
    const std::size_t n = std::size_t{1} << t.log_n;
    switch (fold_radix(t.log_n)) {
      case 1:
        return forward<1>(x, n, t);
      case 2:
        return forward<2>(x, n, t);
      default:
        return forward<4>(x, n, t);
    }
  }

  // Entry < 2q. Exit < 8q: three sums end below 16 q, two more below 64 q, where v[0] and v[4] are
  // reduced; all other words hold at most two sums above a product.
  static void inverse_in_registers(Word* x, std::size_t index, const LimbTables& t,
                                   const Prime& p) {
    R v[kWidth];
    Factor f[kWidth - 1];
    load_vectors<kWidth>(v, x, kWidth);
    V::transpose(v);
    load_lane_factors(f, t.inverse, index - t.inverse.size() / kBlock);
    inverse_tree<kWidth>(v, f, p);
    V::transpose(v);
    load_factors<kWidth>(f, t.inverse.data(), index);
    inverse_tree<kWidth / 2>(v, f + 1, p);
    inverse_tree<kWidth / 2>(v + kWidth / 2, f + kWidth / 2, p);
    v[0] = Base::reduce_low52(v[0], p);
    v[kWidth / 2] = Base::reduce_low52(v[kWidth / 2], p);
    for (std::size_t c = 0; c < kWidth / 2; ++c) {
      inverse_butterfly(v[c], v[c + kWidth / 2], f[0], p);
    }
    store_vectors<kWidth>(x, v, kWidth);
  }

  // Entry and exit < 8q: v[0] is a sum of kRadix words below 64 q and is reduced, the others hold
  // at most two sums above a product.
  template <std::size_t kRadix>
  static void inverse_pass(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                           const Prime& p) {
    const std::size_t part = n / kRadix;
    Factor f[kRadix - 1];
    load_factors<kRadix>(f, t.inverse.data(), index);
    for (std::size_t j = 0; j < part; j += kWidth) {
      R v[kRadix];
      load_vectors<kRadix>(v, x + j, part);
      inverse_tree<kRadix>(v, f, p);
      v[0] = Base::reduce_low52(v[0], p);
      store_vectors<kRadix>(x + j, v, part);
    }
  }

  template <std::size_t kRadix>
  static void inverse_merge(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                            const Prime& p) {
    for (std::size_t c = 0; c < kRadix; ++c) {
      inverse_block(x + c * (n / kRadix), n / kRadix, kRadix * index + c, t, p);
    }
    inverse_pass<kRadix>(x, n, index, t, p);
  }

  static void inverse_block(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                            const Prime& p) {
    if (n == kBlock) {
      inverse_in_registers(x, index, t, p);
    } else if (splits_by_four(n)) {
      inverse_merge<4>(x, n, index, t, p);
    } else {
      inverse_merge<8>(x, n, index, t, p);
    }
  }

  // a_i and a_(N-i) from b_i and b_(N-i), which still carry the factor N: since (1 + psi)(1 - psi)
  // = 2, a_i + a_(N-i) = (b_i + b_(N-i)) (1 + psi) / 2N, and the differences have the factor (1 -
  // psi) / 2N. Entry a, b < 32 q, their sum < 64 q; exit reduced.
  struct Unfold {
    Factor sum, difference;
    explicit Unfold(const LimbTables& t) : sum(t.unfold), difference(t.unfold_first) {}

    void operator()(R& a, R& b, const Prime& p) const {
      const R s = Base::add_product(V::zero(), V::add(a, b), sum, p);
      const R d = Base::add_product(V::zero(), V::add(V::sub(a, b), p.lift), difference, p);
      a = Base::subtract_once(Base::low52(V::add(s, d), p), p.twice);
      b = Base::subtract_once(Base::low52(V::add(V::sub(s, d), p.twice), p), p.twice);
    }
  };

  // The first log2(kRadix) stages and the unfolding, on columns as in fold_pass. What a column
  // gives for its mirrored words straddles two vectors: it is stored one iteration later.
  template <std::size_t kRadix>
  static void unfold_pass(Word* x, std::size_t n, const LimbTables& t, const Prime& p) {
    const std::size_t part = n / kRadix;
    const Unfold unfold(t);
    Factor f[kRadix];
    load_factors<kRadix>(f, t.inverse.data(), 1);
    R after[kRadix], mirrored[kRadix];
    for (std::size_t j = 0; j < part / 2; j += kWidth) {
      Word* low = x + j;
      Word* high = x + part - kWidth - j;
      R a[kRadix], b[kRadix], u[kRadix];
      load_vectors<kRadix>(a, low, part);
      load_vectors<kRadix>(b, high, part);
      inverse_tree<kRadix>(a, f, p);
      inverse_tree<kRadix>(b, f, p);
      if (j == 0) {
        // b_N = -psi b_0 unfolds to a_0 = b_0 / N.
        std::copy_n(a + 1, kRadix - 1, after);
        after[kRadix - 1] = Base::mul(a[0], Factor(t.psi), p);
      }
      for (std::size_t c = 0; c < kRadix; ++c) {
        const std::size_t m = kRadix - 1 - c;
        u[m] = mirror(b[m], after[m]);
        unfold(a[c], u[m], p);
        V::store(low + c * part, a[c]);
        if (j != 0) {
          V::store(high + kWidth + m * part, mirror(mirrored[m], u[m]));
        }
      }
      std::copy_n(b, kRadix, after);
      std::copy_n(u, kRadix, mirrored);
    }
    // The middle columns, first words of the last `high`, pair among themselves.
    for (std::size_t c = 0; c < kRadix; ++c) {
      const std::size_t m = kRadix - 1 - c;
      R a = after[c], b = after[m];
      unfold(a, b, p);
      V::store(x + part / 2 + m * part, mirror(mirrored[m], b));
    }
  }

  template <std::size_t kRadix>
  static void inverse(Word* x, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    for (std::size_t c = 0; c < kRadix; ++c) {
      inverse_block(x + c * (n / kRadix), n / kRadix, kRadix + c, t, p);
    }
    unfold_pass<kRadix>(x, n, t, p);
  }

  static void ntt_inverse(Word* x, const LimbTables& t) {
    const std::size_t n = std::size_t{1} << t.log_n;
    switch (fold_radix(t.log_n)) {
      case 1:
        return inverse<1>(x, n, t);
      case 2:
        return inverse<2>(x, n, t);
      default:
        return inverse<4>(x, n, t);
    }
  }
};
