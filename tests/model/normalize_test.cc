#include "ffconv/model/normalize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/base/error.h"
#include "ffconv/model/float_executor.h"
#include "support/onnx_builder.h"
#include "support/random_network.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::Activations;
using ::ffconv::testing::OnnxBuilder;
using ::ffconv::testing::random_graph;
using ::ffconv::testing::random_image;
using ::testing::HasSubstr;

// Expects that the network computes what the graph does, to a relative 1e-10 of the largest score.
void expect_equal(const Graph& graph, const Network& network, std::uint64_t seed) {
  const auto image = random_image(graph.input_shape(), seed);
  const auto expected = run_float(graph, image);
  const auto got = run_float(network, image);
  ASSERT_EQ(got.size(), expected.size());
  double largest = 1;
  for (const double score : expected) {
    largest = std::max(largest, std::abs(score));
  }
  for (std::size_t k = 0; k < expected.size(); ++k) {
    EXPECT_NEAR(got[k], expected[k], 1e-10 * largest) << "class " << k;
  }
}

TEST(Normalize, KeepsTheFunctionOfRandomGraphs) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    const Graph graph = random_graph(seed, Activations::kQuadratic);
    expect_equal(graph, normalize(graph), seed);
  }
}

}  // namespace
}  // namespace ffconv::model
