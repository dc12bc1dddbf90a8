#include "ffconv/ckks/level_packing.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/ckks/secret/encryptor.h"

#include "ckks/ckks_fixture.h"

namespace ffconv {
namespace {

constexpr std::uint64_t kSeed = 20261124;

TEST(LevelPacking, TakesAsFewPrimesAsTheBitsNeed) {
  // 26-bit levels at N = 2^13: 159 bits in four words instead of six.
  const std::vector<double> bits = {29, 55, 81, 107, 133, 159};
  const Params params(pack_levels(13, bits));
  const std::vector<int> words = {1, 2, 2, 3, 3, 4};
  for (int level = 0; level <= params.max_level(); ++level) {
    EXPECT_EQ(params.limb_count(level), words[static_cast<std::size_t>(level)]) << level;
    EXPECT_NEAR(params.log_q(level), bits[static_cast<std::size_t>(level)], 0.3) << level;
  }
}

TEST(LevelPacking, RandomChainsComeNearTheirBits) {
  std::mt19937_64 random(kSeed);
  for (int trial = 0; trial < 20; ++trial) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + " trial " + std::to_string(trial));
    std::uniform_real_distribution<double> step(20.0, 45.0);
    std::vector<double> bits = {step(random)};
    while (bits.back() < 300.0) {
      bits.push_back(bits.back() + step(random));
    }
    ParamsSpec spec = pack_levels(14, bits);
    const Params params(spec);
    for (std::size_t l = 0; l < bits.size(); ++l) {
      EXPECT_EQ(params.limb_count(static_cast<int>(l)), word_count(bits[l])) << bits[l];
      EXPECT_NEAR(params.log_q(static_cast<int>(l)), bits[l], 0.5);
    }
  }
}

TEST(LevelPacking, KeysGetSpecialPrimesAboveTheirDigits) {
  ParamsSpec spec = pack_levels(14, std::vector<double>{40, 80, 120, 160});
  add_keys(spec, 3, *fit_keys(spec, 3, 2, 2));
  add_keys(spec, 2, *fit_keys(spec, 2, 1, 1));
  EXPECT_FALSE(fit_keys(spec, 1, 1, 2));  // 80 bits in one special prime
  EXPECT_FALSE(fit_keys(spec, 2, 1, 1, 39.0));
  EXPECT_NEAR(fit_keys(spec, 2, 1, 1, 42.0)->bits, 42.0, 1e-9);
  const Params params(spec);
  EXPECT_NEAR(params.log_p(3), 80 + kSpecialMargin, 0.3);
  EXPECT_NEAR(params.log_p(2), 40 + kSpecialMargin, 0.3);
  EXPECT_FALSE(params.has_keys(1));
}

// A chain down all levels: scales are exact, keys belong to their level, values survive.
TEST(LevelPacking, ProductsAndRotationsSurviveEveryLevel) {
  std::mt19937_64 random(kSeed);
  for (const double scale_bits : {24.0, 30.0, 38.0}) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + " scale " + std::to_string(scale_bits));
    constexpr int kDepth = 5;
    std::vector<double> bits;
    for (int level = 0; level <= kDepth; ++level) {
      bits.push_back(scale_bits + 6.0 + level * scale_bits);
    }
    ParamsSpec spec = pack_levels(8, bits);
    spec.security = Security::kInsecureForTesting;
    for (int level = 1; level <= kDepth; ++level) {
      add_keys(spec, level, *fit_keys(spec, level, 1 + level % 2, 1 + level % 2));
    }
    Fixture f(spec);
    std::vector<double> expected = random_slots(f.context->n(), random);
    Ciphertext x = encrypt(f.secret, encode(*f.context, expected, std::exp2(scale_bits), kDepth));
    for (int level = kDepth; level > 0; --level) {
      f.add_rotation(level, level);
      f.add_relinearization(level);
      x = rotate(x, level, f.keys);
      expected = rotated(expected, level);
      const double scale = x.scale * x.scale / f.context->params().rescale_factor(level);
      const Ciphertext both = relinearize_rescale(square(x), f.keys);
      const Ciphertext apart = rescale(relinearize(square(x), f.keys));
      EXPECT_EQ(both.scale, scale);
      EXPECT_EQ(apart.scale, scale);
      EXPECT_EQ(both.level, level - 1);
      for (double& v : expected) {
        v *= v;
      }
      const double bound = std::exp2(18.0 - scale_bits);
      for (const Ciphertext* result : {&both, &apart}) {
        const PrecisionStats stats(decrypt_raw(f.secret, *result), expected);
        EXPECT_LT(stats.error_std, bound) << "level " << level;
      }
      x = both;
    }
  }
}

}  // namespace
}  // namespace ffconv
