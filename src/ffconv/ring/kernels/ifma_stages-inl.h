// Stages of the transforms of the 52-bit integer tier, on words in registers; included after
// ifma_arithmetic-inl.h, under the same rules.

template <class V>
struct IfmaStages : IfmaArithmetic<V> {
  using Base = IfmaArithmetic<V>;
  using R = typename V::Reg;
  using Base::kWidth;
  using typename Base::Factor;

  struct Prime : Base::Prime {
    R minus_q, lift;
    explicit Prime(const LimbTables& t)
        : Base::Prime(t), minus_q(V::set1(0 - t.q)), lift(V::set1(32 * t.q)) {}
  };

  // The factors of a tree of log2(kRadix) stages whose top is table entry `index`: number g for the
  // groups g = 2^s .. 2^(s+1) - 1 of stage s. Kept in registers through a pass.
  template <std::size_t kRadix>
  struct PassFactors {
    Factor f[kRadix];
    PassFactors(const AlignedBuffer<Constant>& table, std::size_t index) {
      for (std::size_t groups = 1; groups < kRadix; groups *= 2) {
        for (std::size_t g = 0; g < groups; ++g) {
          f[groups + g] = Factor(table[groups * index + g]);
        }
      }
    }
    R w(std::size_t g) const { return f[g].w; }
    R ratio(std::size_t g) const { return f[g].ratio; }
  };

  // The same, loaded where they are used.
  struct BlockFactors {
    const Constant* table;
    std::size_t index;
    const Constant& at(std::size_t g) const { return table[std::bit_floor(g) * (index - 1) + g]; }
    R w(std::size_t g) const { return V::set1(at(g).value); }
    R ratio(std::size_t g) const { return V::set1(at(g).ratio); }
  };

  // The factors of the last three stages of the block of 64 words with table entry `index`, a
  // vector each (ifma_tables.h).
  struct LaneFactors {
    const Word* words;
    LaneFactors(const AlignedBuffer<Constant>& table, std::size_t index) {
      const std::size_t n = table.size(), block = index - n / (kWidth * kWidth);
      words = reinterpret_cast<const Word*>(table.data() + n / kWidth) +
              2 * kWidth * (kWidth - 1) * block;
    }
    // Groups count from 1.
    R w(std::size_t g) const { return V::load(words + 2 * kWidth * (g - 1)); }
    R ratio(std::size_t g) const { return V::load(words + 2 * kWidth * (g - 1) + kWidth); }
  };

  // One factor for all.
  struct SameFactor {
    Factor f;
    R w(std::size_t) const { return f.w; }
    R ratio(std::size_t) const { return f.ratio; }
  };

  // y[c] = sum + y[c] times the factor of its group modulo q, modulo 2^52; kLen words a group.
  // Operation by operation over all butterflies of a stage, so that their latencies overlap.
  template <std::size_t kCount, std::size_t kLen, class Factors>
  [[gnu::always_inline]] static void add_products(R* y, std::size_t first_group, const Factors& f,
                                                  R sum, const Prime& p) {
    R quotient[kCount], product[kCount];
    for (std::size_t c = 0; c < kCount; ++c) {
      quotient[c] = V::add_high(V::zero(), y[c], f.ratio(first_group + c / kLen));
    }
    for (std::size_t c = 0; c < kCount; ++c) {
      product[c] = V::add_low(sum, y[c], f.w(first_group + c / kLen));
    }
    for (std::size_t c = 0; c < kCount; ++c) {
      y[c] = V::add_low(product[c], quotient[c], p.complement);
    }
  }

  // The stage of kGroups groups. r = y w mod q - q is in [-q, q): a stage lowers and raises the
  // bounds by q.
  template <std::size_t kRadix, std::size_t kGroups, class Factors>
  [[gnu::always_inline]] static void forward_stage(R* v, const Factors& f, const Prime& p) {
    constexpr std::size_t kLen = kRadix / kGroups / 2;
    R y[kRadix / 2];
    for (std::size_t c = 0; c < kRadix / 2; ++c) {
      y[c] = v[c / kLen * 2 * kLen + kLen + c % kLen];
    }
    add_products<kRadix / 2, kLen>(y, kGroups, f, p.minus_q, p);
    for (std::size_t c = 0; c < kRadix / 2; ++c) {
      R& x = v[c / kLen * 2 * kLen + c % kLen];
      v[c / kLen * 2 * kLen + kLen + c % kLen] = V::sub(x, y[c]);
      x = V::add(x, y[c]);
    }
  }

  template <std::size_t kRadix, std::size_t kGroups = 1, class Factors>
  [[gnu::always_inline]] static void forward_tree(R* v, const Factors& f, const Prime& p) {
    if constexpr (kGroups < kRadix) {
      forward_stage<kRadix, kGroups>(v, f, p);
      forward_tree<kRadix, 2 * kGroups>(v, f, p);
    }
  }

  // Entry < 32 q; sums grow, differences end below 2q.
  template <std::size_t kRadix, std::size_t kGroups, class Factors>
  [[gnu::always_inline]] static void inverse_stage(R* v, const Factors& f, const Prime& p) {
    constexpr std::size_t kLen = kRadix / kGroups / 2;
    R y[kRadix / 2];
    for (std::size_t c = 0; c < kRadix / 2; ++c) {
      R& x = v[c / kLen * 2 * kLen + c % kLen];
      const R other = v[c / kLen * 2 * kLen + kLen + c % kLen];
      y[c] = V::add(V::sub(x, other), p.lift);
      x = V::add(x, other);
    }
    add_products<kRadix / 2, kLen>(y, kGroups, f, V::zero(), p);
    for (std::size_t c = 0; c < kRadix / 2; ++c) {
      v[c / kLen * 2 * kLen + kLen + c % kLen] = y[c];
    }
  }

  template <std::size_t kRadix, std::size_t kGroups = kRadix / 2, class Factors>
  [[gnu::always_inline]] static void inverse_tree(R* v, const Factors& f, const Prime& p) {
    if constexpr (kGroups >= 1) {
      inverse_stage<kRadix, kGroups>(v, f, p);
      inverse_tree<kRadix, kGroups / 2>(v, f, p);
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
};
