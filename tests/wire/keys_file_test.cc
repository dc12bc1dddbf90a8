#include "ffconv/wire/keys_file.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/ckks/secret/key_generator.h"
#include "support/error_of.h"
#include "support/temporary_directory.h"
#include "wire/small_files.h"

namespace ffconv::wire {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::small_exchange;

void expect_equal(const Poly<Eval>& a, const Poly<Eval>& b) {
  ASSERT_EQ(a.basis(), b.basis());
  std::vector<std::uint64_t> x(a.ring().n()), y(a.ring().n());
  for (std::size_t i = 0; i < a.limb_count(); ++i) {
    export_limb(x, a, i);
    export_limb(y, b, i);
    ASSERT_EQ(x, y) << "limb " << i;
  }
}

void expect_equal(const SwitchingKey& a, const SwitchingKey& b) {
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.level, b.level);
  ASSERT_EQ(a.pairs.digit_count(), b.pairs.digit_count());
  for (std::size_t i = 0; i < a.pairs.digit_count(); ++i) {
    for (const KeyPairs::Half half : {KeyPairs::Half::kB, KeyPairs::Half::kA}) {
      expect_equal(a.pairs.get(i, half), b.pairs.get(i, half));
    }
  }
}

TEST(KeysFile, GivesEveryKeyBack) {
  const testing::TemporaryDirectory directory;
  const auto path = directory.path() / "eval.keys";
  const auto& [bundle, client, secret, keys, inputs] = small_exchange();
  save(path, keys, client.context(), bundle.fingerprint);
  const EvaluationKeys back = load_evaluation_keys(path, client.context(), bundle.fingerprint);
  ASSERT_EQ(back.relinearization.size(), 1u);
  expect_equal(back.relinearization.at(0), keys.relinearization.at(0));
  ASSERT_EQ(back.rotations.size(), 2u);
  for (const auto& [step, key] : keys.rotations) {
    SCOPED_TRACE(step.first);
    expect_equal(back.rotations.at(step).key, key.key);
    EXPECT_TRUE(
        std::ranges::equal(back.rotations.at(step).permutation.source, key.permutation.source));
  }
}

TEST(KeysFile, IsExactlyAsLargeAsPredicted) {
  const auto& exchange = small_exchange();
  const Params& params = exchange.context()->params();
  const plan::KeyRequest& request = exchange.client.bundle().keys;
  EXPECT_EQ(key_bytes(params, request),
            to_bytes(exchange.keys, exchange.context(), exchange.bundle.fingerprint).size());

  plan::KeyRequest lower = request;
  lower.relinearization.clear();
  lower.rotations = {{7, 0}};
  EvaluationKeys keys;
  keys.rotations.emplace(std::pair(7, 0), KeyGenerator(exchange.secret).rotation_key(7, 0));
  EXPECT_EQ(key_bytes(params, lower),
            to_bytes(keys, exchange.context(), exchange.bundle.fingerprint).size());
  EXPECT_EQ(key_bytes(params, {}),
            to_bytes(EvaluationKeys{}, exchange.context(), exchange.bundle.fingerprint).size());
}

TEST(KeysFile, HoldsHalfOfEachKey) {
  const auto& exchange = small_exchange();
  const Params& params = exchange.context()->params();
  // Rotations by 1 and 2 at level 1: two digits of one prime over three primes; relinearization at
  // level 0: one digit over two.
  const std::size_t residues = params.n() * (2 * 2 * 3 + 1 * 2);
  const std::size_t file = key_bytes(params, exchange.client.bundle().keys);
  EXPECT_LT(file, residues * 19 / 8 + 300);  // primes of at most 19 bits
}

TEST(KeysFile, KeysOfAnotherBundleAreRefused) {
  const auto& exchange = small_exchange();
  const auto file = to_bytes(exchange.keys, exchange.context(), Fingerprint{1});
  EXPECT_THAT(error_of(ErrorCode::kMismatch,
                       [&] {
                         parse_evaluation_keys(file, exchange.context(),
                                               exchange.bundle.fingerprint, "eval.keys");
                       }),
              HasSubstr("eval.keys: made for bundle 0100000000000000, expected "));
}

TEST(KeysFile, KeysOfOtherParametersAreRefused) {
  const auto& exchange = small_exchange();
  ParamsSpec spec = testing::smallest_secure_spec();
  spec.levels[1].special.clear();
  const ContextPtr other = Context::make(Params(spec));
  const auto file = to_bytes(exchange.keys, exchange.context(), kNoBundle);
  EXPECT_THAT(error_of(ErrorCode::kMismatch,
                       [&] { parse_evaluation_keys(file, other, kNoBundle, "eval.keys"); }),
              HasSubstr("eval.keys: made for parameters "));
  error_of(ErrorCode::kMismatch, [&] { to_bytes(exchange.keys, other, kNoBundle); });
}

// One key of step 5, level 0, altered as an adversary would.
class ForgedKeys : public ::testing::Test {
 protected:
  ForgedKeys() {
    EvaluationKeys keys;
    for (const int step : {5, 9}) {
      keys.rotations.emplace(std::pair(step, 0),
                             KeyGenerator(exchange_.secret).rotation_key(step, 0));
    }
    file_ = to_bytes(keys, exchange_.context(), kNoBundle);
  }
  std::string refusal(ErrorCode code = ErrorCode::kFormat) {
    testing::reseal(file_);
    return error_of(code,
                    [&] { parse_evaluation_keys(file_, exchange_.context(), kNoBundle, "k"); });
  }

  const testing::SmallExchange& exchange_ = small_exchange();
  std::vector<std::uint8_t> file_;
  static constexpr std::size_t kFirstStep = kHeaderBytes + 4 + 4;
};

TEST_F(ForgedKeys, StepsMustAscend) {
  file_[kFirstStep] = 9;
  EXPECT_THAT(refusal(), HasSubstr("expected keys for rotations by 9 of ascending levels, got 0"));
}

TEST_F(ForgedKeys, StepsMustBeBelowTheSlotCount) {
  file_[kFirstStep + 1] = 8;  // 5 + 2048
  EXPECT_THAT(refusal(), HasSubstr("got 2053 after 0"));
}

TEST_F(ForgedKeys, LevelsMustBeTheParameters) {
  file_[kFirstStep + 4] = 2;
  EXPECT_THAT(refusal(), HasSubstr("expected a key of a level of 0 to 1 that carries keys, got 2"));
}

TEST_F(ForgedKeys, ResiduesMustBeBelowTheirPrime) {
  std::fill_n(file_.begin() + kFirstStep + 4 + 33, 8, std::uint8_t{0xff});
  EXPECT_THAT(refusal(), HasSubstr("is not below its prime"));
}

TEST_F(ForgedKeys, MoreRelinearizationKeysThanTheFileHoldsAreRefused) {
  file_[kHeaderBytes + 3] = 2;
  refusal();
}

}  // namespace
}  // namespace ffconv::wire
