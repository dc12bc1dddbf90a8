// Whole networks in real, secure rings: random networks, compiled, through the bytes of every file.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ffconv/backend/clear.h"
#include "ffconv/model/ranges.h"
#include "ffconv/plan/compile.h"
#include "ffconv/runtime/secret/client.h"
#include "ffconv/runtime/server.h"
#include "ffconv/wire/bundle_file.h"
#include "ffconv/wire/ciphertexts_file.h"
#include "ffconv/wire/keys_file.h"
#include "support/random_network.h"

namespace ffconv::runtime {
namespace {

model::Dataset random_images(const model::Shape& shape, std::uint64_t seed) {
  model::Dataset images;
  images.shape = shape;
  images.classes = 1;
  images.class_names = {"any"};
  for (std::uint64_t i = 0; i < 20; ++i) {
    for (const double pixel : testing::random_image(shape, seed + i)) {
      images.pixels.push_back(static_cast<std::uint8_t>(pixel));
    }
    images.labels.push_back(0);
  }
  return images;
}

std::vector<std::uint8_t> keys_of(const Client& client, const SecretKey& secret) {
  return wire::to_bytes(client.generate_evaluation_keys(secret), client.context(),
                        client.bundle().fingerprint);
}

struct Network {
  std::uint64_t seed;
  plan::Packing packing;
  testing::Connections connections = testing::Connections::kChain;
};

class NetworkRoundTrip : public ::testing::TestWithParam<Network> {};

TEST_P(NetworkRoundTrip, EncryptedAgreesWithTheClearBackendWithinThePredictedNoise) {
  const auto [seed, packing, connections] = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const model::Network network =
      testing::random_network(seed, testing::Activations::kQuadratic, connections);
  plan::CompileOptions options;
  options.packing = packing;
  plan::Compiled compiled = plan::compile(
      network, model::calibrate(network, random_images(network.input, seed)), options);
  const ServerBundle bundle =
      wire::make_bundle(std::move(compiled.program), "random", network.input, network.class_names);
  const Fingerprint& fingerprint = bundle.fingerprint;

  const Client client(wire::parse_client_bundle(wire::to_bytes(client_bundle(bundle)), "client"));
  const Server server(wire::parse_server_bundle(wire::to_bytes(bundle), "server"));
  const SecretKey secret = client.generate_secret();
  const auto keys_bytes = keys_of(client, secret);
  EXPECT_EQ(keys_bytes.size(), wire::key_bytes(client.context()->params(), client.bundle().keys));
  const auto keys = wire::parse_evaluation_keys(keys_bytes, server.context(), fingerprint, "keys");

  const auto image = testing::random_image(network.input, seed + 7);  // one of those calibrated on
  const auto upload = wire::to_bytes(client.encrypt(secret, image), fingerprint);
  EXPECT_EQ(upload.size(), wire::upload_bytes(client.context()->params(), bundle.program));
  const auto outputs =
      server.infer(keys, wire::parse_ciphertexts(upload, server.context(), fingerprint, "inputs"));
  // Others beside it change nothing.
  const auto other = client.encrypt(secret, testing::random_image(network.input, seed + 8));
  const auto together = server.infer_together(
      keys, {wire::parse_ciphertexts(wire::to_bytes(other, fingerprint), server.context(),
                                     fingerprint, "others"),
             wire::parse_ciphertexts(upload, server.context(), fingerprint, "inputs")});
  ASSERT_EQ(together.size(), 2u);
  EXPECT_EQ(wire::to_bytes(together[1], fingerprint), wire::to_bytes(outputs, fingerprint));
  const auto download = wire::to_bytes(outputs, fingerprint);
  EXPECT_EQ(download.size(), wire::download_bytes(client.context()->params(), bundle.program));
  const auto result = wire::parse_ciphertexts(download, client.context(), fingerprint, "outputs");

  const auto expected = backend::run_clear(bundle.program, image, network.classes);
  const Prediction exact = client.decrypt_raw(secret, result);
  const Prediction shared = client.decrypt(secret, result);
  const double noise = bundle.program.output_noise_std;
  for (std::size_t c = 0; c < network.classes; ++c) {
    EXPECT_NEAR(exact.scores[c], expected[c], 10 * noise) << "class " << c;
    EXPECT_NEAR(shared.scores[c], expected[c], 10 * shared.step) << "class " << c;
  }
  EXPECT_GE(shared.step, 16 * noise);
}

INSTANTIATE_TEST_SUITE_P(
    SlowRandom, NetworkRoundTrip,
    ::testing::Values(Network{1, plan::Packing::kAuto}, Network{2, plan::Packing::kAuto},
                      Network{3, plan::Packing::kDense}, Network{4, plan::Packing::kDense},
                      Network{5, plan::Packing::kLola}, Network{6, plan::Packing::kLola},
                      Network{7, plan::Packing::kConv}, Network{8, plan::Packing::kFfconv},
                      Network{9, plan::Packing::kFalcon}, Network{10, plan::Packing::kBatch},
                      Network{11, plan::Packing::kAuto, testing::Connections::kResidual},
                      Network{12, plan::Packing::kDense, testing::Connections::kResidual},
                      Network{13, plan::Packing::kAuto, testing::Connections::kResidual}),
    [](const auto& instance) {
      return std::string(to_string(instance.param.packing)) + "_" +
             std::to_string(instance.param.seed);
    });

}  // namespace
}  // namespace ffconv::runtime
