#include "ffconv/ckks/secret/decryptor.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ckks/ckks_fixture.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "support/error_of.h"

namespace ffconv {
namespace {

using testing::error_of;

constexpr double kScale = 0x1p40;

// A key and a ciphertext that belong together.
struct Encrypted : Fixture {
  Ciphertext ciphertext;

  explicit Encrypted(const ParamsSpec& spec = insecure_spec(10, 2, 40.0, 1, 1),
                     const Kernels& kernels = active_kernels())
      : Fixture(spec, kernels),
        ciphertext(encrypt(secret, encode(*context, std::vector<double>(context->n(), 0.5), kScale,
                                          context->params().max_level()))) {}
};

void expect_refused(const SecretKey& secret, const Ciphertext& ciphertext, const std::string& why) {
  using ::testing::HasSubstr;
  EXPECT_THAT(error_of(ErrorCode::kMismatch, [&] { decrypt_raw(secret, ciphertext); }),
              HasSubstr(why));
  EXPECT_THAT(error_of(ErrorCode::kMismatch, [&] { decrypt(secret, ciphertext); }), HasSubstr(why));
  EXPECT_THAT(error_of(ErrorCode::kMismatch, [&] { decrypt_coefficients_raw(secret, ciphertext); }),
              HasSubstr(why));
}

TEST(Decryptor, CiphertextsOfOtherParametersAreRefused) {
  const Encrypted ours, theirs(insecure_spec(10, 1, 40.0, 1, 1));
  expect_refused(ours.secret, theirs.ciphertext, "different parameters");
  Ciphertext none = ours.ciphertext;
  none.context = nullptr;
  expect_refused(ours.secret, none, "different parameters");
}

TEST(Decryptor, CiphertextsOfAnotherTierAreRefused) {
  if (active_kernels().name == "scalar") {
    GTEST_SKIP() << "no other tier here";
  }
  const Encrypted ours;
  const Encrypted scalar(insecure_spec(10, 2, 40.0, 1, 1), kernels_by_name("scalar"));
  expect_refused(ours.secret, scalar.ciphertext, "tier");
}

TEST(Decryptor, CiphertextsThatDoNotFitThemselvesAreRefused) {
  const Encrypted f;
  const auto damaged = [&](const std::function<void(Ciphertext&)>& damage) {
    Ciphertext c = f.ciphertext;
    damage(c);
    return c;
  };
  for (const int level : {-1, 3}) {
    expect_refused(f.secret, damaged([&](Ciphertext& c) { c.level = level; }), "level of 0 to 2");
  }
  expect_refused(f.secret, damaged([](Ciphertext& c) { c.level = 1; }), "primes of level 1");
  expect_refused(f.secret, damaged([](Ciphertext& c) {
                   c.polys[1] = Poly<Eval>(c.context->ring(), {0, 1});
                 }),
                 "primes of level 2");
  expect_refused(f.secret, damaged([](Ciphertext& c) { c.polys[0] = Poly<Eval>(); }),
                 "primes of level 2");
  expect_refused(f.secret, damaged([](Ciphertext& c) { c.polys.pop_back(); }),
                 "2 or 3 polynomials");
  expect_refused(f.secret, damaged([](Ciphertext& c) { c.polys.resize(4, c.polys[0]); }),
                 "2 or 3 polynomials");
  for (const double scale : {0.0, -kScale, std::numeric_limits<double>::infinity(), std::nan("")}) {
    expect_refused(f.secret, damaged([&](Ciphertext& c) { c.scale = scale; }), "positive scale");
  }
}

TEST(Decryptor, AnotherKeyOfTheSameParametersGivesNothingOfTheMessage) {
  const Encrypted f;
  const SecretKey other = SecretKey::generate(f.context);
  double largest = 0.0;
  for (const double x : decrypt_raw(other, f.ciphertext)) {
    largest = std::max(largest, std::abs(x));
  }
  EXPECT_GT(largest, 0x1p40);  // uniform modulo Q of 125 bits, at scale 2^40
}

TEST(Decryptor, SharedResultsAreMultiplesOfAStepAboveTheError) {
  const Encrypted f;
  for (const double flood_bits : {0.0, 4.0, 12.0}) {
    DecryptOptions options;
    options.flood_bits = flood_bits;
    const SharedResult result = decrypt(f.secret, f.ciphertext, options);
    const double flood = f.ciphertext.noise.error_std / kScale * std::exp2(flood_bits);
    EXPECT_GE(result.step, flood);
    EXPECT_LT(result.step, 2.0 * flood);
    double squares = 0.0;
    for (const double x : result.slots) {
      EXPECT_EQ(std::nearbyint(x / result.step) * result.step, x);
      squares += (x - 0.5) * (x - 0.5);
    }
    const double std = std::sqrt(squares / static_cast<double>(result.slots.size()));
    EXPECT_GT(std, 0.5 * flood) << flood_bits << " bits";
    EXPECT_LT(std, 2.0 * flood) << flood_bits << " bits";
  }
}

}  // namespace
}  // namespace ffconv
