// Client and server together, in memory: an image goes in, its scores come out, and what does not
// belong is refused.

#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/backend/clear.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ffconv/ckks/secret/key_generator.h"
#include "ffconv/runtime/secret/client.h"
#include "ffconv/runtime/server.h"
#include "support/error_of.h"
#include "support/evaluation_keys.h"
#include "support/program_builder.h"

namespace ffconv::runtime {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

// Keys and ciphertexts belong to one Context. Files carry them from the client's to the server's;
// here, without files, the server's are made with its own, from the same secret.
class Inference : public ::testing::Test {
 protected:
  static ServerBundle make_bundle() {
    return {"small",
            {{1, 2, 2}},
            {"dark", "bright"},
            testing::small_program(testing::insecure_spec(), 0x1p36, 0x1p-22),
            {}};
  }

  // The server's keys and inputs, made with its own context.
  EvaluationKeys server_keys(const SecretKey& secret) const {
    return testing::make_keys(secret, client_.bundle().keys);
  }

  const Server server_{make_bundle()};
  const Client client_{client_bundle(server_.bundle())};
  // The same secret in both contexts.
  const SecretKey secret_ = client_.generate_secret();
  const SecretKey twin_ = SecretKey::from_coefficients(server_.context(), secret_.coefficients());
  const EvaluationKeys keys_ = server_keys(twin_);
  const std::vector<double> image_ = {0.25, -0.5, 0.75, 1.0};

  std::vector<Ciphertext> encrypted() const {
    const ExchangedValue& input = client_.bundle().inputs[0];
    return {ffconv::encrypt(twin_, encode(*server_.context(), image_, input.scale, input.level))};
  }
  std::vector<double> expected() const {
    return backend::run_clear(make_bundle().program, image_, 2);
  }
};

TEST_F(Inference, GivesTheScoresOfTheClearBackend) {
  const auto result = server_.infer(keys_, encrypted());
  const Prediction raw = client_.decrypt_raw(secret_, result);
  ASSERT_EQ(raw.scores.size(), 2u);
  const double noise = result[0].noise.error_std / result[0].scale;
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_NEAR(raw.scores[c], expected()[c], 20 * noise);
  }
  EXPECT_LT(noise, 0x1p-18);
  EXPECT_EQ(raw.step, 0.0);
}

TEST_F(Inference, GivesTheClassInEveryForm) {
  const auto result = server_.infer(keys_, encrypted());
  const std::size_t best = expected()[0] > expected()[1] ? 0 : 1;
  const Prediction shared = client_.decrypt(secret_, result);
  EXPECT_EQ(shared.class_index, best);
  EXPECT_EQ(shared.class_name, server_.bundle().class_names[best]);
  EXPECT_EQ(client_.decrypt_raw(secret_, result).class_index, best);
  EXPECT_EQ(client_.decrypt_class(secret_, result), best);
}

TEST_F(Inference, SharesScoresRoundedAboveTheirNoise) {
  const auto result = server_.infer(keys_, encrypted());
  const Prediction shared = client_.decrypt(secret_, result);
  // The predicted noise of 2^-22, flooded by four bits.
  EXPECT_EQ(shared.step, 0x1p-18);
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_EQ(shared.scores[c] / shared.step, std::nearbyint(shared.scores[c] / shared.step));
    EXPECT_NEAR(shared.scores[c], expected()[c], 8 * shared.step);
  }
}

TEST_F(Inference, SharesNothingFinerThanAFreshEncryption) {
  ClientBundle bundle = client_.bundle();
  bundle.output_noise_std = 0x1p-200;  // what a malicious bundle would claim
  const Client client(bundle);
  const auto result = server_.infer(keys_, encrypted());
  DecryptOptions options;
  options.flood_bits = 0;
  const double fresh = secret_key_encryption_noise(client.context()->params()) / result[0].scale;
  EXPECT_GE(client.decrypt(secret_, result, options).step, fresh);
}

TEST_F(Inference, HearsWhereItStands) {
  std::vector<std::size_t> done;
  server_.infer(keys_, encrypted(), [&](std::string_view layer, std::size_t d, std::size_t total) {
    EXPECT_EQ(layer, "layer");
    EXPECT_EQ(total, server_.bundle().program.instructions.size());
    done.push_back(d);
  });
  EXPECT_EQ(done.size(), server_.bundle().program.instructions.size());
}

TEST_F(Inference, ClientMakesExactlyTheKeysAskedFor) {
  std::size_t reports = 0;
  const EvaluationKeys keys = client_.generate_evaluation_keys(
      secret_, [&](std::string_view, std::size_t done, std::size_t total) {
        EXPECT_EQ(done, ++reports);
        EXPECT_EQ(total, 3u);
      });
  EXPECT_EQ(reports, 3u);
  ASSERT_EQ(keys.relinearization.size(), 1u);
  EXPECT_EQ(keys.relinearization.at(2).level, 2);
  ASSERT_EQ(keys.rotations.size(), 2u);
  EXPECT_EQ(keys.rotations.at({1, 3}).key.level, 3);
  EXPECT_EQ(keys.rotations.at({2, 3}).key.level, 3);
}

TEST_F(Inference, ClientEncryptsByTheBundlesLayout) {
  const auto inputs = client_.encrypt(secret_, image_);
  ASSERT_EQ(inputs.size(), 1u);
  EXPECT_TRUE(inputs[0].seed.has_value());
  const auto slots = decrypt_raw(secret_, inputs[0]);
  for (std::size_t s = 0; s < 8; ++s) {
    EXPECT_NEAR(slots[s], image_[s % 4], 0x1p-24);
  }
}

TEST_F(Inference, RefusesImagesThatDoNotFit) {
  EXPECT_EQ(error_of(ErrorCode::kMismatch,
                     [&] { client_.encrypt(secret_, std::vector<double>(5, 0.0)); }),
            "image: small expects 4 values (1x2x2), got 5");
  for (const double bad : {1.5, -1.001, std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT(error_of(ErrorCode::kInvalidArgument,
                         [&] {
                           client_.encrypt(secret_, std::vector<double>{0, 0, bad, 0});
                         }),
                HasSubstr("image: small was compiled for values of -1 to 1, got "));
  }
}

TEST_F(Inference, RefusesIncompleteKeysBeforeItRuns) {
  bool ran = false;
  const auto infer = [&](const EvaluationKeys& keys) {
    server_.infer(keys, encrypted(), [&](auto...) { ran = true; });
  };
  EvaluationKeys keys = keys_;
  keys.rotations.erase({2, 3});
  EXPECT_THAT(error_of(ErrorCode::kMissingKey, [&] { infer(keys); }), HasSubstr("rotations by 2"));
  keys.rotations.emplace(std::pair(2, 2), KeyGenerator(twin_).rotation_key(2, 2));
  EXPECT_THAT(error_of(ErrorCode::kMissingKey, [&] { infer(keys); }),
              HasSubstr("no key for rotations by 2 serves level 3"));
  keys = keys_;
  keys.relinearization.clear();
  EXPECT_THAT(error_of(ErrorCode::kMissingKey, [&] { infer(keys); }),
              HasSubstr("no relinearization key serves level 2"));
  EXPECT_FALSE(ran);
}

TEST_F(Inference, RefusesKeysOfAnotherRing) {
  const EvaluationKeys keys = client_.generate_evaluation_keys(secret_);
  EXPECT_THAT(error_of(ErrorCode::kMismatch, [&] { server_.check_keys(keys); }),
              HasSubstr("evaluation keys"));
}

TEST_F(Inference, RefusesInputsThatAreNotTheProgramsBeforeItRuns) {
  const auto refusal = [&](std::vector<Ciphertext> inputs) {
    return error_of(ErrorCode::kMismatch, [&] { server_.infer(keys_, std::move(inputs)); });
  };
  EXPECT_EQ(refusal({}), "input: expected 1 ciphertexts, got 0");
  auto inputs = encrypted();
  EXPECT_EQ(refusal({square(inputs[0])}), "input 0: expected 2 polynomials, got 3");
  EXPECT_EQ(refusal({drop_level(inputs[0], 1)}), "input 0: expected level 3, got 1");
  inputs[0].scale *= 1.001;
  EXPECT_THAT(refusal(inputs), HasSubstr("input 0: expected scale 2^36"));

  ParamsSpec spec = testing::insecure_spec();
  spec.q_bits[0] = 44;
  const ContextPtr other = Context::make(Params(spec));
  const SecretKey secret = SecretKey::generate(other);
  EXPECT_THAT(refusal({ffconv::encrypt(secret, encode(*other, image_, 0x1p36, 3))}),
              HasSubstr("input 0: a ciphertext of other parameters"));
  EXPECT_THAT(refusal(client_.encrypt(secret_, image_)),
              HasSubstr("input 0: not read with this server's context"));
}

TEST_F(Inference, RefusesResultsThatAreNotTheBundles) {
  auto result = server_.infer(keys_, encrypted());
  const auto refusal = [&](const std::vector<Ciphertext>& ciphertexts) {
    return error_of(ErrorCode::kMismatch, [&] { client_.decrypt(secret_, ciphertexts); });
  };
  EXPECT_EQ(refusal({result[0], result[0]}), "result: expected 1 ciphertexts, got 2");
  EXPECT_EQ(refusal(encrypted()), "result 0: expected level 0, got 3");
  result[0].scale *= 2;
  EXPECT_THAT(refusal(result), HasSubstr("result 0: expected scale"));
}

TEST_F(Inference, IgnoresWhatCiphertextsSayOfTheirNoise) {
  auto inputs = encrypted();
  inputs[0].noise = {};
  auto result = server_.infer(keys_, inputs);
  EXPECT_GT(result[0].noise.error_std / result[0].scale, 0x1p-30);
  result[0].noise = {};
  EXPECT_EQ(client_.decrypt(secret_, result).step, 0x1p-18);
}

}  // namespace
}  // namespace ffconv::runtime
