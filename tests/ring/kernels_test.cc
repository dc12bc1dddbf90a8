// Every tier against the scalar specification, bit for bit after export.
#include "ffconv/ring/kernels/kernels.h"

#include <cstdlib>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "ffconv/base/error.h"
#include "ffconv/ring/modulus.h"
#include "ffconv/ring/primes.h"
#include "ring/limb_tier.h"
#include "ring/tier_param.h"

namespace ffconv {
namespace {

enum class Pattern { kZero, kMax, kHalf, kRandom };

std::vector<std::uint64_t> residues(Pattern pattern, std::size_t n, std::uint64_t q,
                                    std::mt19937_64& random) {
  std::vector<std::uint64_t> x(n);
  for (std::size_t i = 0; i < n; ++i) {
    switch (pattern) {
      case Pattern::kZero:
        x[i] = 0;
        break;
      case Pattern::kMax:
        x[i] = q - 1;
        break;
      case Pattern::kHalf:  // the two centred extremes
        x[i] = (q - 1) / 2 + (i & 1);
        break;
      case Pattern::kRandom:
        x[i] = random() % q;
        break;
    }
  }
  return x;
}

// Which of the representatives that a tier's form allows a limb holds.
enum class Form { kImported, kExtreme };

struct Tier : LimbTier {
  Form form;

  Tier(const Kernels& k, std::uint64_t q, int log_n, Form f = Form::kImported)
      : LimbTier(k, q, log_n), form(f) {}

  AlignedBuffer<Word> import(const std::vector<std::uint64_t>& x) const {
    return form == Form::kExtreme ? import_extreme(x) : LimbTier::import(x);
  }
};

class KernelConformance : public TierTest {
 protected:
  static constexpr std::uint64_t kSeed = 20260704;

  // Runs body(tier, scalar tier, random) for small and large primes, for sizes around the vector,
  // and for both forms of limbs.
  template <typename Body>
  void for_each_ring(const Body& body, int max_log_n = 13) {
    const Kernels& kernels = *GetParam();
    for (const int log_n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13}) {
      if (log_n < kernels.min_log_n || log_n > max_log_n) {
        continue;
      }
      for (const double bits : {20.0, 30.5, 46.0}) {
        run_ring(body, log_n, bits);
      }
    }
  }

  template <typename Body>
  void run_ring(const Body& body, int log_n, double bits) {
    std::mt19937_64 random(kSeed);
    const Kernels& kernels = *GetParam();
    const std::uint64_t q = find_prime(log_n, bits, {});
    for (const Form form : {Form::kImported, Form::kExtreme}) {
      SCOPED_TRACE(std::string(kernels.name) + " log_n " + std::to_string(log_n) + " q " +
                   std::to_string(q) + (form == Form::kExtreme ? " extreme" : "") + " seed " +
                   std::to_string(kSeed));
      body(Tier(kernels, q, log_n, form), Tier(kScalarKernels, q, log_n), random);
    }
  }
};

constexpr Pattern kPatterns[] = {Pattern::kZero, Pattern::kMax, Pattern::kHalf, Pattern::kRandom};

TEST_P(KernelConformance, ImportAndExportAreInverse) {
  for_each_ring([](const Tier& tier, const Tier&, std::mt19937_64& random) {
    for (const Pattern pattern : kPatterns) {
      const auto x = residues(pattern, tier.n, tier.tables.q, random);
      EXPECT_EQ(tier.exported(tier.import(x)), x);
    }
  });
}

TEST_P(KernelConformance, SignedIntegersReduceAsInTheSpecification) {
  for_each_ring([](const Tier& tier, const Tier& scalar, std::mt19937_64& random) {
    AlignedBuffer<std::int64_t> x(tier.n);
    const std::int64_t limit = (std::int64_t{1} << 62) - 1;
    for (std::size_t i = 0; i < tier.n; ++i) {
      x[i] = i % 4 == 0   ? limit
             : i % 4 == 1 ? -limit
                          : static_cast<std::int64_t>(random()) >> (2 + random() % 60);
    }
    AlignedBuffer<Word> ours(tier.n), expected(tier.n);
    tier.kernels.import_signed(ours.data(), x.data(), tier.n, tier.tables);
    scalar.kernels.import_signed(expected.data(), x.data(), tier.n, scalar.tables);
    EXPECT_EQ(tier.exported(ours), scalar.exported(expected));
  });
}

void check_transforms(const Tier& tier, const Tier& scalar, std::mt19937_64& random) {
  for (const Pattern pattern : kPatterns) {
    const auto x = residues(pattern, tier.n, tier.tables.q, random);
    auto ours = tier.import(x);
    auto expected = scalar.import(x);
    tier.kernels.ntt_forward(ours.data(), tier.tables);
    scalar.kernels.ntt_forward(expected.data(), scalar.tables);
    EXPECT_EQ(tier.exported(ours), scalar.exported(expected));
    tier.kernels.ntt_inverse(ours.data(), tier.tables);
    EXPECT_EQ(tier.exported(ours), x);
    // The inverse on inputs that are extreme themselves.
    auto values = tier.import(x);
    auto scalar_values = scalar.import(x);
    tier.kernels.ntt_inverse(values.data(), tier.tables);
    scalar.kernels.ntt_inverse(scalar_values.data(), scalar.tables);
    EXPECT_EQ(tier.exported(values), scalar.exported(scalar_values));
  }
}

TEST_P(KernelConformance, TransformsAgreeAndInvertEachOther) {
  for_each_ring(check_transforms);
}

TEST_P(KernelConformance, TransformsStayWithinTheirBoundsAtTheLargestRingAndPrime) {
  run_ring(check_transforms, 17, 46.0);
}

TEST_P(KernelConformance, PointwiseOperationsAgree) {
  for_each_ring([](const Tier& tier, const Tier& scalar, std::mt19937_64& random) {
    for (const Pattern pattern : kPatterns) {
      const auto a = residues(pattern, tier.n, tier.tables.q, random);
      const auto b = residues(pattern, tier.n, tier.tables.q, random);
      const std::uint64_t constant = pattern == Pattern::kMax    ? tier.tables.q - 1
                                     : pattern == Pattern::kHalf ? (tier.tables.q - 1) / 2
                                                                 : random() % tier.tables.q;
      const auto run = [&](const Tier& t) {
        const Kernels& k = t.kernels;
        const Constant c = k.make_constant(constant, t.tables.q);
        const auto x = t.import(a), y = t.import(b);
        std::vector<std::vector<std::uint64_t>> results;
        AlignedBuffer<Word> dst(t.n);
        const auto keep = [&] { results.push_back(t.exported(dst)); };
        k.add(dst.data(), x.data(), y.data(), t.n, t.tables), keep();
        k.sub(dst.data(), x.data(), y.data(), t.n, t.tables), keep();
        k.mul(dst.data(), x.data(), y.data(), t.n, t.tables), keep();
        k.mul_constant(dst.data(), x.data(), c, t.n, t.tables), keep();
        k.mul_constant_sub(dst.data(), x.data(), c, y.data(), t.n, t.tables), keep();
        AlignedBuffer<Word> dst1(t.n), dst2(t.n);
        k.tensor(dst.data(), dst1.data(), dst2.data(), x.data(), y.data(), y.data(), x.data(), t.n,
                 t.tables),
            keep();
        results.push_back(t.exported(dst1));
        results.push_back(t.exported(dst2));
        return results;
      };
      EXPECT_EQ(run(tier), run(scalar));
    }
  });
}

// dst0 of every row, then dst1, of products(dst0, dst1, a0, a1) with the residues a, those of a0,
// then of a1.
template <typename Products>
std::vector<std::vector<std::uint64_t>> row_sums(const Tier& t,
                                                 const std::vector<std::vector<std::uint64_t>>& a,
                                                 std::size_t rows, const Products& products) {
  std::vector<AlignedBuffer<Word>> limbs, sums;
  std::vector<const Word*> operands;
  std::vector<Word*> dst;
  for (const auto& residues : a) {
    operands.push_back(limbs.emplace_back(t.import(residues)).data());
  }
  for (std::size_t r = 0; r < 2 * rows; ++r) {
    dst.push_back(sums.emplace_back(t.n).data());
  }
  products(dst.data(), dst.data() + rows, operands.data(), operands.data() + a.size() / 2);
  std::vector<std::vector<std::uint64_t>> results;
  for (const auto& sum : sums) {
    results.push_back(t.exported(sum));
  }
  return results;
}

// With the residues b, row by row, whose runs stand in turns, as linear_transform.h keeps them.
std::vector<std::vector<std::uint64_t>> packed_products(
    const Tier& t, const std::vector<std::vector<std::uint64_t>>& a,
    const std::vector<std::vector<std::uint64_t>>& b, std::size_t rows, std::size_t terms) {
  const std::size_t stride = b.size() * kRunBytes;
  std::vector<std::uint8_t> packed(b.size() * std::max(t.n, kPackedRun) * kPackedBytes);
  std::vector<const std::uint8_t*> factors;
  for (std::size_t j = 0; j < b.size(); ++j) {
    factors.push_back(packed.data() + j * kRunBytes);
    t.kernels.pack48(packed.data() + j * kRunBytes, stride, t.import(b[j]).data(), t.n, t.tables);
  }
  return row_sums(t, a, rows, [&](Word** dst0, Word** dst1, const Word** a0, const Word** a1) {
    t.kernels.packed_products(dst0, dst1, rows, a0, a1, terms, factors.data(), stride, t.n,
                              t.tables);
  });
}

// With the first residue of each of b.
std::vector<std::vector<std::uint64_t>> scalar_products(
    const Tier& t, const std::vector<std::vector<std::uint64_t>>& a,
    const std::vector<std::vector<std::uint64_t>>& b, std::size_t rows, std::size_t terms) {
  std::vector<Constant> factors;
  for (const auto& residues : b) {
    factors.push_back(t.kernels.make_constant(residues.front(), t.tables.q));
  }
  return row_sums(t, a, rows, [&](Word** dst0, Word** dst1, const Word** a0, const Word** a1) {
    t.kernels.scalar_products(dst0, dst1, rows, a0, a1, terms, factors.data(), t.n, t.tables);
  });
}

// The two inner products of the same a with row r of b, product by product.
std::array<std::vector<std::uint64_t>, 2> inner_products(
    const Tier& t, const std::vector<std::vector<std::uint64_t>>& a,
    const std::vector<std::vector<std::uint64_t>>& b, std::size_t r, std::size_t terms) {
  AlignedBuffer<Word> product(t.n);
  std::array<AlignedBuffer<Word>, 2> sums;
  for (std::size_t k = 0; k < 2; ++k) {
    sums[k] = t.import(std::vector<std::uint64_t>(t.n));
    for (std::size_t j = 0; j < terms; ++j) {
      t.kernels.mul(product.data(), t.import(a[k * terms + j]).data(),
                    t.import(b[r * terms + j]).data(), t.n, t.tables);
      t.kernels.add(sums[k].data(), sums[k].data(), product.data(), t.n, t.tables);
    }
  }
  return {t.exported(sums[0]), t.exported(sums[1])};
}

TEST_P(KernelConformance, PackedPairProductsAgreeForEveryNumberOfTerms) {
  for_each_ring(
      [](const Tier& tier, const Tier& scalar, std::mt19937_64& random) {
        for (const Pattern pattern : kPatterns) {
          for (const std::size_t terms : {0u, 1u, 2u, 8u, 9u, 31u, 32u, 33u, 70u}) {
            std::vector<std::vector<std::uint64_t>> inputs;
            for (std::size_t j = 0; j < 3 * terms + 2; ++j) {
              inputs.push_back(residues(pattern, tier.n, tier.tables.q, random));
            }
            const auto run = [&](const Tier& t) {
              const std::size_t stride = 2 * terms * kRunBytes;
              std::vector<std::uint8_t> pairs(std::max(t.n, kPackedRun) / kPackedRun * stride);
              std::vector<AlignedBuffer<Word>> limbs;
              std::vector<const Word*> factors;
              for (std::size_t j = 0; j < inputs.size(); ++j) {
                limbs.push_back(t.import(inputs[j]));
                if (j < 2 * terms) {
                  t.kernels.pack48(pairs.data() + j * kRunBytes, stride, limbs.back().data(), t.n,
                                   t.tables);
                } else {
                  factors.push_back(limbs.back().data());
                }
              }
              std::vector<std::vector<std::uint64_t>> results;
              for (const bool accumulate : {false, true}) {
                auto dst0 = limbs[3 * terms], dst1 = limbs[3 * terms + 1];
                t.kernels.packed_pair_products(dst0.data(), dst1.data(), pairs.data(), stride,
                                               factors.data(), terms, accumulate, t.n, t.tables);
                results.push_back(t.exported(dst0));
                results.push_back(t.exported(dst1));
              }
              return results;
            };
            EXPECT_EQ(run(tier), run(scalar)) << terms << " terms";
          }
        }
      },
      8);
}

TEST_P(KernelConformance, PackedProductsAreInnerProductsOfEveryRow) {
  for_each_ring(
      [](const Tier& tier, const Tier& scalar, std::mt19937_64& random) {
        for (const Pattern pattern : kPatterns) {
          for (const std::size_t terms : {0u, 1u, 2u, 15u, 16u, 17u, 40u}) {
            for (const std::size_t rows : {1u, 3u, 4u, 5u, 9u}) {
              const auto some = [&](std::size_t count) {
                std::vector<std::vector<std::uint64_t>> all;
                for (std::size_t j = 0; j < count; ++j) {
                  all.push_back(residues(pattern, tier.n, tier.tables.q, random));
                }
                return all;
              };
              const auto a = some(2 * terms), b = some(rows * terms);
              const auto run = [&](const Tier& t) { return packed_products(t, a, b, rows, terms); };
              EXPECT_EQ(run(tier), run(scalar)) << rows << " rows of " << terms << " terms";
              const auto sums = run(tier);
              for (std::size_t r = 0; r < rows; ++r) {
                const auto row = inner_products(tier, a, b, r, terms);
                EXPECT_EQ(sums[r], row[0]) << "row " << r;
                EXPECT_EQ(sums[rows + r], row[1]) << "row " << r;
              }
              auto scalars = b;
              for (auto& residues : scalars) {
                std::ranges::fill(residues, residues.back());
              }
              EXPECT_EQ(scalar_products(tier, a, scalars, rows, terms),
                        packed_products(scalar, a, scalars, rows, terms))
                  << rows << " rows of " << terms << " scalars";
            }
          }
        }
      },
      8);
}

TEST_P(KernelConformance, PermutationsOfBlocksAgree) {
  for_each_ring([](const Tier& tier, const Tier& scalar, std::mt19937_64& random) {
    const auto x = residues(Pattern::kRandom, tier.n, tier.tables.q, random);
    // Aligned blocks of the widest vector go to aligned blocks, reordered within.
    WordPermutation permutation{AlignedBuffer<std::uint32_t>(tier.n)};
    const std::size_t width = std::min<std::size_t>(8, tier.n), blocks = tier.n / width;
    for (std::size_t block = 0; block < blocks; ++block) {
      for (std::size_t i = 0; i < width; ++i) {
        permutation.source[block * width + i] =
            static_cast<std::uint32_t>((blocks - 1 - block) * width + (i ^ block % width));
      }
    }
    const std::size_t run_words = std::max(tier.n / 4, width);
    const auto run = [&](const Tier& t) {
      AlignedBuffer<Word> dst(t.n);
      // Run by run: each maps to an aligned run.
      const auto src = t.import(x);
      for (std::size_t begin = 0; begin < t.n; begin += run_words) {
        const std::uint32_t* source = permutation.source.data() + begin;
        t.kernels.permute(dst.data() + begin, src.data() + (*source & ~(run_words - 1)), source,
                          run_words);
      }
      return t.exported(dst);
    };
    EXPECT_EQ(run(tier), run(scalar));
    const auto y = residues(Pattern::kMax, tier.n, tier.tables.q, random);
    const auto z = residues(Pattern::kRandom, tier.n, tier.tables.q, random);
    for (const int operands : {0, 1, 2, 3}) {
      const auto combine = [&](const Tier& t) {
        AlignedBuffer<Word> dst(t.n);
        const auto second = t.import(y), third = t.import(z);
        t.kernels.sub_add_permute(
            dst.data(), t.import(x).data(), (operands & 1) != 0 ? second.data() : nullptr,
            (operands & 2) != 0 ? third.data() : nullptr, permutation.source.data(), t.n, t.tables);
        return t.exported(dst);
      };
      EXPECT_EQ(combine(tier), combine(scalar));
    }
  });
}

constexpr std::size_t kManySources = 60;

TEST_P(KernelConformance, BaseExtensionsAgree) {
  for_each_ring([](const Tier& tier, const Tier& scalar, std::mt19937_64& random) {
    const int log_n = tier.tables.log_n;
    std::vector<std::uint64_t> source = {find_prime(log_n, 46.0, {})};
    source.push_back(find_prime(log_n, 45.0, source));
    source.push_back(find_prime(log_n, 24.0, source));
    for (const Pattern pattern : kPatterns) {
      std::vector<std::vector<std::uint64_t>> inputs;
      for (const std::uint64_t q : source) {
        inputs.push_back(residues(pattern, tier.n, q, random));
      }
      // Halves stay what they are: the extreme digits.
      const std::uint64_t scale = pattern == Pattern::kHalf ? 1 : random();
      const auto run = [&](const Tier& t) {
        const Kernels& k = t.kernels;
        std::vector<AlignedBuffer<Word>> digits;
        std::vector<const Word*> pointers;
        std::vector<double> inverse;
        std::vector<Constant> weights;
        for (std::size_t j = 0; j < source.size(); ++j) {
          const Tier from(k, source[j], log_n, t.form);
          digits.emplace_back(t.n);
          k.make_digit(digits.back().data(), from.import(inputs[j]).data(),
                       k.make_constant(scale % source[j], source[j]), t.n, from.tables);
          pointers.push_back(digits.back().data());
          inverse.push_back(1.0 / static_cast<double>(source[j]));
          weights.push_back(k.make_constant((scale + j) % t.tables.q, t.tables.q));
        }
        AlignedBuffer<Word> overflow(t.n), dst(t.n);
        const Constant product = k.make_constant((scale >> 3) % t.tables.q, t.tables.q);
        k.digit_overflow(overflow.data(), pointers.data(), inverse.data(), source.size(), t.n);
        std::vector<std::vector<std::uint64_t>> results;
        for (const Word* subtract :
             {static_cast<const Word*>(nullptr), static_cast<const Word*>(overflow.data())}) {
          for (std::size_t count = 1; count <= source.size(); ++count) {
            k.extend(dst.data(), pointers.data(), weights.data(), count, subtract, product, t.n,
                     t.tables);
            results.push_back(t.exported(dst));
          }
        }
        const std::vector<const Word*> many(kManySources, pointers[0]);
        const std::vector<Constant> large(kManySources,
                                          k.make_constant(t.tables.q - 1, t.tables.q));
        k.extend(dst.data(), many.data(), large.data(), kManySources, overflow.data(), large[0],
                 t.n, t.tables);
        results.push_back(t.exported(dst));
        return results;
      };
      EXPECT_EQ(run(tier), run(scalar));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Tiers, KernelConformance, testing::ValuesIn(all_tiers()), tier_name);

TEST(ScalarKernels, TransformEvaluatesAtTheRootsOneModuloFour) {
  for (const int log_n : {1, 2, 3}) {
    const std::size_t n = std::size_t{1} << log_n;
    const std::uint64_t q = find_prime(log_n, 20, {});
    const Tier tier(kScalarKernels, q, log_n);
    std::vector<std::uint64_t> a(n);
    for (std::size_t i = 0; i < n; ++i) {
      a[i] = 3 * i + 1;
    }
    auto limb = tier.import(a);
    kScalarKernels.ntt_forward(limb.data(), tier.tables);
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t w = pow_mod(tier.tables.root, 1 + 4 * reverse_bits(i, log_n), q);
      std::uint64_t value = a[0];
      for (std::size_t j = 1; j < n; ++j) {
        const std::uint64_t basis = add_mod(pow_mod(w, j, q), inverse_mod(pow_mod(w, j, q), q), q);
        value = add_mod(value, mul_mod(a[j], basis, q), q);
      }
      EXPECT_EQ(limb[i], value) << "N = " << n << ", word " << i;
    }
  }
}

TEST(Dispatch, ScalarIsAlwaysThereAndLast) {
  ASSERT_FALSE(available_kernels().empty());
  EXPECT_EQ(available_kernels().back()->name, "scalar");
}

TEST(Dispatch, UnknownTierIsRefusedWithTheListOfTiers) {
  try {
    kernels_by_name("avx9");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("scalar"), std::string::npos);
  }
}

TEST(Dispatch, ForcedTierIsTheOneInUse) {
  const char* forced = std::getenv("FFCONV_SIMD");
  const std::string_view expected =
      forced != nullptr && *forced != '\0' ? forced : available_kernels().front()->name;
  EXPECT_EQ(active_kernels().name, expected);
}

}  // namespace
}  // namespace ffconv
