// The transforms of the 52-bit integer tier; included after ifma_stages-inl.h, under the same
// rules.
//
// Depth first: a block is split by a pass of two or three stages over memory (radix 4, 8), then its
// parts one after the other, so that they stay in cache. The first pass of the forward transform
// contains the fold, the last pass of the inverse the unfolding. The last six stages run in
// registers on blocks of 64 words, the last three of them between two transpositions.

template <class V>
struct IfmaNtt : IfmaStages<V> {
  using S = IfmaStages<V>;
  using R = typename V::Reg;
  using S::kWidth;
  using S::low52;
  using S::reduce_low52;
  using typename S::BlockFactors;
  using typename S::Factor;
  using typename S::LaneFactors;
  using typename S::Prime;
  using typename S::SameFactor;
  template <std::size_t kRadix>
  using PassFactors = typename S::template PassFactors<kRadix>;
  static constexpr std::size_t kBlock = kWidth * kWidth;
  static constexpr int kLogBlock = 6;
  static constexpr int kMinLogN = kLogBlock + 1;

  // The partners of eight words: words first, first + 1, ... of a range pair with the words of the
  // mirrored range counted down from its end, the first of them with `after`, the word that follows
  // the range.
  static R mirror(R range, R after) { return V::reverse(V::append_first(range, after)); }

  // The fold and the first log2(kRadix) stages. A pair of words a = x[i] and b = x[n - i], i <= n /
  // 2, folds to a - psi b and to b - psi a = -psi (a + psi b); the factor -psi of the upper half is
  // part of the first twiddle, so one product serves both. Columns j of the kRadix parts of x
  // advance together with the mirrored columns n / kRadix - j: part c pairs with part kRadix - 1 -
  // c. Exit of the fold: a - psi b + offset > offset - 2q, a + psi b < 6q.
  template <std::size_t kRadix>
  static void fold_pass(Word* x, std::size_t n, const LimbTables& t, const Prime& p, R offset) {
    constexpr std::size_t kHalf = kRadix / 2;
    const std::size_t part = n / kRadix;
    const Factor psi(t.psi);
    const PassFactors<kRadix> f(t.forward, 1);
    const auto times_psi = [&](const Word* at) {
      return S::add_product(V::zero(), V::load(at), psi, p);
    };
    // What follows the mirrored columns: words of the lower half, products of the upper half.
    // Nothing pairs with word 0.
    R after_low[kHalf], after_high[kHalf], product[kHalf];
    S::template load_vectors<kHalf>(after_low, x + part, part);
    for (std::size_t c = 0; c < kHalf; ++c) {
      product[c] = times_psi(x + (kRadix - 1 - c) * part);
    }
    after_high[0] = V::zero();
    std::copy_n(product, kHalf - 1, after_high + 1);
    for (std::size_t j = 0; j < part / 2; j += kWidth) {
      Word* low = x + j;
      Word* high = x + part - kWidth - j;
      R u[kRadix], v[kRadix];
      for (std::size_t c = 0; c < kHalf; ++c) {
        const std::size_t m = kRadix - 1 - c;
        const R a = V::load(low + c * part), b = V::load(high + c * part);
        const R next_product = times_psi(low + kWidth + m * part);
        const R high_product = times_psi(high + m * part);
        u[c] = V::sub(V::add(a, offset), mirror(high_product, after_high[c]));
        u[m] = V::add(mirror(b, after_low[c]), product[c]);
        v[c] = V::sub(V::add(b, offset), mirror(product[c], next_product));
        v[m] = V::add(mirror(a, V::load(low + kWidth + c * part)), high_product);
        after_low[c] = b;
        after_high[c] = high_product;
        product[c] = next_product;
      }
      S::template forward_tree<kRadix>(u, f, p);
      S::template forward_tree<kRadix>(v, f, p);
      S::template store_vectors<kRadix>(low, u, part);
      S::template store_vectors<kRadix>(high, v, part);
    }
  }

  template <std::size_t kRadix>
  static void forward_pass(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                           const Prime& p) {
    const std::size_t part = n / kRadix;
    const PassFactors<kRadix> f(t.forward, index);
    for (std::size_t j = 0; j < part; j += kWidth) {
      R v[kRadix];
      S::template load_vectors<kRadix>(v, x + j, part);
      S::template forward_tree<kRadix>(v, f, p);
      S::template store_vectors<kRadix>(x + j, v, part);
    }
  }

  // The last six stages and the reduction of blocks `index` and index + 1, the stages of one
  // between the steps of the transposition of the other.
  static void forward_in_registers(Word* x, std::size_t index, const LimbTables& t,
                                   const Prime& p) {
    const BlockFactors block0{t.forward.data(), index}, block1{t.forward.data(), index + 1};
    const LaneFactors lanes0(t.forward, index), lanes1(t.forward, index + 1);
    R v0[kWidth], v1[kWidth];
    S::template load_vectors<kWidth>(v0, x, kWidth);
    S::template forward_tree<kWidth>(v0, block0, p);
    S::template load_vectors<kWidth>(v1, x + kBlock, kWidth);
    forward_tree_transposing<false>(v1, block1, v0, p);
    forward_tree_transposing<true>(v0, lanes0, v1, p);
    forward_tree_transposing<true>(v1, lanes1, v0, p);
    S::template store_vectors<kWidth>(x, v0, kWidth);
    V::template transpose_step<0>(v1);
    V::template transpose_step<1>(v1);
    V::template transpose_step<2>(v1);
    S::template store_vectors<kWidth>(x + kBlock, v1, kWidth);
  }

  // kLast: exit reduced.
  template <bool kLast, class Factors>
  [[gnu::always_inline]] static void forward_tree_transposing(R (&v)[kWidth], const Factors& f,
                                                              R (&other)[kWidth], const Prime& p) {
    S::template forward_stage<kWidth, 1>(v, f, p);
    V::template transpose_step<0>(other);
    S::template forward_stage<kWidth, 2>(v, f, p);
    V::template transpose_step<1>(other);
    if constexpr (kLast) {
      // To [q, 3q), so that the last stage ends in [0, 4q).
      for (std::size_t c = 0; c < kWidth; c += 2) {
        v[c] = V::add(reduce_low52(v[c], p), p.q);
      }
    }
    S::template forward_stage<kWidth, 4>(v, f, p);
    if constexpr (kLast) {
      for (R& value : v) {
        value = low52(value, p);
      }
    }
    V::template transpose_step<2>(other);
  }

  template <std::size_t kRadix>
  static void forward_split(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                            const Prime& p) {
    forward_pass<kRadix>(x, n, index, t, p);
    forward_parts<kRadix>(x, n, index, t, p);
  }

  template <std::size_t kRadix>
  static void forward_parts(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                            const Prime& p) {
    const std::size_t part = n / kRadix, first = kRadix * index;
    if (part == kBlock) {
      for (std::size_t c = 0; c < kRadix; c += 2) {
        forward_in_registers(x + c * part, first + c, t, p);
      }
      return;
    }
    for (std::size_t c = 0; c < kRadix; ++c) {
      forward_block(x + c * part, part, first + c, t, p);
    }
  }

  // The block of n words with table entry `index`.
  static void forward_block(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                            const Prime& p) {
    if (splits_by_four(n)) {
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
    return stages == 1 || stages == 3 ? 2 : 4;
  }

  // The fold lifts the lower half, so that no stage goes below zero: its words are in [log_n q,
  // (log_n + 6) q), those before the reduction in [0, (2 log_n + 6) q), below 2^52 at N = 2^17.
  template <std::size_t kRadix>
  static void forward(Word* x, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    const R offset = V::set1((static_cast<std::uint64_t>(t.log_n) + 2) * t.q);
    fold_pass<kRadix>(x, n, t, p, offset);
    forward_parts<kRadix>(x, n, 1, t, p);
  }

  static void ntt_forward(Word* x, const LimbTables& t) {
    const std::size_t n = std::size_t{1} << t.log_n;
    if (fold_radix(t.log_n) == 2) {
      forward<2>(x, n, t);
    } else {
      forward<4>(x, n, t);
    }
  }

  // Entry < 4q. Exit < 8q: three sums end below 32 q, one more below 64 q, where the sums are
  // reduced; then no word holds more than two sums above 2q.
  static void inverse_in_registers(Word* x, std::size_t index, const LimbTables& t,
                                   const Prime& p) {
    const BlockFactors block0{t.inverse.data(), index}, block1{t.inverse.data(), index + 1};
    const LaneFactors lanes0(t.inverse, index), lanes1(t.inverse, index + 1);
    R v0[kWidth], v1[kWidth];
    S::template load_vectors<kWidth>(v0, x, kWidth);
    V::template transpose_step<0>(v0);
    V::template transpose_step<1>(v0);
    V::template transpose_step<2>(v0);
    S::template load_vectors<kWidth>(v1, x + kBlock, kWidth);
    inverse_tree_transposing(v0, lanes0, v1, p);
    inverse_tree_transposing(v1, lanes1, v0, p);
    S::template inverse_stage<kWidth, 4>(v0, block0, p);
    V::template transpose_step<0>(v1);
    reduce_sums(v0, p);
    S::template inverse_stage<kWidth, 2>(v0, block0, p);
    V::template transpose_step<1>(v1);
    S::template inverse_stage<kWidth, 1>(v0, block0, p);
    V::template transpose_step<2>(v1);
    S::template store_vectors<kWidth>(x, v0, kWidth);
    S::template inverse_stage<kWidth, 4>(v1, block1, p);
    reduce_sums(v1, p);
    S::template inverse_stage<kWidth, 2>(v1, block1, p);
    S::template inverse_stage<kWidth, 1>(v1, block1, p);
    S::template store_vectors<kWidth>(x + kBlock, v1, kWidth);
  }

  template <class Factors>
  [[gnu::always_inline]] static void inverse_tree_transposing(R (&v)[kWidth], const Factors& f,
                                                              R (&other)[kWidth], const Prime& p) {
    S::template inverse_stage<kWidth, 4>(v, f, p);
    V::template transpose_step<0>(other);
    S::template inverse_stage<kWidth, 2>(v, f, p);
    V::template transpose_step<1>(other);
    S::template inverse_stage<kWidth, 1>(v, f, p);
    V::template transpose_step<2>(other);
  }

  // The sums of a stage of kWidth / 2 groups.
  [[gnu::always_inline]] static void reduce_sums(R (&v)[kWidth], const Prime& p) {
    for (std::size_t c = 0; c < kWidth; c += 2) {
      v[c] = reduce_low52(v[c], p);
    }
  }

  // Entry and exit < 8q: v[0] is a sum of kRadix words below 64 q and is reduced, the others hold
  // at most two sums above a product.
  template <std::size_t kRadix>
  static void inverse_pass(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                           const Prime& p) {
    const std::size_t part = n / kRadix;
    const PassFactors<kRadix> f(t.inverse, index);
    for (std::size_t j = 0; j < part; j += kWidth) {
      R v[kRadix];
      S::template load_vectors<kRadix>(v, x + j, part);
      S::template inverse_tree<kRadix>(v, f, p);
      v[0] = reduce_low52(v[0], p);
      S::template store_vectors<kRadix>(x + j, v, part);
    }
  }

  template <std::size_t kRadix>
  static void inverse_merge(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                            const Prime& p) {
    inverse_parts<kRadix>(x, n, index, t, p);
    inverse_pass<kRadix>(x, n, index, t, p);
  }

  template <std::size_t kRadix>
  static void inverse_parts(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                            const Prime& p) {
    const std::size_t part = n / kRadix, first = kRadix * index;
    if (part == kBlock) {
      for (std::size_t c = 0; c < kRadix; c += 2) {
        inverse_in_registers(x + c * part, first + c, t, p);
      }
      return;
    }
    for (std::size_t c = 0; c < kRadix; ++c) {
      inverse_block(x + c * part, part, first + c, t, p);
    }
  }

  static void inverse_block(Word* x, std::size_t n, std::size_t index, const LimbTables& t,
                            const Prime& p) {
    if (splits_by_four(n)) {
      inverse_merge<4>(x, n, index, t, p);
    } else {
      inverse_merge<8>(x, n, index, t, p);
    }
  }

  // a_i and a_(N-i) from b_i and b_(N-i), which still carry the factor N: since (1 + psi)(1 - psi)
  // = 2, a_i + a_(N-i) = (b_i + b_(N-i)) (1 + psi) / 2N, and the differences have the factor (1 -
  // psi) / 2N. Entry a, b < 32 q, their sum < 64 q; exit reduced.
  template <std::size_t kCount>
  [[gnu::always_inline]] static void unfold(R* a, R* b, const SameFactor& sum_scale,
                                            const SameFactor& difference_scale, const Prime& p) {
    R sum[kCount], difference[kCount];
    for (std::size_t c = 0; c < kCount; ++c) {
      sum[c] = V::add(a[c], b[c]);
      difference[c] = V::add(V::sub(a[c], b[c]), p.lift);
    }
    // Lifted by q, lowered by q: neither the sum nor the difference of the two falls below zero.
    S::template add_products<kCount, kCount>(sum, 0, sum_scale, p.q, p);
    S::template add_products<kCount, kCount>(difference, 0, difference_scale, p.minus_q, p);
    for (std::size_t c = 0; c < kCount; ++c) {
      a[c] = low52(V::add(sum[c], difference[c]), p);
      b[c] = low52(V::sub(sum[c], difference[c]), p);
    }
  }

  // The first log2(kRadix) stages and the unfolding, on columns as in fold_pass. What a column
  // gives for its mirrored words straddles two vectors: it is stored one iteration later.
  template <std::size_t kRadix>
  static void unfold_pass(Word* x, std::size_t n, const LimbTables& t, const Prime& p) {
    const std::size_t part = n / kRadix;
    const SameFactor sum{Factor(t.unfold)}, difference{Factor(t.unfold_first)};
    const PassFactors<kRadix> f(t.inverse, 1);
    R after[kRadix], mirrored[kRadix];
    for (std::size_t j = 0; j < part / 2; j += kWidth) {
      Word* low = x + j;
      Word* high = x + part - kWidth - j;
      R a[kRadix], b[kRadix], u[kRadix];
      S::template load_vectors<kRadix>(a, low, part);
      S::template load_vectors<kRadix>(b, high, part);
      S::template inverse_tree<kRadix>(a, f, p);
      S::template inverse_tree<kRadix>(b, f, p);
      if (j == 0) {
        // b_N = -psi b_0 unfolds to a_0 = b_0 / N.
        std::copy_n(a + 1, kRadix - 1, after);
        after[kRadix - 1] = S::mul(V::sub(p.lift, a[0]), Factor(t.psi), p);
      }
      for (std::size_t c = 0; c < kRadix; ++c) {
        const std::size_t m = kRadix - 1 - c;
        u[c] = mirror(b[m], after[m]);
      }
      unfold<kRadix>(a, u, sum, difference, p);
      S::template store_vectors<kRadix>(low, a, part);
      if (j != 0) {
        for (std::size_t c = 0; c < kRadix; ++c) {
          const std::size_t m = kRadix - 1 - c;
          V::store(high + kWidth + m * part, mirror(mirrored[c], u[c]));
        }
      }
      std::copy_n(b, kRadix, after);
      std::copy_n(u, kRadix, mirrored);
    }
    // The middle columns, first words of the last `high`, pair among themselves.
    for (std::size_t c = 0; c < kRadix; ++c) {
      const std::size_t m = kRadix - 1 - c;
      R a = after[c], b = after[m];
      unfold<1>(&a, &b, sum, difference, p);
      V::store(x + part / 2 + m * part, mirror(mirrored[c], b));
    }
  }

  template <std::size_t kRadix>
  static void inverse(Word* x, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    inverse_parts<kRadix>(x, n, 1, t, p);
    unfold_pass<kRadix>(x, n, t, p);
  }

  static void ntt_inverse(Word* x, const LimbTables& t) {
    const std::size_t n = std::size_t{1} << t.log_n;
    if (fold_radix(t.log_n) == 2) {
      inverse<2>(x, n, t);
    } else {
      inverse<4>(x, n, t);
    }
  }
};
