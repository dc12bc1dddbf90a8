// Every tier at the bounds of its words: the largest that the contract allows, and the inputs for
// which words grow most inside the transforms, with the largest primes.
#include <bit>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "ffconv/ring/modulus.h"
#include "ffconv/ring/primes.h"
#include "ring/limb_tier.h"
#include "ring/tier_param.h"

namespace ffconv {
namespace {

using Residues = std::vector<std::uint64_t>;
using Limb = AlignedBuffer<Word>;

using Tier = LimbTier;

class KernelBounds : public TierTest {};

// Residues whose extreme words are q - 1 or -(q - 1) and 1.4 q or -1.4 q in doubles, all of one
// sign or alternating, and random ones.
std::vector<Residues> extreme_residues(std::size_t n, std::uint64_t q) {
  const std::uint64_t low = q / 5 * 2, high = q - q / 5 * 2;
  std::mt19937_64 random(20261124);
  std::vector<Residues> all(6, Residues(n));
  for (std::size_t i = 0; i < n; ++i) {
    all[0][i] = low;
    all[1][i] = high;
    all[2][i] = i % 2 == 0 ? low : high;
    all[3][i] = q - 1;
    all[4][i] = (q - 1) / 2 + (i & 1);
    all[5][i] = random() % q;
  }
  return all;
}

TEST_P(KernelBounds, TransformsTakeExtremeWordsAtEverySize) {
  for (const int log_n : {4, 5, 6, 7, 8, 9, 11, 12, 14, 17}) {
    if (log_n < GetParam()->min_log_n) {
      continue;
    }
    const std::uint64_t q = find_prime(log_n, 46.0, {});
    const Tier tier(*GetParam(), q, log_n), scalar(kScalarKernels, q, log_n);
    for (const Residues& x : extreme_residues(tier.n, q)) {
      for (const auto transform : {&Kernels::ntt_forward, &Kernels::ntt_inverse}) {
        Limb ours = tier.import_extreme(x), expected = scalar.import(x);
        (tier.kernels.*transform)(ours.data(), tier.tables);
        (scalar.kernels.*transform)(expected.data(), scalar.tables);
        EXPECT_EQ(tier.exported(ours), scalar.exported(expected)) << "log_n " << log_n;
        EXPECT_LE(tier.largest(ours), tier.bound()) << "log_n " << log_n;
      }
    }
  }
}

// Coefficients for which word 0 of the evaluation form is a sum of products near q/2, one per stage
// and, where `pairs` is 0 or 1, one more per pair of stages that begins at a stage of that parity.
Residues growing_input(const Tier& scalar, int pairs) {
  const std::uint64_t q = scalar.tables.q, n = scalar.n;
  std::vector<std::uint64_t> twiddles, inverse;
  canonical_twiddles(scalar.tables, twiddles, inverse);
  const std::uint64_t target = q / 2 - (q >> 8);
  Residues folded(n, 0);
  folded[0] = target;
  for (std::size_t entry = 1, stage = 0; entry < n; entry *= 2, ++stage) {
    folded[n / (2 * entry)] = mul_mod(target, inverse[entry], q);
    if (2 * entry < n && static_cast<int>(stage % 2) == pairs) {
      folded[3 * n / (4 * entry)] =
          mul_mod(target, mul_mod(inverse[entry], inverse[2 * entry], q), q);
    }
  }
  // Unfolded by the definition, docs/ntt.md.
  const std::uint64_t psi = pow_mod(scalar.tables.root, n, q), half = (q + 1) / 2;
  Residues x(n);
  x[0] = folded[0];
  for (std::size_t i = 1; i < n; ++i) {
    x[i] = mul_mod(half, add_mod(folded[i], mul_mod(psi, folded[n - i], q), q), q);
  }
  return x;
}

TEST_P(KernelBounds, ForwardTransformIsExactWhereWordsGrowMost) {
  for (const int log_n : {13, 16, 17}) {
    const std::uint64_t q = find_prime(log_n, 46.0, {});
    const Tier tier(*GetParam(), q, log_n), scalar(kScalarKernels, q, log_n);
    for (const int pairs : {-1, 0, 1}) {
      const Residues x = growing_input(scalar, pairs);
      Limb ours = tier.import_extreme(x), expected = scalar.import(x);
      tier.kernels.ntt_forward(ours.data(), tier.tables);
      scalar.kernels.ntt_forward(expected.data(), scalar.tables);
      EXPECT_EQ(tier.exported(ours), scalar.exported(expected)) << "log_n " << log_n;
      EXPECT_LE(tier.largest(ours), tier.bound()) << "log_n " << log_n;
    }
  }
}

TEST_P(KernelBounds, ProductsAndTheirSumsTakeExtremeWords) {
  constexpr int kLogN = 7;
  const std::uint64_t q = find_prime(kLogN, 46.0, {});
  const Tier tier(*GetParam(), q, kLogN), scalar(kScalarKernels, q, kLogN);
  const std::vector<Residues> inputs = extreme_residues(tier.n, q);
  const auto run = [&](const Tier& t, const Residues& x, const Residues& y, std::size_t terms) {
    const Limb a = t.import_extreme(x), b = t.import_extreme(y);
    std::vector<Limb> results(12, Limb(t.n));
    const Kernels& k = t.kernels;
    k.mul(results[0].data(), a.data(), b.data(), t.n, t.tables);
    k.add(results[1].data(), a.data(), b.data(), t.n, t.tables);
    k.sub(results[2].data(), a.data(), b.data(), t.n, t.tables);
    const Constant c = k.make_constant((q - 1) / 2, q);
    k.mul_constant(results[3].data(), a.data(), c, t.n, t.tables);
    k.mul_constant_sub(results[4].data(), a.data(), c, b.data(), t.n, t.tables);
    results[7] = results[8] = b;
    k.add_product(results[7].data(), a.data(), b.data(), t.n, t.tables);
    k.sub_product(results[8].data(), a.data(), b.data(), t.n, t.tables);
    k.tensor(results[9].data(), results[10].data(), results[11].data(), a.data(), b.data(),
             b.data(), a.data(), t.n, t.tables);
    const std::vector<const Word*> bs(terms, b.data());
    const std::size_t stride = 2 * terms * kRunBytes;
    std::vector<std::uint8_t> pairs(t.n / kPackedRun * stride);
    for (std::size_t j = 0; j < 2 * terms; ++j) {
      k.pack48(pairs.data() + j * kRunBytes, stride, j % 2 == 0 ? a.data() : b.data(), t.n,
               t.tables);
    }
    k.packed_pair_products(results[5].data(), results[6].data(), pairs.data(), stride, bs.data(),
                           terms, false, t.n, t.tables);
    std::vector<Residues> all;
    for (const Limb& result : results) {
      EXPECT_LE(t.largest(result), t.bound());
      all.push_back(t.exported(result));
    }
    return all;
  };
  for (const Residues& x : inputs) {
    for (const Residues& y : inputs) {
      for (const std::size_t terms : {1u, 31u, 32u, 33u}) {
        EXPECT_EQ(run(tier, x, y, terms), run(scalar, x, y, terms)) << terms << " terms";
      }
    }
  }
}

TEST_P(KernelBounds, BaseExtensionsTakeManyExtremeDigits) {
  constexpr int kLogN = 7;
  constexpr std::size_t kSources = 20;
  const std::uint64_t q = find_prime(kLogN, 46.0, {});
  std::vector<std::uint64_t> sources = {q};
  while (sources.size() <= kSources) {
    sources.push_back(find_prime(kLogN, 46.0, sources));
  }
  const std::size_t n = std::size_t{1} << kLogN;
  const auto run = [&](const Kernels& kernels, bool positive, std::size_t count) {
    const Tier target(kernels, q, kLogN);
    std::vector<Limb> digits;
    std::vector<const Word*> pointers;
    std::vector<double> inverses;
    for (std::size_t j = 1; j <= count; ++j) {
      const Tier source(kernels, sources[j], kLogN);
      Residues x(n);
      for (std::size_t i = 0; i < n; ++i) {
        x[i] = (sources[j] - 1) / 2 + (positive ? 0 : i % 2);
      }
      digits.emplace_back(n);
      kernels.make_digit(digits.back().data(), source.import(x).data(),
                         kernels.make_constant(1, sources[j]), n, source.tables);
      inverses.push_back(1.0 / static_cast<double>(sources[j]));
    }
    for (const Limb& digit : digits) {
      pointers.push_back(digit.data());
    }
    Limb overflow(n), result(n);
    kernels.digit_overflow(overflow.data(), pointers.data(), inverses.data(), count, n);
    const Constant extreme = kernels.make_constant((q - 1) / 2, q);
    const std::vector<Constant> weights(count, extreme);
    kernels.extend(result.data(), pointers.data(), weights.data(), count, overflow.data(),
                   kernels.make_constant((q + 1) / 2, q), n, target.tables);
    EXPECT_LE(target.largest(result), target.bound());
    return target.exported(result);
  };
  for (const bool positive : {false, true}) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{7}, kSources}) {
      EXPECT_EQ(run(*GetParam(), positive, count), run(kScalarKernels, positive, count))
          << count << " digits";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tiers, KernelBounds, testing::ValuesIn(all_tiers()), tier_name);

}  // namespace
}  // namespace ffconv
