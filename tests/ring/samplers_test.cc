#include "ffconv/ring/samplers.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "ffconv/ring/primes.h"
#include "ring/tier_param.h"
#include "support/chi_square.h"

namespace ffconv {
namespace {

using testing::chi_square_p_value;
using testing::chi_square_survival;

constexpr std::size_t kDraws = 1'000'000;
// Streams are fixed, so a test passes always or never; a correct sampler fails for one choice of
// streams in a million.
constexpr double kSignificance = 1e-6;

Seed seed_of(std::uint8_t first) {
  Seed seed{};
  for (std::size_t i = 0; i < seed.size(); ++i) {
    seed[i] = static_cast<std::uint8_t>(first + i);
  }
  return seed;
}

// Counts and the probabilities that they are held against.
struct Histogram {
  std::vector<std::uint64_t> counts;
  std::vector<double> probabilities;

  explicit Histogram(std::vector<double> p) : counts(p.size()), probabilities(std::move(p)) {}
  double p_value() const { return chi_square_p_value(counts, probabilities); }
};

// One draw in a hundred replaced: what the tests must notice.
template <typename T>
std::vector<T> with_bias(std::vector<T> draws, T value) {
  for (std::size_t i = 0; i < draws.size(); i += 100) {
    draws[i] = value;
  }
  return draws;
}

std::vector<std::int64_t> ternary_draws() {
  std::vector<std::int8_t> draws(kDraws);
  SeededStream random(seed_of(1), 0);
  sample_ternary(draws, random);
  return {draws.begin(), draws.end()};
}

Histogram ternary_histogram(const std::vector<std::int64_t>& draws) {
  Histogram histogram(std::vector<double>(3, 1.0 / 3.0));
  for (const std::int64_t x : draws) {
    ++histogram.counts.at(static_cast<std::size_t>(x + 1));
  }
  return histogram;
}

std::vector<std::int64_t> gaussian_draws() {
  std::vector<std::int8_t> draws(kDraws);
  SeededStream random(seed_of(2), 0);
  sample_gaussian(draws, random);
  return {draws.begin(), draws.end()};
}

// Cell k holds k - kTail; the outermost hold the tails, which expect 44 draws each.
constexpr std::int64_t kTail = 13;

Histogram gaussian_histogram(const std::vector<std::int64_t>& draws, double sigma) {
  std::vector<double> probabilities(2 * kTail + 1);
  double total = 0.0;
  for (std::int64_t k = -30; k <= 30; ++k) {
    const double weight = std::exp(-static_cast<double>(k * k) / (2.0 * sigma * sigma));
    probabilities[static_cast<std::size_t>(std::clamp(k, -kTail, kTail) + kTail)] += weight;
    total += weight;
  }
  for (double& p : probabilities) {
    p /= total;
  }
  Histogram histogram(std::move(probabilities));
  for (const std::int64_t x : draws) {
    ++histogram.counts[static_cast<std::size_t>(std::clamp(x, -kTail, kTail) + kTail)];
  }
  return histogram;
}

// Sixteen cells of residues modulo q: by size and by the lowest four bits.
constexpr std::uint64_t kCells = 16;

Histogram size_histogram(const std::vector<std::uint64_t>& draws, std::uint64_t q) {
  std::vector<double> probabilities;
  const auto first_of = [q](std::uint64_t cell) { return (cell * q + kCells - 1) / kCells; };
  for (std::uint64_t cell = 0; cell < kCells; ++cell) {
    probabilities.push_back(static_cast<double>(first_of(cell + 1) - first_of(cell)) /
                            static_cast<double>(q));
  }
  Histogram histogram(std::move(probabilities));
  for (const std::uint64_t x : draws) {
    ++histogram.counts.at(x * kCells / q);
  }
  return histogram;
}

Histogram low_bits_histogram(const std::vector<std::uint64_t>& draws, std::uint64_t q) {
  std::vector<double> probabilities;
  for (std::uint64_t cell = 0; cell < kCells; ++cell) {
    probabilities.push_back(static_cast<double>((q - cell + kCells - 1) / kCells) /
                            static_cast<double>(q));
  }
  Histogram histogram(std::move(probabilities));
  for (const std::uint64_t x : draws) {
    ++histogram.counts[x % kCells];
  }
  return histogram;
}

std::vector<std::uint64_t> exported(const Poly<Eval>& poly, std::size_t limb) {
  AlignedBuffer<std::uint64_t> residues(poly.ring().n());
  export_limb(residues.span(), poly, limb);
  return {residues.begin(), residues.end()};
}

// Sizes at which few words are rejected, about a quarter, and the fewest bits of this ring.
std::vector<std::uint64_t> test_primes(int log_n) {
  std::vector<std::uint64_t> primes;
  for (const double bits : {46.0, 40.6, log_n + 4.0}) {
    primes.push_back(find_prime(log_n, bits, primes));
  }
  return primes;
}

TEST(ChiSquare, SurvivalIsTheClosedFormForFewDegrees) {
  for (const double x : {0.5, 3.0, 20.0, 60.0}) {
    EXPECT_NEAR(chi_square_survival(x, 1) / std::erfc(std::sqrt(x / 2)), 1.0, 1e-12);
    EXPECT_NEAR(chi_square_survival(x, 2) / std::exp(-x / 2), 1.0, 1e-12);
    EXPECT_NEAR(chi_square_survival(x, 4) / (std::exp(-x / 2) * (1 + x / 2)), 1.0, 1e-12);
  }
}

TEST(ChiSquare, SurvivalAgreesWithPrintedQuantiles) {
  // Abramowitz and Stegun, table 26.8. Tolerance: what the last printed digit leaves open.
  EXPECT_NEAR(chi_square_survival(18.3070, 10), 0.05, 2e-6);
  EXPECT_NEAR(chi_square_survival(37.6973, 15), 0.001, 2e-8);
  EXPECT_NEAR(chi_square_survival(54.0520, 26), 0.001, 2e-8);
}

TEST(ChiSquare, PValueIsHighForExpectedCountsAndLowForOthers) {
  EXPECT_EQ(chi_square_p_value({500, 500}, {0.5, 0.5}), 1.0);
  EXPECT_NEAR(chi_square_p_value({540, 460}, {0.5, 0.5}), std::erfc(std::sqrt(3.2)), 1e-12);
}

TEST(TernarySampler, ValuesAreEquallyLikely) {
  EXPECT_GT(ternary_histogram(ternary_draws()).p_value(), kSignificance);
}

TEST(TernarySampler, BiasOfOnePercentIsNoticed) {
  for (const std::int64_t value : {-1, 0, 1}) {
    EXPECT_LT(ternary_histogram(with_bias(ternary_draws(), value)).p_value(), kSignificance);
  }
}

TEST(TernarySampler, NeighboursAreIndependent) {
  const auto draws = ternary_draws();
  Histogram pairs(std::vector<double>(9, 1.0 / 9.0));
  for (std::size_t i = 0; i + 1 < draws.size(); i += 2) {
    ++pairs.counts[static_cast<std::size_t>(3 * (draws[i] + 1) + draws[i + 1] + 1)];
  }
  EXPECT_GT(pairs.p_value(), kSignificance);
}

TEST(TernarySampler, NumbersThatNoBlockDividesContinueTheStream) {
  std::vector<std::int8_t> whole(4096 + 4096), parts(whole.size());
  SeededStream first(seed_of(8), 0), second(seed_of(8), 0);
  sample_ternary(whole, first);
  sample_ternary(std::span(parts).first(4096), second);
  sample_ternary(std::span(parts).subspan(4096), second);
  EXPECT_EQ(parts, whole);
  std::vector<std::int8_t> odd(4099, 7);
  SeededStream third(seed_of(8), 0);
  sample_ternary(odd, third);
  EXPECT_EQ(odd, std::vector(whole.begin(), whole.begin() + 4099));
}

TEST(GaussianSampler, ValuesFollowTheDiscreteGaussian) {
  EXPECT_GT(gaussian_histogram(gaussian_draws(), 3.2).p_value(), kSignificance);
}

TEST(GaussianSampler, BiasOfOnePercentIsNoticed) {
  for (const std::int64_t value : {0, 1, -3, 8}) {
    const auto biased = with_bias(gaussian_draws(), value);
    EXPECT_LT(gaussian_histogram(biased, 3.2).p_value(), kSignificance) << value;
  }
}

TEST(GaussianSampler, StandardDeviationOffByOnePercentIsNoticed) {
  const auto draws = gaussian_draws();
  EXPECT_LT(gaussian_histogram(draws, 3.2 * 1.01).p_value(), kSignificance);
  EXPECT_LT(gaussian_histogram(draws, 3.2 / 1.01).p_value(), kSignificance);
}

TEST(GaussianSampler, NoValueLiesBeyondTheCut) {
  const auto draws = gaussian_draws();
  const auto [low, high] = std::minmax_element(draws.begin(), draws.end());
  EXPECT_GE(*low, -30);
  EXPECT_LE(*high, 30);
  // In a million draws the largest is almost surely at least four deviations out.
  EXPECT_LE(*low, -13);
  EXPECT_GE(*high, 13);
}

TEST(UniformSampler, ResiduesOfEveryPrimeAreEquallyLikelyAndBiasIsNoticed) {
  const int log_n = 13;
  const std::vector<std::uint64_t> primes = test_primes(log_n);
  const Ring ring(log_n, primes);
  std::vector<std::vector<std::uint64_t>> draws(primes.size());
  for (std::uint64_t stream = 0; draws[0].size() < kDraws; ++stream) {
    const Poly<Eval> poly = sample_uniform_vartime(ring, {0, 1, 2}, seed_of(3), stream);
    for (std::size_t limb = 0; limb < primes.size(); ++limb) {
      const auto residues = exported(poly, limb);
      draws[limb].insert(draws[limb].end(), residues.begin(), residues.end());
    }
  }
  for (std::size_t limb = 0; limb < primes.size(); ++limb) {
    const std::uint64_t q = primes[limb];
    SCOPED_TRACE("prime " + std::to_string(q));
    EXPECT_GT(size_histogram(draws[limb], q).p_value(), kSignificance);
    EXPECT_GT(low_bits_histogram(draws[limb], q).p_value(), kSignificance);
    for (const std::uint64_t value : {std::uint64_t{0}, q / 2, q - 1}) {
      const auto biased = with_bias(draws[limb], value);
      EXPECT_LT(size_histogram(biased, q).p_value(), kSignificance) << value;
      EXPECT_LT(low_bits_histogram(biased, q).p_value(), kSignificance) << value;
    }
  }
}

TEST(UniformSampler, GivesTheKnownAnswersOfTheReference) {
  const std::string path = FFCONV_SOURCE_DIR "/tests/vectors/uniform.json";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  const auto vectors = nlohmann::json::parse(file);
  const auto primes = vectors["primes"].get<std::vector<std::uint64_t>>();
  const Ring ring(vectors["log_n"].get<int>(), primes);
  ASSERT_GE(vectors["limbs"].size(), 4u);
  for (const auto& expected : vectors["limbs"]) {
    SCOPED_TRACE(expected.dump());
    Seed seed;
    for (std::size_t i = 0; i < seed.size(); ++i) {
      const std::string byte = expected["seed"].get<std::string>().substr(2 * i, 2);
      seed[i] = static_cast<std::uint8_t>(std::stoi(byte, nullptr, 16));
    }
    const auto prime = expected["prime_number"].get<std::uint16_t>();
    const auto limb = exported(
        sample_uniform_vartime(ring, {prime}, seed, expected["stream"].get<std::uint64_t>()), 0);
    EXPECT_EQ(std::vector(limb.begin(), limb.begin() + 4),
              expected["first"].get<std::vector<std::uint64_t>>());
    EXPECT_EQ(std::vector(limb.end() - 4, limb.end()),
              expected["last"].get<std::vector<std::uint64_t>>());
    std::uint64_t sum = 0;  // below 2^56
    for (const std::uint64_t residue : limb) {
      sum += residue;
    }
    EXPECT_EQ(sum, expected["sum"].get<std::uint64_t>());
  }
}

TEST(UniformSampler, LimbDependsOnItsPrimeAloneNotOnTheBasis) {
  const int log_n = 10;
  const Ring ring(log_n, test_primes(log_n));
  const Poly<Eval> whole = sample_uniform_vartime(ring, {0, 1, 2}, seed_of(4), 9);
  const Poly<Eval> part = sample_uniform_vartime(ring, {2, 0}, seed_of(4), 9);
  EXPECT_EQ(exported(part, 0), exported(whole, 2));
  EXPECT_EQ(exported(part, 1), exported(whole, 0));
}

TEST(UniformSampler, OtherSeedsStreamsAndPrimesGiveOtherResidues) {
  const int log_n = 10;
  const Ring ring(log_n, test_primes(log_n));
  const auto draw = [&](const Seed& seed, std::uint64_t stream) {
    return exported(sample_uniform_vartime(ring, {0}, seed, stream), 0);
  };
  const auto reference = draw(seed_of(5), 1);
  EXPECT_NE(draw(seed_of(6), 1), reference);
  EXPECT_NE(draw(seed_of(5), 2), reference);
  EXPECT_NE(exported(sample_uniform_vartime(ring, {1}, seed_of(5), 1), 0), reference);
}

class UniformSamplerOfTier : public TierTest {};

TEST_P(UniformSamplerOfTier, ExportsWhatTheScalarTierExports) {
  const int log_n = 10;
  const std::vector<std::uint64_t> primes = test_primes(log_n);
  const Ring ring(log_n, primes, *GetParam());
  const Ring scalar(log_n, primes, kernels_by_name("scalar"));
  const Poly<Eval> ours = sample_uniform_vartime(ring, {0, 1, 2}, seed_of(7), 3);
  const Poly<Eval> expected = sample_uniform_vartime(scalar, {0, 1, 2}, seed_of(7), 3);
  for (std::size_t limb = 0; limb < primes.size(); ++limb) {
    EXPECT_EQ(exported(ours, limb), exported(expected, limb));
  }
}

INSTANTIATE_TEST_SUITE_P(Tiers, UniformSamplerOfTier, ::testing::ValuesIn(all_tiers()), tier_name);

}  // namespace
}  // namespace ffconv
