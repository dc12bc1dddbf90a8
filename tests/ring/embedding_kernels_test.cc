// The kernels of encoding, sampling and decryption: every tier against the scalar specification,
// bit for bit, and the specification against the mathematics.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ffconv/ring/kernels/embedding_tables.h"
#include "ffconv/ring/modulus.h"
#include "ffconv/ring/primes.h"
#include "ring/limb_tier.h"
#include "ring/tier_param.h"

namespace ffconv {
namespace {

constexpr std::uint64_t kSeed = 20260711;

template <typename T>
std::vector<T> to_vector(const AlignedBuffer<T>& x) {
  return {x.begin(), x.end()};
}

// Equal bits, not equal values: -0 is not 0.
std::vector<std::uint64_t> bits(const AlignedBuffer<double>& x) {
  std::vector<std::uint64_t> result;
  for (const double value : x) {
    result.push_back(std::bit_cast<std::uint64_t>(value));
  }
  return result;
}

AlignedBuffer<double> random_doubles(std::size_t n, std::mt19937_64& random, int max_exponent) {
  std::uniform_real_distribution<double> uniform(-1.0, 1.0);
  std::uniform_int_distribution<int> exponent(-max_exponent, max_exponent);
  AlignedBuffer<double> x(n);
  for (double& value : x) {
    value = std::ldexp(uniform(random), exponent(random));
  }
  return x;
}

class EmbeddingKernels : public TierTest {
 protected:
  // Runs body(tables) at the smallest rings of the tier, where parts of a pass are empty, and at
  // sizes on both sides of the cached block.
  template <typename Body>
  static void for_each_size(const Body& body) {
    for (int log_n = GetParam()->min_log_n; log_n <= 14; ++log_n) {
      SCOPED_TRACE("log_n " + std::to_string(log_n) + " seed " + std::to_string(kSeed));
      body(EmbeddingTables(log_n));
    }
  }
};

TEST_P(EmbeddingKernels, TransformsAreThoseOfTheSpecificationBitForBit) {
  std::mt19937_64 random(kSeed);
  for_each_size([&](const EmbeddingTables& tables) {
    const auto x = random_doubles(std::size_t{1} << tables.log_n, random, 20);
    auto ours = x, expected = x;
    GetParam()->fft_forward(ours.data(), tables);
    kScalarKernels.fft_forward(expected.data(), tables);
    EXPECT_EQ(bits(ours), bits(expected));
    ours = expected = x;
    GetParam()->fft_inverse(ours.data(), tables);
    kScalarKernels.fft_inverse(expected.data(), tables);
    EXPECT_EQ(bits(ours), bits(expected));
  });
}

TEST_P(EmbeddingKernels, RoundingIsThatOfTheSpecification) {
  std::mt19937_64 random(kSeed);
  for_each_size([&](const EmbeddingTables& tables) {
    const std::size_t n = std::size_t{1} << tables.log_n;
    auto x = random_doubles(n, random, 40);
    const double special[] = {0.5, 1.5, -0.5, -2.5, 0x1p51 + 0.5, -0x1p52 + 1.0, 0x1p61};
    std::copy_n(std::begin(special), std::min(n, std::size(special)), x.begin());
    for (const double factor : {1.0, 0x1.8p20, -0x1p-3}) {
      AlignedBuffer<std::int64_t> ours(n), expected(n);
      const double largest = GetParam()->round_to_signed(ours.data(), x.data(), factor, n);
      EXPECT_EQ(kScalarKernels.round_to_signed(expected.data(), x.data(), factor, n), largest);
      if (largest < 0x1p62) {
        EXPECT_EQ(to_vector(ours), to_vector(expected));
      }
    }
  });
}

TEST_P(EmbeddingKernels, InversionOfATableIsThatOfTheSpecification) {
  std::mt19937_64 random(kSeed);
  constexpr std::size_t kN = 128;
  constexpr std::uint64_t kTop = (std::uint64_t{1} << 63) - 1;
  std::vector<std::uint64_t> table = {0, 1, 5, std::uint64_t{1} << 40, kTop / 2, kTop - 1, kTop};
  while (table.size() < 127) {
    table.push_back(random() >> 1);
  }
  for (const std::size_t count : {std::size_t{1}, std::size_t{7}, table.size()}) {
    AlignedBuffer<std::uint64_t> words(kN);
    for (std::size_t i = 0; i < kN; ++i) {
      const std::uint64_t near = table[i / 6 % count] + i % 3 - 1;  // around an entry
      words[i] = i < 96 ? near << 1 | (i & 1) : random();
    }
    AlignedBuffer<std::int8_t> ours(kN), expected(kN);
    GetParam()->invert_cumulative(ours.data(), words.data(), kN, table.data(), count);
    kScalarKernels.invert_cumulative(expected.data(), words.data(), kN, table.data(), count);
    EXPECT_EQ(to_vector(ours), to_vector(expected)) << count << " entries, seed " << kSeed;
  }
}

TEST_P(EmbeddingKernels, BytesAndProductsAreThoseOfTheSpecification) {
  std::mt19937_64 random(kSeed);
  const int log_n = 8;
  for (const double size : {13.0, 30.5, 46.0}) {
    const std::uint64_t q = find_prime(log_n, size, {});
    std::vector<std::int8_t> bytes(std::size_t{1} << log_n);
    std::vector<std::uint64_t> a(bytes.size()), b(bytes.size()), c(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::int8_t>(static_cast<int>(i % 255) - 127);
      a[i] = i % 3 == 0 ? q - 1 : random() % q;
      b[i] = i % 3 == 1 ? (q + 1) / 2 : i % 3 == 0 ? q - 1 : random() % q;
      c[i] = i % 2 == 0 ? q - 1 : random() % q;
    }
    const auto run = [&](const Kernels& kernels) {
      const LimbTier limb(kernels, q, log_n);
      std::vector<std::vector<std::uint64_t>> results;
      AlignedBuffer<Word> dst(limb.n);
      kernels.import_small(dst.data(), bytes.data(), limb.n, limb.tables);
      results.push_back(limb.exported(dst));
      const auto x = limb.import(a), y = limb.import(b);
      dst = limb.import(c);
      kernels.add_product(dst.data(), x.data(), y.data(), limb.n, limb.tables);
      results.push_back(limb.exported(dst));
      kernels.sub_product(dst.data(), y.data(), y.data(), limb.n, limb.tables);
      results.push_back(limb.exported(dst));
      return results;
    };
    EXPECT_EQ(run(*GetParam()), run(kScalarKernels)) << "q " << q << " seed " << kSeed;
  }
}

TEST_P(EmbeddingKernels, DigitsCombineAsInTheSpecification) {
  std::mt19937_64 random(kSeed);
  const int log_n = 8;
  std::vector<std::uint64_t> primes;
  for (const double size : {45.0, 20.0, 46.0}) {
    primes.push_back(find_prime(log_n, size, primes));
  }
  for (std::size_t count = 1; count <= primes.size(); ++count) {
    std::vector<std::vector<std::uint64_t>> residues;
    std::vector<double> moduli;
    for (const std::uint64_t q : primes) {
      residues.emplace_back();
      for (std::size_t i = 0; i < std::size_t{1} << log_n; ++i) {
        residues.back().push_back(i == 0 ? (q - 1) / 2 : i == 1 ? (q + 1) / 2 : random() % q);
      }
      moduli.push_back(static_cast<double>(q));
    }
    const auto run = [&](const Kernels& kernels) {
      std::vector<AlignedBuffer<Word>> digits;
      std::vector<const Word*> pointers;
      for (std::size_t j = 0; j < count; ++j) {
        const LimbTier limb(kernels, primes[j], log_n);
        digits.emplace_back(limb.n);
        kernels.make_digit(digits.back().data(), limb.import(residues[j]).data(),
                           kernels.make_constant(1, primes[j]), limb.n, limb.tables);
        pointers.push_back(digits.back().data());
      }
      AlignedBuffer<double> dst(std::size_t{1} << log_n);
      kernels.combine_digits(dst.data(), pointers.data(), moduli.data(), count, dst.size());
      return bits(dst);
    };
    EXPECT_EQ(run(*GetParam()), run(kScalarKernels)) << count << " digits, seed " << kSeed;
  }
}

INSTANTIATE_TEST_SUITE_P(Tiers, EmbeddingKernels, testing::ValuesIn(all_tiers()), tier_name);

TEST(ScalarEmbedding, WordsAreTheValuesAtTheAnnouncedPoints) {
  std::mt19937_64 random(kSeed);
  for (const int log_n : {1, 2, 3, 4, 7}) {
    const std::size_t n = std::size_t{1} << log_n;
    const EmbeddingTables tables(log_n);
    const auto a = random_doubles(n, random, 0);
    auto x = a;
    kScalarKernels.fft_forward(x.data(), tables);
    for (std::size_t word = 0; word < n; ++word) {
      const std::size_t j = 2 * reverse_bits(word % (n / 2), log_n - 1) + word / (n / 2);
      const double angle =
          2.0 * std::numbers::pi * static_cast<double>(1 + 4 * j) / static_cast<double>(4 * n);
      double value = a[0];
      for (std::size_t i = 1; i < n; ++i) {
        value += 2.0 * a[i] * std::cos(angle * static_cast<double>(i));
      }
      EXPECT_NEAR(x[word], value, 1e-12) << "N = " << n << ", word " << word;
    }
    kScalarKernels.fft_inverse(x.data(), tables);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(x[i], a[i] * static_cast<double>(2 * n), 1e-12 * static_cast<double>(n));
    }
  }
}

}  // namespace
}  // namespace ffconv
