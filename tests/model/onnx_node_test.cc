// ONNX's own node tests, for whatever operator: agreement or a refusal.
#include <filesystem>
#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/node_cases.h"

namespace ffconv::testing {
namespace {

using ::testing::AnyOf;
using ::testing::StartsWith;

// Debian's libonnx-testdata.
const std::filesystem::path kNodeTests = "/usr/share/libonnx-testdata/data/node";

TEST(OnnxNodeTests, AgreeOrAreRefused) {
  if (!std::filesystem::is_directory(kNodeTests)) {
    GTEST_SKIP() << kNodeTests << " is missing: install libonnx-testdata";
  }
  std::size_t by_image = 0;
  std::size_t by_constants = 0;
  std::size_t refused = 0;  // though FFConv has the operators
  std::size_t foreign = 0;  // refused for their operators
  for (const NodeCase& node_case : load_node_cases(kNodeTests)) {
    const NodeResult result = run_node_case(node_case);
    EXPECT_NE(result.outcome, Outcome::kDiffers) << node_case.name;
    by_image += result.outcome == Outcome::kAgrees ? 1 : 0;
    by_constants += result.outcome == Outcome::kAgreesOnConstants ? 1 : 0;
    if (result.outcome == Outcome::kRefused) {
      EXPECT_THAT(result.refusal, AnyOf(StartsWith("node case: "), StartsWith("tensor ")))
          << node_case.name;
      ++(has_operators(node_case) ? refused : foreign);
    }
  }
  std::cout << "ONNX node tests: " << by_image << " agree on images, " << by_constants
            << " on constants, " << refused << " of supported operators and " << foreign
            << " of others are refused\n";
  // Counted with libonnx-testdata 1.12.
  EXPECT_GE(by_image, 82u);
  EXPECT_GE(by_constants, 96u);
}

}  // namespace
}  // namespace ffconv::testing
