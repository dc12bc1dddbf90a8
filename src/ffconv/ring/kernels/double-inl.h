// The double-precision tiers: one body over the vector width.
//
// Included inside a tier's own namespace and target region, after a wrapper V of its vector
// operations (simd_avx2-inl.h, simd_portable-inl.h): no guard, no includes. A word is an integer x
// held in a double, |x| <= 1.4 q at the entry and exit of every kernel ("reduced"), q < 2^46. All
// sums below stay under 2^53 in magnitude, so they are exact; products are exact as pairs by fused
// multiply-add (docs/simd.md).

constexpr double to_double(std::uint64_t word) {
  return std::bit_cast<double>(word);
}
constexpr Word to_word(double x) {
  return std::bit_cast<Word>(x);
}

template <class V>
struct Body {
  using R = typename V::Reg;
  static constexpr std::size_t kWidth = V::kWidth;
  static constexpr int kLogWidth = std::countr_zero(kWidth);

  struct Prime {
    R q, inverse;
    explicit Prime(const LimbTables& t)
        : q(V::set1(static_cast<double>(t.q))), inverse(V::set1(1.0 / static_cast<double>(t.q))) {}
  };

  struct Factor {
    R w, ratio;
    Factor(R value, R quotient) : w(value), ratio(quotient) {}
    explicit Factor(const Constant& c)
        : w(V::set1(to_double(c.value))), ratio(V::set1(to_double(c.ratio))) {}
  };

  // |x| <= 2^52. Exit: |result| <= q/2 + 1; for |x| <= 2^50 exactly the representative in
  // [-(q-1)/2, (q-1)/2], since x / q is 1/(2q) or more away from a half and its error below 1/(4q).
  static R reduce(R x, const Prime& p) {
    return V::negative_multiply_add(V::nearest_product(x, p.inverse), p.q, x);
  }

  // y * w mod q. |y| <= 2^52. Exit: |result| <= q (1/2 + |y| 2^-53): to the half come the roundings
  // of the ratio and of the product by it, 2^-53 of at most |y| / 2 each.
  static R mul(R y, const Factor& f, const Prime& p) {
    R product[1] = {y};
    mul_each(product, {f}, p);
    return product[0];
  }

  // The same for y[i], operation by operation, so that the products advance together.
  template <std::size_t K>
  [[gnu::always_inline]] static void mul_each(R (&y)[K], const Factor (&f)[K], const Prime& p) {
    R high[K], quotient[K];
    for (std::size_t i = 0; i < K; ++i) {
      high[i] = V::mul(y[i], f[i].w);
    }
    for (std::size_t i = 0; i < K; ++i) {
      quotient[i] = V::nearest_product(y[i], f[i].ratio);
    }
    for (std::size_t i = 0; i < K; ++i) {
      y[i] = V::multiply_sub(y[i], f[i].w, high[i]);
    }
    for (std::size_t i = 0; i < K; ++i) {
      y[i] = V::add(V::negative_multiply_add(quotient[i], p.q, high[i]), y[i]);
    }
  }

  // y * w - b mod q, by one quotient. |y|, |b| <= 2^51. Exit as of mul.
  static R mul_sub(R y, const Factor& f, R b, const Prime& p) {
    const R high = V::mul(y, f.w);
    const R quotient = V::nearest(V::multiply_sub(y, f.ratio, V::mul(b, p.inverse)));
    const R low = V::sub(V::multiply_sub(y, f.w, high), b);
    return V::add(V::negative_multiply_add(quotient, p.q, high), low);
  }

  // a * b mod q. |a b| <= 2^51 q. Exit: |result| <= q (1/2 + 3 |a b / q| 2^-53): three roundings,
  // since the quotient is that of the rounded product by a rounded inverse. 0.54 q for words.
  static R mul(R a, R b, const Prime& p) {
    R product[1] = {a};
    mul_each(product, {b}, p);
    return product[0];
  }

  template <std::size_t K>
  [[gnu::always_inline]] static void mul_each(R (&a)[K], const R (&b)[K], const Prime& p) {
    R high[K];
    for (std::size_t i = 0; i < K; ++i) {
      high[i] = V::mul(a[i], b[i]);
    }
    for (std::size_t i = 0; i < K; ++i) {
      a[i] = V::multiply_sub(a[i], b[i], high[i]);
    }
    for (std::size_t i = 0; i < K; ++i) {
      const R quotient = V::nearest_product(high[i], p.inverse);
      a[i] = V::add(V::negative_multiply_add(quotient, p.q, high[i]), a[i]);
    }
  }

  // a * b + c mod q, by one quotient, for words. Exit: |result| <= 0.6 q.
  static R mul_add(R a, R b, R c, const Prime& p) {
    const R high = V::mul(a, b);
    const R quotient = V::nearest_product(V::add(high, c), p.inverse);
    const R low = V::add(V::multiply_sub(a, b, high), c);
    return V::add(V::negative_multiply_add(quotient, p.q, high), low);
  }

  template <typename F>
  static void map(Word* dst, std::size_t n, const F& f) {
    for (std::size_t i = 0; i < n; i += kWidth) {
      V::store(dst + i, f(i));
    }
  }

  static void import_limb(Word* dst, const std::uint64_t* src, std::size_t n, const LimbTables&) {
    map(dst, n, [&](std::size_t i) { return V::from_u52(src + i); });
  }

  static void export_limb(std::uint64_t* dst, const Word* src, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    for (std::size_t i = 0; i < n; i += kWidth) {
      V::to_u52(dst + i, canonical(V::load(src + i), p));
    }
  }

  // The residue in [0, q).
  static R canonical(R word, const Prime& p) {
    const R x = reduce(word, p);
    return V::add(x, V::and_mask(p.q, V::greater(V::set1(0.0), x)));
  }

  // src = high * 2^32 + low, |high| <= 2^30, 0 <= low < 2^32: one quotient for both parts.
  static void import_signed(Word* dst, const std::int64_t* src, std::size_t n,
                            const LimbTables& t) {
    const Prime p(t);
    const Factor shift(make_double_constant((std::uint64_t{1} << 32) % t.q, t.q));
    map(dst, n, [&](std::size_t i) {
      R high, low;
      V::split_signed(src + i, high, low);
      const R product = V::mul(high, shift.w);
      const R rest = V::add(V::multiply_sub(high, shift.w, product), low);
      const R quotient = V::nearest(V::multiply_add(high, shift.ratio, V::mul(low, p.inverse)));
      return V::add(V::negative_multiply_add(quotient, p.q, product), rest);
    });
  }

  static void add(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    map(dst, n, [&](std::size_t i) { return reduce(V::add(V::load(a + i), V::load(b + i)), p); });
  }

  static void sub(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    map(dst, n, [&](std::size_t i) { return reduce(V::sub(V::load(a + i), V::load(b + i)), p); });
  }

  static void mul_limbs(Word* dst, const Word* a, const Word* b, std::size_t n,
                        const LimbTables& t) {
    const Prime p(t);
    map(dst, n, [&](std::size_t i) { return mul(V::load(a + i), V::load(b + i), p); });
  }

  static void mul_constant(Word* dst, const Word* a, const Constant& c, std::size_t n,
                           const LimbTables& t) {
    const Prime p(t);
    const Factor f(c);
    map(dst, n, [&](std::size_t i) { return mul(V::load(a + i), f, p); });
  }

  static void mul_constant_sub(Word* dst, const Word* a, const Constant& c, const Word* b,
                               std::size_t n, const LimbTables& t) {
    const Prime p(t);
    const Factor f(c);
    map(dst, n, [&](std::size_t i) { return mul_sub(V::load(a + i), f, V::load(b + i), p); });
  }

  // A sum of up to 16 products of words, as high + low: high is a multiple of 2^47 that starts at
  // 1.5 * 2^99, so that every addition keeps exactly that unit; low gathers what it drops, 2^46 a
  // product at most, and starts with what else is to be added.
  struct LazySum {
    static constexpr std::size_t kMaxTerms = 16;
    static constexpr double kOffset = 0x1.8p99;
    R high, low;
    LazySum() : LazySum(V::set1(0.0)) {}
    explicit LazySum(R start) : high(V::set1(kOffset)), low(start) {}

    void add_product(R a, R b) {
      const R next = V::multiply_add(a, b, high);
      const R taken = V::sub(next, high);
      low = V::add(low, V::multiply_sub(a, b, taken));
      high = next;
    }

    // The quotient is at most 16 * 1.4^2 q < 2^51; its three roundings come to 3 * 2^-53 of that:
    // |result| <= 1.25 q.
    R reduced(const Prime& p) const {
      const R h = V::sub(high, V::set1(kOffset));
      const R quotient = V::nearest_product(V::add(h, low), p.inverse);
      return V::add(V::negative_multiply_add(quotient, p.q, h), low);
    }
  };

  // A cache line of every operand at a time: with many terms at the same offset of their pages, a
  // line would not survive until its second vector is read.
  static constexpr std::size_t kLineWords = 8;
  static constexpr std::size_t kVectors = kLineWords / kWidth;

  // Limbs stand at multiples of 4 KiB from each other: the lines of more than a few operands fight
  // for the same places of the first-level cache. Many terms therefore go in passes of a few.
  static constexpr std::size_t kOnePassTerms = 8, kPassTerms = 4;
  static_assert(kOnePassTerms <= LazySum::kMaxTerms);

  // pair(k, j, i) and factor(j, i): the vectors of operands j at word i; pair's for sum k.
  template <typename P, typename F>
  static void sum_products(Word* dst0, Word* dst1, const P& pair, const F& factor,
                           std::size_t terms, std::size_t pass, bool accumulate, std::size_t n,
                           const LimbTables& t) {
    const Prime p(t);
    for (std::size_t begin = 0; begin < terms || begin == 0; begin += pass) {
      const std::size_t end = std::min(terms, begin + pass);
      const bool add_previous = accumulate || begin != 0;
      for (std::size_t i = 0; i < n; i += kLineWords) {
        LazySum sum0[kVectors], sum1[kVectors];
        if (add_previous) {
          for (std::size_t v = 0; v < kVectors; ++v) {
            sum0[v] = LazySum(V::load(dst0 + i + v * kWidth));
            sum1[v] = LazySum(V::load(dst1 + i + v * kWidth));
          }
        }
        for (std::size_t j = begin; j < end; ++j) {
          for (std::size_t v = 0; v < kVectors; ++v) {
            const R b = factor(j, i + v * kWidth);
            sum0[v].add_product(pair(0, j, i + v * kWidth), b);
            sum1[v].add_product(pair(1, j, i + v * kWidth), b);
          }
        }
        for (std::size_t v = 0; v < kVectors; ++v) {
          V::store(dst0 + i + v * kWidth, sum0[v].reduced(p));
          V::store(dst1 + i + v * kWidth, sum1[v].reduced(p));
        }
      }
    }
  }

  static auto loaded(const Word* const* a0, const Word* const* a1) {
    return [a0, a1](std::size_t k, std::size_t j, std::size_t i) {
      return V::load((k == 0 ? a0 : a1)[j] + i);
    };
  }

  static void packed_pair_products(Word* dst0, Word* dst1, const std::uint8_t* a,
                                   std::size_t stride, const Word* const* b, std::size_t terms,
                                   bool accumulate, std::size_t n, const LimbTables& t) {
    sum_products(
        dst0, dst1,
        [a, stride](std::size_t k, std::size_t j, std::size_t i) {
          const std::uint8_t* const at = a + (2 * j + k) * kRunBytes + packed_offset(i, stride);
          prefetch(at, kKeyBytesAhead);
          return V::from_packed48(at);
        },
        [b](std::size_t j, std::size_t i) { return V::load(b[j] + i); }, terms,
        terms <= kOnePassTerms ? kOnePassTerms : kPassTerms, accumulate, n, t);
  }

  static void scalar_products(Word* const* dst0, Word* const* dst1, std::size_t rows,
                              const Word* const* a0, const Word* const* a1, std::size_t terms,
                              const Constant* b, std::size_t n, const LimbTables& t) {
    for (std::size_t r = 0; r < rows; ++r) {
      const Constant* row = b + r * terms;
      sum_products(
          dst0[r], dst1[r], loaded(a0, a1),
          [row](std::size_t j, std::size_t) { return V::set1(to_double(row[j].value)); }, terms,
          LazySum::kMaxTerms, false, n, t);
    }
  }

  static void packed_products(Word* const* dst0, Word* const* dst1, std::size_t rows,
                              const Word* const* a0, const Word* const* a1, std::size_t terms,
                              const std::uint8_t* const* b, std::size_t stride, std::size_t n,
                              const LimbTables& t) {
    const Prime p(t);
    static_assert(kLineWords == kPackedRun);
    for (std::size_t i = 0; i < n; i += kPackedRun) {
      for (std::size_t r = 0; r < rows; ++r) {
        sum_packed_row(dst0[r] + i, dst1[r] + i, a0, a1, b + r * terms, terms, stride, i, p);
      }
    }
  }

  // A run from word i of all terms of a row: what stands side by side in packed operands. Their
  // next runs are fetched meanwhile.
  static void sum_packed_row(Word* dst0, Word* dst1, const Word* const* a0, const Word* const* a1,
                             const std::uint8_t* const* b, std::size_t terms, std::size_t stride,
                             std::size_t i, const Prime& p) {
    LazySum sum0[kVectors], sum1[kVectors];
    for (std::size_t j = 0; j < terms; ++j) {
      if (j != 0 && j % LazySum::kMaxTerms == 0) {
        for (std::size_t v = 0; v < kVectors; ++v) {
          sum0[v] = LazySum(sum0[v].reduced(p));
          sum1[v] = LazySum(sum1[v].reduced(p));
        }
      }
      const std::uint8_t* const run = b[j] + packed_offset(i, stride);
      prefetch(run, weight_bytes_ahead(stride));
      for (std::size_t v = 0; v < kVectors; ++v) {
        const R y = V::from_packed48(run + v * kWidth * kPackedBytes);
        sum0[v].add_product(V::load(a0[j] + i + v * kWidth), y);
        sum1[v].add_product(V::load(a1[j] + i + v * kWidth), y);
      }
    }
    for (std::size_t v = 0; v < kVectors; ++v) {
      V::store(dst0 + v * kWidth, sum0[v].reduced(p));
      V::store(dst1 + v * kWidth, sum1[v].reduced(p));
    }
  }

  static std::size_t packed_offset(std::size_t i, std::size_t stride) {
    return i / kPackedRun * stride + i % kPackedRun * kPackedBytes;
  }

  static void pack48(std::uint8_t* dst, std::size_t stride, const Word* src, std::size_t n,
                     const LimbTables& t) {
    const Prime p(t);
    for (std::size_t i = 0; i < n; i += kWidth) {
      std::uint64_t residues[kWidth];
      V::to_u52(residues, canonical(V::load(src + i), p));
      std::uint8_t* at = dst + packed_offset(i, stride);
      for (std::size_t lane = 0; lane < kWidth; ++lane) {
        std::memcpy(at + kPackedBytes * lane, &residues[lane], kPackedBytes);  // lowest bytes first
      }
    }
  }

  static void tensor(Word* dst0, Word* dst1, Word* dst2, const Word* a0, const Word* a1,
                     const Word* b0, const Word* b1, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    for (std::size_t i = 0; i < n; i += kWidth) {
      const R x0 = V::load(a0 + i), x1 = V::load(a1 + i);
      const R y0 = V::load(b0 + i), y1 = V::load(b1 + i);
      R ends[2] = {x0, x1};
      mul_each(ends, {y0, y1}, p);
      LazySum middle;
      middle.add_product(x0, y1);
      middle.add_product(x1, y0);
      V::store(dst0 + i, ends[0]);
      V::store(dst1 + i, middle.reduced(p));
      V::store(dst2 + i, ends[1]);
    }
  }

  // Rotations of the slots map aligned blocks of 2^k words to aligned blocks: the source of a whole
  // vector is one vector, permuted.
  static void permute(Word* dst, const Word* src, const std::uint32_t* source, std::size_t n) {
    map(dst, n, [&](std::size_t i) {
      return V::permute(V::load(src + (source[i] & (n - kWidth))), source + i);
    });
  }

  static void sub_add_permute(Word* dst, const Word* a, const Word* b, const Word* c,
                              const std::uint32_t* source, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    map(dst, n, [&](std::size_t i) {
      const std::size_t from = source[i] & (n - kWidth);
      R sum = V::load(a + from);
      if (b != nullptr) {
        sum = V::sub(sum, V::load(b + from));
      }
      if (c != nullptr) {
        sum = V::add(sum, V::load(c + from));
      }
      return V::permute(reduce(sum, p), source + i);
    });
  }

  static void make_digit(Word* dst, const Word* src, const Constant& c, std::size_t n,
                         const LimbTables& t) {
    const Prime p(t);
    const Factor f(c);
    map(dst, n, [&](std::size_t i) { return reduce(mul(V::load(src + i), f, p), p); });
  }

  // Base extension reads few operands: as many vectors of each at a time as registers hold sums.
  static constexpr std::size_t kSums = 4;

  static void digit_overflow(Word* dst, const Word* const* digits, const double* inverse,
                             std::size_t count, std::size_t n) {
    for (std::size_t i = 0; i < n; i += kSums * kWidth) {
      R sums[kSums];
      for (R& sum : sums) {
        sum = V::set1(0.0);
      }
      for (std::size_t j = 0; j < count; ++j) {
        const R factor = V::set1(inverse[j]);
        for (std::size_t v = 0; v < kSums; ++v) {
          sums[v] = V::add(sums[v], V::mul(V::load(digits[j] + i + v * kWidth), factor));
        }
      }
      for (std::size_t v = 0; v < kSums; ++v) {
        V::store(dst + i + v * kWidth, V::nearest(sums[v]));
      }
    }
  }

  // Digits and weights are below 2^45 in magnitude, so that 63 products fit a LazySum; the overflow
  // is at most half the number of digits, and its product below 2^51, exact.
  static void extend(Word* dst, const Word* const* digits, const Constant* weights,
                     std::size_t count, const Word* overflow, const Constant& product,
                     std::size_t n, const LimbTables& t) {
    const Prime p(t);
    if (count == 1 && overflow == nullptr) {
      const Factor f(weights[0]);
      map(dst, n, [&](std::size_t i) { return mul(V::load(digits[0] + i), f, p); });
      return;
    }
    const R subtract = V::set1(to_double(product.value));
    for (std::size_t i = 0; i < n; i += kSums * kWidth) {
      LazySum sums[kSums];
      for (std::size_t j = 0; j < count; ++j) {
        const R weight = V::set1(to_double(weights[j].value));
        for (std::size_t v = 0; v < kSums; ++v) {
          sums[v].add_product(V::load(digits[j] + i + v * kWidth), weight);
        }
      }
      for (std::size_t v = 0; v < kSums; ++v) {
        if (overflow != nullptr) {
          const R times = V::load(overflow + i + v * kWidth);
          sums[v].low = V::negative_multiply_add(times, subtract, sums[v].low);
        }
        V::store(dst + i + v * kWidth, sums[v].reduced(p));
      }
    }
  }

  // |x| < 128 < q: a residue of every prime as it is.
  static void import_small(Word* dst, const std::int8_t* src, std::size_t n, const LimbTables&) {
    map(dst, n, [&](std::size_t i) { return V::from_int8(src + i); });
  }

  static void add_product(Word* dst, const Word* a, const Word* b, std::size_t n,
                          const LimbTables& t) {
    const Prime p(t);
    map(dst, n, [&](std::size_t i) {
      return mul_add(V::load(a + i), V::load(b + i), V::load(dst + i), p);
    });
  }

  static void sub_product(Word* dst, const Word* a, const Word* b, std::size_t n,
                          const LimbTables& t) {
    const Prime p(t);
    map(dst, n, [&](std::size_t i) {
      return mul_add(V::negate(V::load(a + i)), V::load(b + i), V::load(dst + i), p);
    });
  }

  static void combine_digits(double* dst, const Word* const* digits, const double* moduli,
                             std::size_t count, std::size_t n) {
    for (std::size_t i = 0; i < n; i += kWidth) {
      R value = V::load(digits[count - 1] + i);
      for (std::size_t j = count - 1; j-- > 0;) {
        value = V::multiply_add(value, V::set1(moduli[j]), V::load(digits[j] + i));
      }
      V::store(dst + i, value);
    }
  }
};
