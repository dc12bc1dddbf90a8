// The kernels of the 52-bit integer tier on words of one limb after the other; included after
// ifma_arithmetic-inl.h, under the same rules.

template <class V>
struct IfmaBody : IfmaArithmetic<V> {
  using Base = IfmaArithmetic<V>;
  using R = typename V::Reg;
  using Base::add_product;
  using Base::canonical;
  using Base::kWidth;
  using Base::low52;
  using Base::mul;
  using Base::reduce;
  using Base::subtract_once;
  using typename Base::Factor;
  using typename Base::LazySum;
  using typename Base::Prime;
  using typename Base::ProductReduction;
  template <int kExtra>
  using SumReduction = typename Base::template SumReduction<kExtra>;

  template <typename F>
  static void map(Word* dst, std::size_t n, const F& f) {
    for (std::size_t i = 0; i < n; i += kWidth) {
      V::store(dst + i, f(i));
    }
  }

  static void import_limb(Word* dst, const std::uint64_t* src, std::size_t n, const LimbTables&) {
    map(dst, n, [&](std::size_t i) { return V::load_unaligned(src + i); });
  }

  static void export_limb(std::uint64_t* dst, const Word* src, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    for (std::size_t i = 0; i < n; i += kWidth) {
      V::store_unaligned(dst + i, canonical(V::load(src + i), p));
    }
  }

  // The least multiple of q from `bound` on.
  static R multiple_of_q(std::uint64_t bound, const LimbTables& t) {
    return V::set1((bound + t.q - 1) / t.q * t.q);
  }

  // The least prime = 1 mod 4 * 128 is 7681, hence 2^64 <= 2^(k+51).
  static void import_signed(Word* dst, const std::int64_t* src, std::size_t n,
                            const LimbTables& t) {
    const SumReduction<0> reduced(t);
    const R offset = multiple_of_q(std::uint64_t{1} << 62, t);
    map(dst, n, [&](std::size_t i) {
      const R x = V::load_unaligned(reinterpret_cast<const Word*>(src) + i);
      return reduced(LazySum(V::add(x, offset)));
    });
  }

  static void add(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    map(dst, n, [&](std::size_t i) {
      return subtract_once(V::add(V::load(a + i), V::load(b + i)), p.bound);
    });
  }

  // A negative difference wraps: then the sum with 4q is the smaller.
  static void sub(Word* dst, const Word* a, const Word* b, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    map(dst, n, [&](std::size_t i) {
      const R difference = V::sub(V::load(a + i), V::load(b + i));
      return V::min(difference, V::add(difference, p.bound));
    });
  }

  static void mul_limbs(Word* dst, const Word* a, const Word* b, std::size_t n,
                        const LimbTables& t) {
    const ProductReduction reduced(t);
    map(dst, n, [&](std::size_t i) { return reduced.mul(V::load(a + i), V::load(b + i)); });
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
    map(dst, n, [&](std::size_t i) {
      const R negative = V::sub(p.bound, V::load(b + i));
      return subtract_once(low52(add_product(negative, V::load(a + i), f, p), p), p.bound);
    });
  }

  // Hardware prefetchers follow about a dozen streams: so many digits are read in one pass. Sums
  // are reduced after kGroup terms; as many rows at once as registers hold share what they read of
  // a0 and a1.
  static constexpr std::size_t kOnePass = 8, kGroup = 16, kRows = 4;

  // f(the reduction of sums of up to kGroup terms). `terms` products of words below
  // 4q < 2^(k+2) and one more word are below terms * 2^(2k+4).
  template <typename F>
  static void with_reduction(std::size_t terms, const LimbTables& t, const F& f) {
    const std::size_t fit = std::size_t{1} << (47 - std::bit_width(t.q));
    if (terms <= fit) {
      f(SumReduction<0>(t));
    } else if (terms <= 2 * fit) {
      f(SumReduction<1>(t));
    } else if (terms <= 4 * fit) {
      f(SumReduction<2>(t));
    } else {
      static_assert(kGroup <= 8 * 2);  // 2 fit for the largest primes, of 46 bits
      f(SumReduction<3>(t));
    }
  }

  // sum(begin, end, reduction) for passes of `group` terms.
  template <typename Sum>
  static void in_groups(std::size_t terms, std::size_t group, const LimbTables& t, const Sum& sum) {
    with_reduction(group, t, [&](const auto& reduced) {
      std::size_t begin = 0;
      do {
        const std::size_t end = std::min(terms, begin + group);
        sum(begin, end, reduced);
        begin = end;
      } while (begin < terms);
    });
  }

  static void packed_pair_products(Word* dst0, Word* dst1, const std::uint8_t* a,
                                   std::size_t stride, const Word* const* b, std::size_t terms,
                                   bool accumulate, std::size_t n, const LimbTables& t) {
    in_groups(terms, std::min(terms, kOnePass), t,
              [=](std::size_t begin, std::size_t end, const auto& reduced) {
                for (std::size_t i = 0; i < n; i += kWidth) {
                  const std::uint8_t* const run = a + packed_offset(i, stride);
                  LazySum sum0, sum1;
                  if (accumulate || begin != 0) {
                    sum0.low = V::load(dst0 + i);
                    sum1.low = V::load(dst1 + i);
                  }
                  for (std::size_t j = begin; j < end; ++j) {
                    prefetch(run + 2 * j * kRunBytes, kKeyBytesAhead);
                    prefetch(run + (2 * j + 1) * kRunBytes, kKeyBytesAhead);
                    const R x = V::load(b[j] + i);
                    sum0.add_product(V::from_packed48(run + 2 * j * kRunBytes), x);
                    sum1.add_product(V::from_packed48(run + (2 * j + 1) * kRunBytes), x);
                  }
                  V::store(dst0 + i, reduced(sum0));
                  V::store(dst1 + i, reduced(sum1));
                }
              });
  }

  static void packed_products(Word* const* dst0, Word* const* dst1, std::size_t rows,
                              const Word* const* a0, const Word* const* a1, std::size_t terms,
                              const std::uint8_t* const* b, std::size_t stride, std::size_t n,
                              const LimbTables& t) {
    with_reduction(std::min(terms, kGroup), t, [&](const auto& reduced) {
      for (std::size_t i = 0; i < n; i += kWidth) {
        std::size_t first = 0;
        for (; first + kRows <= rows; first += kRows) {
          sum_packed_rows<kRows>(dst0 + first, dst1 + first, a0, a1, b + first * terms, terms,
                                 stride, i, reduced);
        }
        for (; first < rows; ++first) {
          sum_packed_rows<1>(dst0 + first, dst1 + first, a0, a1, b + first * terms, terms, stride,
                             i, reduced);
        }
      }
    });
  }

  // Vector i of all terms of rows 0 .. kCount - 1: what stands side by side in packed operands.
  // Their next runs are fetched meanwhile.
  template <std::size_t kCount, class Reduction>
  [[gnu::always_inline]] static void sum_packed_rows(Word* const* dst0, Word* const* dst1,
                                                     const Word* const* a0, const Word* const* a1,
                                                     const std::uint8_t* const* b,
                                                     std::size_t terms, std::size_t stride,
                                                     std::size_t i, const Reduction& reduced) {
    const std::size_t offset = packed_offset(i, stride), ahead = weight_bytes_ahead(stride);
    LazySum sum0[kCount], sum1[kCount];
    for (std::size_t j = 0; j < terms; ++j) {
      if (j != 0 && j % kGroup == 0) {
        for (std::size_t r = 0; r < kCount; ++r) {
          sum0[r] = LazySum(reduced(sum0[r]));
          sum1[r] = LazySum(reduced(sum1[r]));
        }
      }
      const R x0 = V::load(a0[j] + i), x1 = V::load(a1[j] + i);
      for (std::size_t r = 0; r < kCount; ++r) {
        const std::uint8_t* const run = b[r * terms + j] + offset;
        prefetch(run, ahead);
        const R y = V::from_packed48(run);
        sum0[r].add_product(x0, y);
        sum1[r].add_product(x1, y);
      }
    }
    for (std::size_t r = 0; r < kCount; ++r) {
      V::store(dst0[r] + i, reduced(sum0[r]));
      V::store(dst1[r] + i, reduced(sum1[r]));
    }
  }

  // Passes of some terms over whole limbs: words outside, as above, take a fifth longer where
  // hundreds of ciphertexts are summed (packing batch, Zen 5).
  static void scalar_products(Word* const* dst0, Word* const* dst1, std::size_t rows,
                              const Word* const* a0, const Word* const* a1, std::size_t terms,
                              const Constant* b, std::size_t n, const LimbTables& t) {
    in_groups(terms, std::min(terms, kGroup), t,
              [&](std::size_t begin, std::size_t end, const auto& reduced) {
                std::size_t first = 0;
                for (; first + kRows <= rows; first += kRows) {
                  sum_scalar_rows<kRows>(dst0 + first, dst1 + first, a0, a1, b + first * terms,
                                         terms, begin, end, n, reduced);
                }
                for (; first < rows; ++first) {
                  sum_scalar_rows<1>(dst0 + first, dst1 + first, a0, a1, b + first * terms, terms,
                                     begin, end, n, reduced);
                }
              });
  }

  // Terms begin to end - 1 of rows 0 .. kCount - 1.
  template <std::size_t kCount, class Reduction>
  [[gnu::always_inline]] static void sum_scalar_rows(Word* const* dst0, Word* const* dst1,
                                                     const Word* const* a0, const Word* const* a1,
                                                     const Constant* b, std::size_t terms,
                                                     std::size_t begin, std::size_t end,
                                                     std::size_t n, const Reduction& reduced) {
    for (std::size_t i = 0; i < n; i += kWidth) {
      LazySum sum0[kCount], sum1[kCount];
      if (begin != 0) {
        for (std::size_t r = 0; r < kCount; ++r) {
          sum0[r].low = V::load(dst0[r] + i);
          sum1[r].low = V::load(dst1[r] + i);
        }
      }
      for (std::size_t j = begin; j < end; ++j) {
        const R x0 = V::load(a0[j] + i), x1 = V::load(a1[j] + i);
        for (std::size_t r = 0; r < kCount; ++r) {
          const R y = V::set1(b[r * terms + j].value);
          sum0[r].add_product(x0, y);
          sum1[r].add_product(x1, y);
        }
      }
      for (std::size_t r = 0; r < kCount; ++r) {
        V::store(dst0[r] + i, reduced(sum0[r]));
        V::store(dst1[r] + i, reduced(sum1[r]));
      }
    }
  }

  static std::size_t packed_offset(std::size_t i, std::size_t stride) {
    static_assert(kWidth == kPackedRun);
    return i / kPackedRun * stride;
  }

  static void pack48(std::uint8_t* dst, std::size_t stride, const Word* src, std::size_t n,
                     const LimbTables& t) {
    const Prime p(t);
    for (std::size_t i = 0; i < n; i += kWidth) {
      V::to_packed48(dst + packed_offset(i, stride), canonical(V::load(src + i), p));
    }
  }

  static void tensor(Word* dst0, Word* dst1, Word* dst2, const Word* a0, const Word* a1,
                     const Word* b0, const Word* b1, std::size_t n, const LimbTables& t) {
    const ProductReduction reduced(t);
    for (std::size_t i = 0; i < n; i += kWidth) {
      const R x0 = V::load(a0 + i), x1 = V::load(a1 + i);
      const R y0 = V::load(b0 + i), y1 = V::load(b1 + i);
      const R low = V::add_low(V::add_low(V::zero(), x0, y1), x1, y0);
      const R top = reduced.add_top(reduced.add_top(V::zero(), x0, y1), x1, y0);
      V::store(dst0 + i, reduced.mul(x0, y0));
      V::store(dst1 + i, reduced(low, top));
      V::store(dst2 + i, reduced.mul(x1, y1));
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
        sum = V::sub(V::add(sum, p.bound), V::load(b + from));
      }
      if (c != nullptr) {
        sum = V::add(sum, V::load(c + from));
      }
      return V::permute(reduce(sum, p), source + i);
    });
  }

  // A digit is a signed integer in two's complement, as in the scalar tier. With h = (q - 1) / 2,
  // the product plus h is below 2q, and its canonical residue less h is centred.
  static void make_digit(Word* dst, const Word* src, const Constant& c, std::size_t n,
                         const LimbTables& t) {
    const Prime p(t);
    const Factor f(c);
    const R half = V::set1((t.q - 1) / 2);
    map(dst, n, [&](std::size_t i) {
      const R shifted = low52(add_product(half, V::load(src + i), f, p), p);
      return V::sub(subtract_once(shifted, p.q), half);
    });
  }

  static void digit_overflow(Word* dst, const Word* const* digits, const double* inverse,
                             std::size_t count, std::size_t n) {
    map(dst, n, [&](std::size_t i) {
      auto sum = V::zero_real();
      for (std::size_t j = 0; j < count; ++j) {
        sum = V::add_real(sum, V::scale(V::to_real(V::load(digits[j] + i)), inverse[j]));
      }
      return V::nearest(sum);
    });
  }

  // Digits and the overflow are made positive by a multiple of q: |digit| < 2^45, so factors stay
  // below 2^47, 16 terms below 2^(k+51) and 256 below 2^(k+55).
  static void extend(Word* dst, const Word* const* digits, const Constant* weights,
                     std::size_t count, const Word* overflow, const Constant& product,
                     std::size_t n, const LimbTables& t) {
    const Prime p(t);
    const R offset = multiple_of_q(std::uint64_t{1} << 45, t);
    if (count == 1 && overflow == nullptr) {
      const Factor f(weights[0]);
      map(dst, n, [&](std::size_t i) { return mul(V::add(V::load(digits[0] + i), offset), f, p); });
      return;
    }
    const auto sum_terms = [&](const auto& reduced) {
      map(dst, n, [&](std::size_t i) {
        LazySum sum(V::zero());
        for (std::size_t j = 0; j < count; ++j) {
          sum.add_product(V::add(V::load(digits[j] + i), offset), V::set1(weights[j].value));
        }
        if (overflow != nullptr) {
          sum.add_product(V::sub(offset, V::load(overflow + i)), V::set1(product.value));
        }
        return reduced(sum);
      });
    };
    if (count < 16) {
      sum_terms(SumReduction<0>(t));
    } else {
      sum_terms(SumReduction<4>(t));
    }
  }

  // |x| < 128 < q.
  static void import_small(Word* dst, const std::int8_t* src, std::size_t n, const LimbTables& t) {
    const Prime p(t);
    map(dst, n, [&](std::size_t i) { return V::add(V::from_int8(src + i), p.q); });
  }

  static void add_product_limbs(Word* dst, const Word* a, const Word* b, std::size_t n,
                                const LimbTables& t) {
    const ProductReduction reduced(t);
    map(dst, n, [&](std::size_t i) {
      return reduced.mul_add(V::load(dst + i), V::load(a + i), V::load(b + i));
    });
  }

  // 4q - a is at most 4q: the bounds of a product hold.
  static void sub_product_limbs(Word* dst, const Word* a, const Word* b, std::size_t n,
                                const LimbTables& t) {
    const ProductReduction reduced(t);
    map(dst, n, [&](std::size_t i) {
      const R negative = V::sub(reduced.p.bound, V::load(a + i));
      return reduced.mul_add(V::load(dst + i), negative, V::load(b + i));
    });
  }

  static void combine_digits(double* dst, const Word* const* digits, const double* moduli,
                             std::size_t count, std::size_t n) {
    for (std::size_t i = 0; i < n; i += kWidth) {
      auto value = V::to_real(V::load(digits[count - 1] + i));
      for (std::size_t j = count - 1; j-- > 0;) {
        value = V::multiply_add_real(value, moduli[j], V::to_real(V::load(digits[j] + i)));
      }
      V::store_real(dst + i, value);
    }
  }
};
