// The transforms of the double-precision tiers; included after double-inl.h, under the same rules.
//
// Passes over memory: the fold, one stage more (docs/ntt.md); stage 0 alone where the stages before
// the lanes are odd in number; two stages at a time (radix 4); the last log2(width) stages, the
// lanes, in registers between two transpositions. What binds is not the number of operations but
// how many of them are under way: so products advance several together, and the last product of a
// radix-4 column is computed with the first ones of the next column.
//
// Bounds are in units of q, for q < 2^46 and N <= 2^17, as Body::mul gives them: a product of y is
// at most 1/2 + y/128, and 1/2 + y/85 in the lanes, whose factors have no ratio.

template <class V>
struct Ntt : Body<V> {
  using Base = Body<V>;
  using R = typename V::Reg;
  using Factor = typename Base::Factor;
  using Prime = typename Base::Prime;
  using Base::kLogWidth;
  using Base::kWidth;
  using Base::mul_each;
  static constexpr std::size_t kBlock = kWidth * kWidth;
  // 16 KiB of words, and about as much of twiddles, stay in the first-level cache.
  static constexpr std::size_t kPartWords = 2048;

  static void prepare(LimbTables& t) { prepare_double_tables(t, kLogWidth); }

  // The factors of rows 2, 1 and 3 of a radix-4 column; psi is the fourth.
  struct Node {
    Factor w0, w1, w01;
    explicit Node(const Constant* c) : w0(c[0]), w1(c[1]), w01(c[2]) {}
  };

  struct Transform {
    std::size_t n;
    int lane_stage;   // the first stage within lanes
    int first_stage;  // of radix 4: 0 or 1
    int part_stage;   // from here on part by part
    std::size_t parts = 1;
    Prime p;
    Factor psi;
    const Word* lanes;
    const Constant* nodes;

    Transform(const LimbTables& t, const AlignedBuffer<Constant>& table)
        : n(std::size_t{1} << t.log_n),
          lane_stage(t.log_n - kLogWidth),
          first_stage(lane_stage % 2),
          part_stage(first_stage),
          p(t),
          psi(t.psi),
          lanes(reinterpret_cast<const Word*>(table.data())),
          nodes(table.data() + n / kWidth * (kWidth - 1) / 2) {
      for (; n >> part_stage > kPartWords; part_stage += 2) {
        parts = std::size_t{4} << part_stage;
      }
    }
    Node node(int stage, std::size_t block) const {
      return Node(nodes + 3 * ((std::size_t{1} << stage) + block));
    }
  };

  // f(a, b) on the pairs (x[i], x[n - i]), i = 1 .. n/2: two vectors of each, then single words.
  template <typename F>
  [[gnu::always_inline]] static void fold_pairs(Word* x, std::size_t n, const F& f) {
    constexpr std::size_t kStep = 2 * kWidth;
    for (std::size_t i = kStep; i < n / 2; i += kStep) {
      Word* mirror = x + n - i - kStep + 1;
      R a[2] = {V::load(x + i), V::load(x + i + kWidth)};
      R b[2] = {V::reverse(V::load_unaligned(mirror + kWidth)),
                V::reverse(V::load_unaligned(mirror))};
      f(a, b);
      V::store(x + i, a[0]);
      V::store(x + i + kWidth, a[1]);
      V::store_unaligned(mirror + kWidth, V::reverse(b[0]));
      V::store_unaligned(mirror, V::reverse(b[1]));
    }
    const auto single = [&](std::size_t i) {
      R a[1] = {V::set1(to_double(x[i]))};
      R b[1] = {V::set1(to_double(x[n - i]))};
      f(a, b);
      x[i] = to_word(V::first(a[0]));
      x[n - i] = to_word(V::first(b[0]));
    };
    for (std::size_t i = 1; i < kStep; ++i) {
      single(i);
    }
    single(n / 2);
  }

  // Entry 1.4; exit 1.92. The upper half ends as psi times the folded words.
  static void fold(Word* x, const Transform& t) {
    const Prime p = t.p;
    const Factor psi = t.psi;
    fold_pairs(x, t.n, [&]<std::size_t K>(R(&a)[K], R(&b)[K]) {
      for (std::size_t k = 0; k < K; ++k) {
        const R product = Base::mul(b[k], psi, p);
        b[k] = V::add(a[k], product);
        a[k] = V::sub(a[k], product);
      }
    });
  }

  // Entry 0.7; exit 1.4.
  static void unfold(Word* x, const Transform& t) {
    const Prime p = t.p;
    const Factor psi = t.psi;
    const R first = V::set1(to_double(x[0])), middle = V::set1(to_double(x[t.n / 2]));
    fold_pairs(x, t.n, [&]<std::size_t K>(R(&a)[K], R(&b)[K]) {
      for (std::size_t k = 0; k < K; ++k) {
        const R difference = V::sub(a[k], b[k]);
        a[k] = V::add(a[k], b[k]);
        b[k] = Base::mul(difference, psi, p);
      }
    });
    x[0] = to_word(V::first(V::add(first, first)));
    x[t.n / 2] = to_word(V::first(V::sub(middle, Base::mul(middle, psi, p))));
  }

  static void forward_radix2(Word* x, const Transform& t) {
    const Prime p = t.p;
    const Factor w = t.node(0, 0).w0;
    for (std::size_t j = 0; j < t.n / 2; j += kWidth) {
      Word* upper = x + t.n / 2 + j;
      const R a = V::load(x + j), product = Base::mul(V::load(upper), w, p);
      V::store(x + j, V::add(a, product));
      V::store(upper, V::sub(a, product));
    }
  }

  // Entry 3.4; exit 0.6.
  static void inverse_radix2(Word* x, const Factor scale, const Transform& t) {
    const Prime p = t.p;
    const Factor w = t.node(0, 0).w0;
    for (std::size_t j = 0; j < t.n / 2; j += kWidth) {
      Word* upper = x + t.n / 2 + j;
      const R a = V::load(x + j), b = V::load(upper);
      R products[2] = {V::add(a, b), V::sub(a, b)};
      mul_each(products, {scale, w}, p);
      V::store(x + j, products[0]);
      V::store(upper, products[1]);
    }
  }

  // f(column, next column, node) on the columns of blocks begin .. end - 1 of a radix-4 stage; the
  // last column is its own next one.
  template <typename F>
  [[gnu::always_inline]] static void for_columns(Word* x, int stage, std::size_t begin,
                                                 std::size_t end, const Transform& t, const F& f) {
    const std::size_t size = t.n >> stage, quarter = size / 4;
    for (std::size_t block = begin; block < end; ++block) {
      Word* at = x + size * block;
      Word* final = at + quarter - kWidth;
      Word* next = block + 1 < end ? at + size : final;
      if (quarter == kWidth) {
        f(at, next, t.node(stage, block));
      } else {
        const Node node = t.node(stage, block);
        for (; at < final; at += kWidth) {
          f(at, at + kWidth, node);
        }
        f(final, next, node);
      }
    }
  }

  // A word grows by up to three products: from 1.92 after the fold to 14.1 at the lanes.
  static void forward_radix4(Word* x, int stage, std::size_t begin, std::size_t end,
                             const Transform& t) {
    const Prime p = t.p;
    const Factor psi = t.psi;
    const std::size_t quarter = t.n >> (stage + 2);
    // Rows 2 and 3 of the column before are c + psi d and c - psi d; before the first one, zero.
    Word* before = x + 4 * quarter * begin;
    R c = V::set1(0.0), d = c;
    for_columns(x, stage, begin, end, t, [&](Word* at, Word*, const Node& node) {
      R odd[2] = {V::load(at + quarter), V::load(at + 3 * quarter)};
      mul_each(odd, {node.w1, node.w01}, p);
      R even[2] = {d, V::load(at + 2 * quarter)};
      mul_each(even, {psi, node.w0}, p);
      V::store(before + 2 * quarter, V::add(c, even[0]));
      V::store(before + 3 * quarter, V::sub(c, even[0]));
      const R first = V::load(at);
      const R a = V::add(first, even[1]), b = V::add(odd[0], odd[1]);
      c = V::sub(first, even[1]);
      d = V::sub(odd[0], odd[1]);
      V::store(at, V::add(a, b));
      V::store(at + quarter, V::sub(a, b));
      before = at;
    });
    const R product = Base::mul(d, psi, p);
    V::store(before + 2 * quarter, V::add(c, product));
    V::store(before + 3 * quarter, V::sub(c, product));
  }

  // finish(sum) gives row 0. Entry 11.2; rows 1 to 3 end at 0.85, the sum at 4 times the entry.
  template <typename Finish>
  static void inverse_radix4(Word* x, int stage, std::size_t begin, std::size_t end,
                             const Transform& t, const Finish finish) {
    const Prime p = t.p;
    const Factor psi = t.psi;
    const std::size_t quarter = t.n >> (stage + 2);
    // Sum and (by -psi) difference of rows 2 and 3, computed one column ahead.
    const Word* first = x + 4 * quarter * begin;
    R row2 = V::load(first + 2 * quarter), row3 = V::load(first + 3 * quarter);
    R c = V::add(row2, row3), d = Base::mul(V::sub(row3, row2), psi, p);
    for_columns(x, stage, begin, end, t, [&](Word* at, const Word* next, const Node& node) {
      const R row0 = V::load(at), row1 = V::load(at + quarter);
      const R a = V::add(row0, row1), b = V::sub(row0, row1);
      row2 = V::load(next + 2 * quarter);
      row3 = V::load(next + 3 * quarter);
      R even[2] = {V::sub(a, c), V::sub(row3, row2)};
      R odd[2] = {V::add(b, d), V::sub(b, d)};
      V::store(at, finish(V::add(a, c)));
      c = V::add(row2, row3);
      mul_each(even, {node.w0, psi}, p);
      mul_each(odd, {node.w1, node.w01}, p);
      d = even[1];
      V::store(at + quarter, odd[0]);
      V::store(at + 2 * quarter, even[0]);
      V::store(at + 3 * quarter, odd[1]);
    });
  }

  // Sums quadruple: from 11.2 after the lanes to 45, reduced; to 3.4; to 14, reduced; and so on.
  // The last pass multiplies them by 1/2N instead, as its node does the others.
  static void inverse_radix4(Word* x, int stage, std::size_t begin, std::size_t end,
                             const Factor& scale, const Transform& t) {
    const Prime p = t.p;
    if (stage == 0) {
      inverse_radix4(x, stage, begin, end, t, [=](R sum) { return Base::mul(sum, scale, p); });
    } else if ((t.lane_stage - stage) % 4 == 2) {
      inverse_radix4(x, stage, begin, end, t, [=](R sum) { return Base::reduce(sum, p); });
    } else {
      inverse_radix4(x, stage, begin, end, t, [=](R sum) { return sum; });
    }
  }

  // f(x, y, w) on the butterflies of the stage with `Groups` groups a row, v[c] = word c of every
  // row: arrays of one vector from every block.
  template <std::size_t Groups, std::size_t Blocks, typename F>
  [[gnu::always_inline]] static void lane_stage(R (&v)[Blocks][kWidth], const Word* twiddles,
                                                const F& f) {
    constexpr std::size_t kLen = kWidth / Groups / 2;
    for (std::size_t g = 0; g < Groups; ++g) {
      R w[Blocks];
      for (std::size_t b = 0; b < Blocks; ++b) {
        w[b] = V::load(twiddles + (b * (kWidth - 1) + Groups - 1 + g) * kWidth);
      }
      for (std::size_t c = 2 * kLen * g; c < 2 * kLen * g + kLen; ++c) {
        R x[Blocks], y[Blocks];
        for (std::size_t b = 0; b < Blocks; ++b) {
          x[b] = v[b][c];
          y[b] = v[b][c + kLen];
        }
        f(x, y, w);
        for (std::size_t b = 0; b < Blocks; ++b) {
          v[b][c] = x[b];
          v[b][c + kLen] = y[b];
        }
      }
    }
  }

  // Stages with First to Last groups. Entry 14.1; exit 1.2: the last one adds a product of at most
  // 0.68 to a reduced word.
  template <std::size_t First, std::size_t Last, std::size_t Blocks>
  [[gnu::always_inline]] static void forward_lane_stages(R (&v)[Blocks][kWidth],
                                                         const Word* twiddles, const Prime& p) {
    lane_stage<First>(v, twiddles, [&](R(&x)[Blocks], R(&y)[Blocks], const R(&w)[Blocks]) {
      mul_each(y, w, p);
      for (std::size_t b = 0; b < Blocks; ++b) {
        const R sum = First == kWidth / 2 ? Base::reduce(x[b], p) : x[b];
        x[b] = V::add(sum, y[b]);
        y[b] = V::sub(sum, y[b]);
      }
    });
    if constexpr (First < Last) {
      forward_lane_stages<2 * First, Last>(v, twiddles, p);
    }
  }

  // Stages with First down to Last groups. Entry 1.4; exit 11.2: sums of `width` words, and
  // products.
  template <std::size_t First, std::size_t Last, std::size_t Blocks>
  [[gnu::always_inline]] static void inverse_lane_stages(R (&v)[Blocks][kWidth],
                                                         const Word* twiddles, const Prime& p) {
    lane_stage<First>(v, twiddles, [&](R(&x)[Blocks], R(&y)[Blocks], const R(&w)[Blocks]) {
      for (std::size_t b = 0; b < Blocks; ++b) {
        const R difference = V::sub(x[b], y[b]);
        x[b] = V::add(x[b], y[b]);
        y[b] = difference;
      }
      mul_each(y, w, p);
    });
    if constexpr (First > Last) {
      inverse_lane_stages<First / 2, Last>(v, twiddles, p);
    }
  }

  // f(v, twiddles) on the blocks of width^2 words of a part, transposed before and after as asked.
  template <std::size_t Blocks, bool kTransposeFirst, bool kTransposeLast, typename F>
  [[gnu::always_inline]] static void for_blocks(Word* x, std::size_t part, const Transform& t,
                                                const F& f) {
    const std::size_t count = t.n / kBlock / t.parts;
    for (std::size_t block = part * count; block < (part + 1) * count; block += Blocks) {
      R v[Blocks][kWidth];
      for (std::size_t b = 0; b < Blocks; ++b) {
        for (std::size_t c = 0; c < kWidth; ++c) {
          v[b][c] = V::load(x + (block + b) * kBlock + c * kWidth);
        }
        if (kTransposeFirst) {
          V::transpose(v[b]);
        }
      }
      f(v, t.lanes + block * kWidth * (kWidth - 1));
      for (std::size_t b = 0; b < Blocks; ++b) {
        if (kTransposeLast) {
          V::transpose(v[b]);
        }
        for (std::size_t c = 0; c < kWidth; ++c) {
          V::store(x + (block + b) * kBlock + c * kWidth, v[b][c]);
        }
      }
    }
  }

  // Vectors of four leave registers for one stage at a time, those of eight for two blocks.
  static void forward_lanes(Word* x, std::size_t part, const Transform& t) {
    const Prime p = t.p;
    constexpr std::size_t kLast = kWidth / 2;
    const auto all = [&](auto& v, const Word* w) { forward_lane_stages<1, kLast>(v, w, p); };
    if constexpr (kWidth == 4) {
      for_blocks<1, true, false>(
          x, part, t, [&](auto& v, const Word* w) { forward_lane_stages<1, 1>(v, w, p); });
      for_blocks<1, false, true>(
          x, part, t, [&](auto& v, const Word* w) { forward_lane_stages<2, 2>(v, w, p); });
    } else if (t.n == kBlock) {
      for_blocks<1, true, true>(x, part, t, all);
    } else {
      for_blocks<2, true, true>(x, part, t, all);
    }
  }

  static void inverse_lanes(Word* x, std::size_t part, const Transform& t) {
    const Prime p = t.p;
    constexpr std::size_t kFirst = kWidth / 2;
    const auto all = [&](auto& v, const Word* w) { inverse_lane_stages<kFirst, 1>(v, w, p); };
    if constexpr (kWidth == 4) {
      for_blocks<1, true, false>(
          x, part, t, [&](auto& v, const Word* w) { inverse_lane_stages<2, 2>(v, w, p); });
      for_blocks<1, false, true>(
          x, part, t, [&](auto& v, const Word* w) { inverse_lane_stages<1, 1>(v, w, p); });
    } else if (t.n == kBlock) {
      for_blocks<1, true, true>(x, part, t, all);
    } else {
      for_blocks<2, true, true>(x, part, t, all);
    }
  }

  static void ntt_forward(Word* x, const LimbTables& tables) {
    const Transform t(tables, tables.forward);
    fold(x, t);
    if (t.first_stage == 1) {
      forward_radix2(x, t);
    }
    for (int stage = t.first_stage; stage < t.part_stage; stage += 2) {
      forward_radix4(x, stage, 0, std::size_t{1} << stage, t);
    }
    for (std::size_t part = 0; part < t.parts; ++part) {
      for (int stage = t.part_stage; stage < t.lane_stage; stage += 2) {
        const std::size_t blocks = (std::size_t{1} << stage) / t.parts;
        forward_radix4(x, stage, part * blocks, (part + 1) * blocks, t);
      }
      forward_lanes(x, part, t);
    }
  }

  static void ntt_inverse(Word* x, const LimbTables& tables) {
    const Transform t(tables, tables.inverse);
    const Factor scale(tables.unfold);
    for (std::size_t part = 0; part < t.parts; ++part) {
      inverse_lanes(x, part, t);
      for (int stage = t.lane_stage - 2; stage >= t.part_stage; stage -= 2) {
        const std::size_t blocks = (std::size_t{1} << stage) / t.parts;
        inverse_radix4(x, stage, part * blocks, (part + 1) * blocks, scale, t);
      }
    }
    for (int stage = t.part_stage - 2; stage >= t.first_stage; stage -= 2) {
      inverse_radix4(x, stage, 0, std::size_t{1} << stage, scale, t);
    }
    if (t.first_stage == 1) {
      inverse_radix2(x, scale, t);
    }
    unfold(x, t);
  }
};
