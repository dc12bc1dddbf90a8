#include "ffconv/wire/ciphertexts_file.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/runtime/server.h"
#include "support/error_of.h"
#include "support/temporary_directory.h"
#include "wire/small_files.h"

namespace ffconv::wire {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::small_exchange;

void expect_equal(const Ciphertext& a, const Ciphertext& b) {
  EXPECT_EQ(a.level, b.level);
  EXPECT_EQ(a.scale, b.scale);
  ASSERT_EQ(a.polys.size(), b.polys.size());
  const std::size_t n = a.context->n();
  std::vector<std::uint64_t> x(n), y(n);
  for (std::size_t k = 0; k < a.polys.size(); ++k) {
    for (std::size_t i = 0; i <= static_cast<std::size_t>(a.level); ++i) {
      export_limb(x, a.polys[k], i);
      export_limb(y, b.polys[k], i);
      ASSERT_EQ(x, y) << "polynomial " << k << ", limb " << i;
    }
  }
}

TEST(CiphertextsFile, GivesFreshCiphertextsBackFromTheirSeeds) {
  const testing::TemporaryDirectory directory;
  const auto path = directory.path() / "in.ct";
  const auto& exchange = small_exchange();
  save(path, exchange.inputs, exchange.bundle.fingerprint);
  const auto back = load_ciphertexts(path, exchange.context(), exchange.bundle.fingerprint);
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].seed, exchange.inputs[0].seed);
  expect_equal(back[0], exchange.inputs[0]);
  EXPECT_EQ(decrypt_raw(exchange.secret, back[0]),
            decrypt_raw(exchange.secret, exchange.inputs[0]));
}

TEST(CiphertextsFile, GivesResultsOfTwoAndThreePolynomialsBack) {
  const auto& exchange = small_exchange();
  const std::vector<Ciphertext> results = {add(exchange.inputs[0], exchange.inputs[0]),
                                           square(exchange.inputs[0])};
  const auto back =
      parse_ciphertexts(to_bytes(results, kNoBundle), exchange.context(), kNoBundle, "test");
  ASSERT_EQ(back.size(), 2u);
  expect_equal(back[0], results[0]);
  expect_equal(back[1], results[1]);
}

TEST(CiphertextsFile, DoesNotTrustNoise) {
  const auto& exchange = small_exchange();
  const auto back = parse_ciphertexts(to_bytes(exchange.inputs, kNoBundle), exchange.context(),
                                      kNoBundle, "test");
  EXPECT_GT(exchange.inputs[0].noise.error_std, 0.0);
  EXPECT_EQ(back[0].noise.error_std, 0.0);
}

TEST(CiphertextsFile, IsExactlyAsLargeAsPredicted) {
  const auto& exchange = small_exchange();
  const Params& params = exchange.context()->params();
  const plan::Program& program = exchange.bundle.program;
  EXPECT_EQ(upload_bytes(params, program), to_bytes(exchange.inputs, kNoBundle).size());
  const runtime::Server server(exchange.bundle);
  const auto keys = parse_evaluation_keys(to_bytes(exchange.keys, exchange.context(), kNoBundle),
                                          server.context(), kNoBundle, "test");
  const auto inputs =
      parse_ciphertexts(to_bytes(exchange.inputs, kNoBundle), server.context(), kNoBundle, "test");
  const auto results = server.infer(keys, inputs);
  EXPECT_EQ(download_bytes(params, program), to_bytes(results, kNoBundle).size());
}

TEST(CiphertextsFile, CiphertextsOfAnotherBundleOrOtherParametersAreRefused) {
  const auto& exchange = small_exchange();
  const auto file = to_bytes(exchange.inputs, Fingerprint{1});
  EXPECT_THAT(error_of(ErrorCode::kMismatch,
                       [&] {
                         parse_ciphertexts(file, exchange.context(), exchange.bundle.fingerprint,
                                           "in.ct");
                       }),
              HasSubstr("in.ct: made for bundle 0100000000000000"));
  ParamsSpec spec = testing::smallest_secure_spec();
  spec.levels[1].special.clear();
  const ContextPtr other = Context::make(Params(spec));
  EXPECT_THAT(error_of(ErrorCode::kMismatch,
                       [&] { parse_ciphertexts(file, other, Fingerprint{1}, "in.ct"); }),
              HasSubstr("in.ct: made for parameters "));
}

TEST(CiphertextsFile, NothingIsNoFile) {
  error_of(ErrorCode::kInvalidArgument, [] { to_bytes(std::vector<Ciphertext>{}, kNoBundle); });
}

class ForgedCiphertexts : public ::testing::Test {
 protected:
  std::string refusal() {
    testing::reseal(file_);
    return error_of(ErrorCode::kFormat,
                    [&] { parse_ciphertexts(file_, exchange_.context(), kNoBundle, "in.ct"); });
  }
  const testing::SmallExchange& exchange_ = small_exchange();
  std::vector<std::uint8_t> file_ = to_bytes(exchange_.inputs, kNoBundle);
  static constexpr std::size_t kLevel = kHeaderBytes + 4, kPolynomials = kLevel + 1,
                               kSeeded = kLevel + 2, kScale = kLevel + 3;
};

TEST_F(ForgedCiphertexts, LevelsMustBeTheParameters) {
  file_[kLevel] = 2;
  EXPECT_THAT(refusal(), HasSubstr("expected a ciphertext of level 1 at most, got 2"));
}

TEST_F(ForgedCiphertexts, MustHaveTwoOrThreePolynomials) {
  for (const int count : {0, 1, 4, 255}) {
    file_[kPolynomials] = static_cast<std::uint8_t>(count);
    EXPECT_THAT(refusal(), HasSubstr("expected 2 or 3 polynomials"));
  }
}

TEST_F(ForgedCiphertexts, OfThreePolynomialsHaveNoSeed) {
  file_[kPolynomials] = 3;
  EXPECT_THAT(refusal(), HasSubstr("got 3 with seed mark 1"));
}

TEST_F(ForgedCiphertexts, ScalesMustBePositiveAndFinite) {
  file_[kScale + 7] |= 0x80;
  EXPECT_THAT(refusal(), HasSubstr("expected a positive scale, got -64"));
  file_[kScale + 7] = 0x7f;
  file_[kScale + 6] = 0xf0;
  EXPECT_THAT(refusal(), HasSubstr("expected a finite number"));
}

TEST_F(ForgedCiphertexts, ResiduesMustBeBelowTheirPrime) {
  std::fill_n(file_.begin() + kScale + 8 + 32, 8, std::uint8_t{0xff});
  EXPECT_THAT(refusal(), HasSubstr("is not below its prime"));
}

}  // namespace
}  // namespace ffconv::wire
