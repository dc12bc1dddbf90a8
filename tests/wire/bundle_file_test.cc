#include "ffconv/wire/bundle_file.h"

#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/temporary_directory.h"
#include "wire/small_files.h"

namespace ffconv::wire {
namespace {

using runtime::ClientBundle;
using runtime::ServerBundle;
using testing::error_of;
using ::testing::HasSubstr;
using testing::small_bundle;

TEST(BundleFile, GivesTheServerBundleBack) {
  const testing::TemporaryDirectory directory;
  const ServerBundle bundle = small_bundle();
  save(directory.path() / "small.server", bundle);
  const ServerBundle back = load_server_bundle(directory.path() / "small.server");
  EXPECT_EQ(back.model_name, "small");
  EXPECT_EQ(back.input_shape, bundle.input_shape);
  EXPECT_EQ(back.class_names, bundle.class_names);
  EXPECT_EQ(back.fingerprint, bundle.fingerprint);
  EXPECT_EQ(back.program.params, bundle.program.params);
  ASSERT_EQ(back.program.instructions.size(), bundle.program.instructions.size());
  EXPECT_EQ(back.program.vectors[3].values, bundle.program.vectors[3].values);
  // All fields at once: what is written from it is the same, byte for byte.
  EXPECT_EQ(to_bytes(back), to_bytes(bundle));
}

TEST(BundleFile, GivesTheClientBundleBack) {
  const testing::TemporaryDirectory directory;
  const ClientBundle bundle = client_bundle(small_bundle());
  save(directory.path() / "small.client", bundle);
  const ClientBundle back = load_client_bundle(directory.path() / "small.client");
  EXPECT_EQ(back.model_name, "small");
  EXPECT_EQ(back.params, bundle.params);
  EXPECT_EQ(back.keys.relinearization, std::vector<std::int32_t>{0});
  ASSERT_EQ(back.keys.rotations.size(), 2u);
  EXPECT_EQ(back.keys.rotations[1].step, 2);
  EXPECT_EQ(back.outputs[0].labels.elements, (std::vector<std::int32_t>{0, 1, -1, -1}));
  EXPECT_EQ(back.output_noise_std, 0.25);
  EXPECT_EQ(back.fingerprint, small_bundle().fingerprint);
  EXPECT_EQ(to_bytes(back), to_bytes(bundle));
}

TEST(BundleFile, FingerprintFollowsEveryPartOfTheNetwork) {
  const ServerBundle bundle = small_bundle();
  std::set<Fingerprint> seen = {bundle.fingerprint};
  EXPECT_EQ(small_bundle().fingerprint, bundle.fingerprint);

  plan::Program weights = bundle.program;
  weights.vectors[0].values[0] += 1e-9;
  seen.insert(make_bundle(weights, "small", {{1, 2, 2}}, {"dark", "bright"}).fingerprint);
  seen.insert(make_bundle(bundle.program, "smail", {{1, 2, 2}}, {"dark", "bright"}).fingerprint);
  seen.insert(make_bundle(bundle.program, "small", {{4}}, {"dark", "bright"}).fingerprint);
  seen.insert(make_bundle(bundle.program, "small", {{1, 2, 2}}, {"a", "bright"}).fingerprint);
  EXPECT_EQ(seen.size(), 5u);
}

// The client's file must not grow with the network: neither weights nor layers are in it.
TEST(BundleFile, ClientBundleDoesNotDependOnTheWeights) {
  ServerBundle bundle = small_bundle();
  const auto before = to_bytes(client_bundle(bundle));
  for (plan::SlotVector& vector : bundle.program.vectors) {
    for (double& weight : vector.values) {
      weight *= 0.5;
    }
  }
  bundle.program.layers = {"another layer"};
  EXPECT_EQ(to_bytes(client_bundle(bundle)), before);
}

TEST(BundleFile, ParametersForTestingAreNotWritten) {
  const plan::Program program = testing::small_program(testing::insecure_spec(), 0x1p36, 0x1p-20);
  error_of(ErrorCode::kInsecure, [&] {
    make_bundle(program, "small", {{1, 2, 2}}, {"dark", "bright"});
  });
  const ServerBundle bundle{"small", {{1, 2, 2}}, {"dark", "bright"}, program, {}};
  error_of(ErrorCode::kInsecure, [&] { to_bytes(bundle); });
  error_of(ErrorCode::kInsecure, [&] { to_bytes(client_bundle(bundle)); });
}

TEST(BundleFile, ParametersBeyondTheSecurityTableAreNotRead) {
  ClientBundle bundle = client_bundle(small_bundle());
  auto file = to_bytes(bundle);
  // The second prime's size stands after the name, log_n, prime_log_n, the count and
  // the first size.
  const std::size_t at = kHeaderBytes + 4 + 5 + 4 + 4 + 4 + 8;
  ByteWriter larger;
  larger.f64(18.9);
  std::ranges::copy(larger.view(), file.begin() + static_cast<std::ptrdiff_t>(at));
  testing::reseal(file);
  EXPECT_THAT(error_of(ErrorCode::kInsecure, [&] { parse_client_bundle(file, "x.client"); }),
              HasSubstr("log2 QP"));
}

TEST(BundleFile, AServerBundleWithAnotherFingerprintIsRefused) {
  ServerBundle bundle = small_bundle();
  bundle.fingerprint[0] ^= 1;
  error_of(ErrorCode::kMismatch, [&] { parse_server_bundle(to_bytes(bundle), "x.server"); });
}

TEST(BundleFile, AProgramThatDoesNotFitTogetherIsRefused) {
  ServerBundle bundle = small_bundle();
  bundle.program.instructions[0].terms[0].vector = 1000;
  auto file = to_bytes(bundle);
  testing::reseal(file);
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { parse_server_bundle(file, "x.server"); }),
              HasSubstr("x.server"));
}

struct BadClient {
  const char* expected;
  std::function<void(ClientBundle&)> alter;
};

TEST(BundleFile, AClientBundleThatDoesNotFitTogetherIsRefused) {
  const std::vector<BadClient> cases = {
      {"control characters", [](ClientBundle& b) { b.class_names[0] = "\x1b[2J"; }},
      {"control characters", [](ClientBundle& b) { b.model_name = "a\nb"; }},
      {"got none", [](ClientBundle& b) { b.input_shape.dims.clear(); }},
      {"got shape",
       [](ClientBundle& b) {
         b.input_shape.dims = {1u << 30, 1u << 30, 1u << 30};
       }},
      {"labels of 3 elements", [](ClientBundle& b) { b.input_shape.dims = {3}; }},
      {"period", [](ClientBundle& b) { b.inputs[0].labels.elements.push_back(0); }},
      {"labels of 4 elements", [](ClientBundle& b) { b.inputs[0].labels.elements[0] = -2; }},
      {"level of 0 to 1", [](ClientBundle& b) { b.inputs[0].level = 2; }},
      {"do not fit", [](ClientBundle& b) { b.outputs[0].scale = 0x1p18; }},
      {"do not fit", [](ClientBundle& b) { b.inputs[0].scale = -1; }},
      {"do not fit", [](ClientBundle& b) { b.inputs[0].max_abs = 0; }},
      {"at least one", [](ClientBundle& b) { b.inputs.clear(); }},
      {"at least one", [](ClientBundle& b) { b.outputs.clear(); }},
      {"scores of 3 classes", [](ClientBundle& b) { b.class_names.push_back("third"); }},
      {"relinearization key", [](ClientBundle& b) { b.keys.relinearization = {2}; }},
      {"ascending", [](ClientBundle& b) { b.keys.rotations[1].step = 1; }},
      {"ascending", [](ClientBundle& b) { b.keys.rotations[1].step = 2048; }},
      {"rotations by 2", [](ClientBundle& b) { b.keys.rotations[1].level = 2; }},
      {"positive noise", [](ClientBundle& b) { b.output_noise_std = 0; }},
  };
  for (const BadClient& bad : cases) {
    SCOPED_TRACE(bad.expected);
    ClientBundle bundle = client_bundle(small_bundle());
    bad.alter(bundle);
    const auto file = to_bytes(bundle);
    EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { parse_client_bundle(file, "x.client"); }),
                ::testing::AllOf(HasSubstr("x.client: "), HasSubstr(bad.expected)));
  }
}

}  // namespace
}  // namespace ffconv::wire
