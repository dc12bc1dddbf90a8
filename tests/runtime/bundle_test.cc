#include "ffconv/runtime/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/program_builder.h"

namespace ffconv::runtime {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

ServerBundle small_bundle() {
  return {"small",
          {{1, 2, 2}},
          {"dark", "bright"},
          testing::small_program(testing::insecure_spec(), 0x1p36, 0x1p-20),
          {1, 2, 3}};
}

TEST(Bundle, ClientsPartHasWhatAClientNeeds) {
  const ServerBundle server = small_bundle();
  const ClientBundle client = client_bundle(server);
  EXPECT_EQ(client.model_name, "small");
  EXPECT_EQ(client.params, server.program.params);
  EXPECT_EQ(client.input_shape, server.input_shape);
  EXPECT_EQ(client.class_names, server.class_names);
  EXPECT_EQ(client.fingerprint, server.fingerprint);
  EXPECT_EQ(client.output_noise_std, 0x1p-20);
  ASSERT_EQ(client.inputs.size(), 1u);
  EXPECT_EQ(client.inputs[0].labels.elements, (std::vector<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(client.inputs[0].level, 3);
  EXPECT_EQ(client.inputs[0].scale, 0x1p36);
  EXPECT_EQ(client.inputs[0].max_abs, 1.0);
  ASSERT_EQ(client.outputs.size(), 1u);
  EXPECT_EQ(client.outputs[0].labels.elements, (std::vector<std::int32_t>{0, 1, -1, -1}));
  EXPECT_EQ(client.outputs[0].level, 0);
  EXPECT_EQ(client.outputs[0].scale, server.program.values.back().scale);
  EXPECT_EQ(client.outputs[0].max_abs, 5.0);
  EXPECT_EQ(client.keys.relinearization, std::vector<std::int32_t>{2});
  ASSERT_EQ(client.keys.rotations.size(), 2u);
  EXPECT_EQ(client.keys.rotations[0].level, 3);
}

TEST(Bundle, ThatFitsTogetherIsAccepted) {
  EXPECT_NO_THROW(check(small_bundle(), "bundle"));
  EXPECT_NO_THROW(check(client_bundle(small_bundle()), "bundle"));
}

TEST(Bundle, WithTooManyClassNamesIsRefused) {
  ServerBundle bundle = small_bundle();
  bundle.class_names.push_back("third");
  EXPECT_EQ(error_of(ErrorCode::kFormat, [&] { check(bundle, "x"); }),
            "x: expected scores of 3 classes, got 2");
}

TEST(Bundle, WithTooFewClassNamesIsRefused) {
  ServerBundle bundle = small_bundle();
  bundle.class_names.pop_back();
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { check(bundle, "x"); }),
              HasSubstr("x: output: expected labels of 1 elements, got 1"));
}

TEST(Bundle, WithAnotherImageShapeIsRefused) {
  ServerBundle bundle = small_bundle();
  bundle.input_shape = {{3}};
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { check(bundle, "x"); }),
              HasSubstr("x: input: expected labels of 3 elements, got 3"));
}

TEST(Bundle, NamesOnATerminalCannotControlIt) {
  ServerBundle bundle = small_bundle();
  bundle.program.layers[0] = "\x1b]0;title\a";
  EXPECT_EQ(error_of(ErrorCode::kFormat, [&] { check(bundle, "x"); }),
            "x: a layer name with control characters");
}

}  // namespace
}  // namespace ffconv::runtime
