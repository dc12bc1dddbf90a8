#include "ffconv/ckks/ring_switching.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ckks/ckks_fixture.h"
#include "ffconv/base/error.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ring/tier_param.h"
#include "support/error_of.h"

namespace ffconv {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

// A ring and its subring with the same primes and a secret each.
struct Rings {
  Fixture large, small;

  Rings(const ParamsSpec& spec, int max_small_level, const Kernels& kernels = active_kernels())
      : large(spec, kernels), small(halved(spec, max_small_level), kernels) {}

  RingSwitchingKey down(int level) const {
    return KeyGenerator(large.secret).ring_switching_key(small.secret, level);
  }
  RingSwitchingKey up(int level) const {
    return KeyGenerator(small.secret).ring_switching_key(large.secret, level);
  }
};

std::vector<double> repeated(const std::vector<double>& x) {
  std::vector<double> twice = x;
  twice.insert(twice.end(), x.begin(), x.end());
  return twice;
}

std::vector<double> averages(const std::vector<double>& x) {
  std::vector<double> half(x.size() / 2);
  for (std::size_t j = 0; j < half.size(); ++j) {
    half[j] = (x[j] + x[j + half.size()]) / 2.0;
  }
  return half;
}

class RingSwitchingTest : public TierTest {
 protected:
  static constexpr std::uint64_t kSeed = 53;
  std::mt19937_64 random_{kSeed};

  // The body gets both rings, a scale, and the level of the keys.
  template <typename Body>
  void for_each_spec(const Body& body) {
    for (const ParamsSpec& spec : algebra_specs()) {
      SCOPED_TRACE("log_n " + std::to_string(spec.log_n) + " digit_primes " +
                   std::to_string(spec.levels[0].digit_primes) + " seed " + std::to_string(kSeed));
      const int level = static_cast<int>(spec.levels.size()) - 2;
      body(Rings(spec, level, *GetParam()), spec.q_bits[1] < 35 ? 0x1p30 : 0x1p40, level);
    }
  }
};

// The statement of docs/ckks-conventions.md, on the words themselves.
TEST_P(RingSwitchingTest, EvenCoefficientsAreHalfTheSumsOfNeighbouringWords) {
  const ParamsSpec spec = insecure_spec(9, 1, 40.0, 1, 1);
  const Ring large(spec.log_n, Params(spec).q(), *GetParam());
  const Ring small(spec.log_n - 1, Params(spec).q(), *GetParam());
  std::vector<std::int64_t> x(large.n()), even(small.n());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<std::int64_t>(random_() >> 32);
    even[i / 2] = i % 2 == 0 ? x[i] : even[i / 2];
  }
  const Poly<Eval> of_x = to_eval(from_signed(large, {0, 1}, x));
  const Poly<Eval> of_even = to_eval(from_signed(small, {0, 1}, even));
  std::vector<std::uint64_t> words(large.n()), even_words(small.n());
  for (std::size_t i = 0; i < 2; ++i) {
    export_limb(words, of_x, i);
    export_limb(even_words, of_even, i);
    const std::uint64_t q = large.prime(i);
    for (std::size_t k = 0; k < small.n(); ++k) {
      ASSERT_EQ((words[2 * k] + words[2 * k + 1]) % q, 2 * even_words[k] % q) << k;
    }
  }
}

TEST_P(RingSwitchingTest, DescendingAveragesSlotsHalfTheRingApart) {
  for_each_spec([&](const Rings& rings, double scale, int level) {
    const auto x = random_slots(rings.large.context->n(), random_);
    const Ciphertext c = encrypt(rings.large.secret, encode(*rings.large.context, x, scale, level));
    const Ciphertext down = descend(c, rings.down(level));
    EXPECT_EQ(down.context, rings.small.context);
    EXPECT_EQ(down.level, level);
    EXPECT_EQ(down.scale, scale);
    expect_noise_as_estimated(rings.small.secret, down, averages(x), "descend");
  });
}

TEST_P(RingSwitchingTest, DescendingKeepsMessagesOfHalfThePeriod) {
  for_each_spec([&](const Rings& rings, double scale, int level) {
    const auto x = random_slots(rings.small.context->n(), random_);
    const Ciphertext c =
        encrypt(rings.large.secret, encode(*rings.large.context, repeated(x), scale, level));
    expect_noise_as_estimated(rings.small.secret, descend(c, rings.down(level)), x, "descend");
  });
}

TEST_P(RingSwitchingTest, AscendingRepeatsTheSlots) {
  for_each_spec([&](const Rings& rings, double scale, int level) {
    const auto x = random_slots(rings.small.context->n(), random_);
    const Ciphertext c = encrypt(rings.small.secret, encode(*rings.small.context, x, scale, level));
    const Ciphertext up = ascend(c, rings.up(level));
    EXPECT_EQ(up.context, rings.large.context);
    EXPECT_EQ(up.level, level);
    EXPECT_EQ(up.scale, scale);
    expect_noise_as_estimated(rings.large.secret, up, repeated(x), "ascend");
    // Its error lies in the subring all but for the key switch: averages do not halve it.
    expect_noise_as_estimated(rings.small.secret, descend(up, rings.down(level)), x, "and back");
  });
}

TEST_P(RingSwitchingTest, KeysServeLowerLevels) {
  for_each_spec([&](const Rings& rings, double scale, int level) {
    const RingSwitchingKey down = rings.down(level), up = rings.up(level);
    const auto x = random_slots(rings.small.context->n(), random_);
    const Ciphertext c =
        encrypt(rings.large.secret, encode(*rings.large.context, repeated(x), scale, 1));
    const Ciphertext half = descend(c, down);
    EXPECT_EQ(half.level, 1);
    expect_noise_as_estimated(rings.small.secret, half, x, "descend");
    expect_noise_as_estimated(rings.large.secret, ascend(half, up), repeated(x), "ascend");
  });
}

// Square, descend, then rotate and multiply in the small ring with its own keys.
TEST_P(RingSwitchingTest, ComputingGoesOnInTheSmallRing) {
  Rings rings(insecure_spec(10, 3, 40.0, 1, 1), 2, *GetParam());
  rings.large.add_relinearization(3);
  rings.small.add_rotation(3, 2);
  const auto x = random_slots(rings.large.context->n(), random_);
  std::vector<double> squares = x;
  for (double& value : squares) {
    value *= value;
  }
  const Ciphertext c = encrypt(rings.large.secret, encode(*rings.large.context, x, 0x1p40, 3));
  const Ciphertext down = descend(relinearize_rescale(square(c), rings.large.keys), rings.down(2));
  const auto expected = averages(squares);
  expect_noise_as_estimated(rings.small.secret, down, expected, "square, descend");
  const Ciphertext turned = rotate(down, 3, rings.small.keys);
  expect_noise_as_estimated(rings.small.secret, turned, rotated(expected, 3), "rotate");
  const auto w = random_slots(rings.small.context->n(), random_);
  std::vector<double> product = rotated(expected, 3);
  for (std::size_t j = 0; j < w.size(); ++j) {
    product[j] *= w[j];
  }
  expect_noise_as_estimated(
      rings.small.secret,
      rescale(multiply_plain(turned, encode(*rings.small.context, w, 0x1p40, 2))), product,
      "weights");
}

TEST_P(RingSwitchingTest, RingsMayDescendTwice) {
  const ParamsSpec spec = insecure_spec(10, 2, 40.0, 1, 1);
  Rings rings(spec, 2, *GetParam());
  Rings below(halved(spec, 2), 1, *GetParam());
  const auto x = random_slots(rings.large.context->n(), random_);
  const Ciphertext c = encrypt(rings.large.secret, encode(*rings.large.context, x, 0x1p40, 1));
  const RingSwitchingKey second =
      KeyGenerator(rings.small.secret).ring_switching_key(below.small.secret, 1);
  expect_noise_as_estimated(below.small.secret, descend(descend(c, rings.down(1)), second),
                            averages(averages(x)), "twice");
}

INSTANTIATE_TEST_SUITE_P(Tiers, RingSwitchingTest, ::testing::ValuesIn(all_tiers()), tier_name);

// Levels of words packed differently, numbered differently: what counts is the primes.
TEST(RingSwitching, LevelsAreMatchedByTheirPrimes) {
  ParamsSpec spec = insecure_spec(10, 3, 40.0, 1, 1), small = halved(spec, 3);
  small.levels.erase(small.levels.begin() + 1);
  const Params large(spec), half(small);
  EXPECT_EQ(subring_level(large, half, 0), 0);
  EXPECT_EQ(subring_level(large, half, 2), 1);
  EXPECT_EQ(subring_level(half, large, 3), 2);
  EXPECT_THAT(error_of(ErrorCode::kMismatch, [&] { subring_level(large, half, 1); }),
              HasSubstr("no level at N = 2^9 has the primes of level 1 at N = 2^10"));

  const Fixture top(spec), bottom(small);
  std::mt19937_64 random(7);
  const auto x = random_slots(top.context->n(), random);
  const Ciphertext down = descend(encrypt(top.secret, encode(*top.context, x, 0x1p40, 2)),
                                  KeyGenerator(top.secret).ring_switching_key(bottom.secret, 2));
  EXPECT_EQ(down.level, 1);
  expect_noise_as_estimated(bottom.secret, down, averages(x), "seed 7");
}

// 214 bits are allowed at N = 2^13: 40 bits a level and 46 of the special prime.
TEST(RingSwitching, KeysBeyondTheSmallRingsRowAreRefused) {
  const ParamsSpec spec = one_prime_a_level(14, std::vector<double>(6, 40.0), {46.0}, 1, 5);
  ParamsSpec half = halved(spec, 4);
  half.levels[4].special.clear();  // ciphertexts of 200 bits are safe there, keys of 246 are not
  const Params large(spec), small(half);
  EXPECT_EQ(subring_level(large, small, 3), 3);
  EXPECT_EQ(subring_level(small, large, 4), 4);  // hides the large ring's secret
  EXPECT_THAT(error_of(ErrorCode::kInsecure, [&] { subring_level(large, small, 4); }),
              HasSubstr("level 4 has log2 QP = 246.00 bits and hides a secret of N = 2^13, where "
                        "128-bit security allows 214"));
  const SecretKey s = SecretKey::generate(Context::make(large));
  const SecretKey t = SecretKey::generate(Context::make(small));
  error_of(ErrorCode::kInsecure, [&] { KeyGenerator(s).ring_switching_key(t, 4); });
  EXPECT_NO_THROW(KeyGenerator(s).ring_switching_key(t, 3));
}

TEST(RingSwitching, RingsThatAreNotRelatedAreRefused) {
  const ParamsSpec spec = insecure_spec(10, 2, 40.0, 1, 1);
  const Params large(spec);
  ParamsSpec own_primes = halved(spec, 2);
  own_primes.prime_log_n = 0;
  EXPECT_THAT(error_of(ErrorCode::kMismatch, [&] { subring_level(large, Params(own_primes), 2); }),
              HasSubstr("from one list of primes"));
  EXPECT_THAT(error_of(ErrorCode::kMismatch, [&] { subring_level(large, large, 2); }),
              HasSubstr("twice the other's degree, got N = 2^10 and 2^10"));
  error_of(ErrorCode::kMismatch,
           [&] { subring_level(large, Params(halved(halved(spec, 2), 2)), 2); });
  ParamsSpec other_special = halved(spec, 2);
  other_special.levels[2].special.clear();
  EXPECT_THAT(
      error_of(ErrorCode::kMismatch, [&] { subring_level(large, Params(other_special), 2); }),
      HasSubstr("special primes of level 2"));
  EXPECT_THAT(error_of(ErrorCode::kMismatch,
                       [&] {
                         const ParamsSpec safe = one_prime_a_level(11, {18, 17}, {18}, 1, 1);
                         ParamsSpec weak = halved(safe, 1);
                         weak.security = Security::kInsecureForTesting;
                         subring_level(Params(safe), Params(weak), 1);
                       }),
              HasSubstr("128 and 0 bits"));
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument,
                       [&] {
                         ParamsSpec keyless = spec;
                         keyless.levels[2].special.clear();
                         subring_level(Params(keyless), Params(halved(keyless, 2)), 2);
                       }),
              HasSubstr("expected a level of 0 to 1 that has special primes at N = 2^10, got 2"));
}

TEST(RingSwitching, OperandsThatDoNotBelongToTheKeyAreRefused) {
  ParamsSpec spec = insecure_spec(10, 3, 40.0, 1, 1);
  spec.p_bits.push_back(45.0);
  spec.levels[1].special = {1};
  const Rings rings(spec, 3), others(spec, 3);
  const RingSwitchingKey down = rings.down(2), up = rings.up(2);
  const auto encrypted = [](const Fixture& f, int level) {
    return encrypt(f.secret,
                   encode(*f.context, std::vector<double>(f.context->n(), 0.5), 0x1p40, level));
  };
  const Ciphertext large = encrypted(rings.large, 2), small = encrypted(rings.small, 2);
  EXPECT_THAT(error_of(ErrorCode::kMissingKey, [&] { descend(encrypted(rings.large, 3), down); }),
              HasSubstr("descend: the key of level 2 does not serve level 3"));
  error_of(ErrorCode::kMissingKey, [&] { descend(encrypted(rings.large, 1), down); });
  error_of(ErrorCode::kMissingKey, [&] { ascend(encrypted(rings.small, 3), up); });
  error_of(ErrorCode::kMismatch, [&] { descend(encrypted(others.large, 2), down); });
  error_of(ErrorCode::kMismatch, [&] { descend(small, down); });
  error_of(ErrorCode::kMismatch, [&] { ascend(large, up); });
  EXPECT_THAT(error_of(ErrorCode::kMismatch, [&] { descend(large, up); }),
              HasSubstr("descend: the key leads from N = 2^9 to 2^10"));
  error_of(ErrorCode::kMismatch, [&] { ascend(small, down); });
  error_of(ErrorCode::kMismatch, [&] { descend(square(large), down); });
  const SecretKey foreign =
      SecretKey::generate(Context::make(Params(halved(spec, 3)), kEmulatedAvx2Kernels));
  EXPECT_THAT(
      error_of(
          ErrorCode::kMismatch,
          [&] { descend(large, KeyGenerator(rings.large.secret).ring_switching_key(foreign, 2)); }),
      HasSubstr("tiers"));
}

}  // namespace
}  // namespace ffconv
