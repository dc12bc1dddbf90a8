#include "ffconv/model/ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/model/float_executor.h"
#include "ffconv/model/normalize.h"
#include "ffconv/model/passes.h"
#include "support/error_of.h"
#include "support/onnx_builder.h"
#include "support/random_network.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::error_of;
using ::ffconv::testing::OnnxBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// x -> 2 x -> square of that plus 2 times it -> times 3, on one number.
Graph quadratic_graph(const std::string& ranges) {
  OnnxBuilder builder({1});
  const std::string x = builder.node("MatMul", {"image", builder.constant({1, 1}, {2})});
  std::string y = builder.node("Mul", {x, x});
  y = builder.node("Add", {y, builder.node("Mul", {x, builder.scalar(2)})});
  y = builder.node("MatMul", {y, builder.constant({1, 1}, {3})});
  builder.graph().mutable_node(0)->set_name("first");
  builder.graph().mutable_node(4)->set_name("last");
  if (!ranges.empty()) {
    auto* entry = builder.model().add_metadata_props();
    entry->set_key(kRangesKey);
    entry->set_value(ranges);
  }
  return builder.import(y);
}

std::optional<Ranges> bounds_of(const Graph& graph) {
  return ranges_from_metadata(graph, normalize(graph));
}

Dataset pixels(const Shape& shape, std::vector<std::uint8_t> values) {
  const std::size_t count = values.size() / shape.size();
  return {shape, 1, {"0"}, std::move(values), std::vector<std::uint8_t>(count, 0)};
}

TEST(Calibrate, FindsTheLargestValueOfEveryLayerOverAllImages) {
  const Network network = normalize(quadratic_graph(""));
  std::size_t calls = 0;
  // (2 * 5 + 1)^2 = 121; 3 * (121 - 1) = 360.
  const Ranges ranges = calibrate(network, pixels(network.input, {3, 5, 4}),
                                  [&](std::string_view, std::size_t done, std::size_t total) {
                                    EXPECT_EQ(done, ++calls);
                                    EXPECT_EQ(total, 3u);
                                  });
  EXPECT_EQ(ranges.input_max_abs, 5);
  EXPECT_THAT(ranges.max_abs, ElementsAre(11, 121, 360));
  EXPECT_EQ(calls, 3u);
}

TEST(Calibrate, RefusesOtherImagesAndNone) {
  const Network network = normalize(quadratic_graph(""));
  EXPECT_THAT(error_of(ErrorCode::kMismatch,
                       [&] {
                         calibrate(network, pixels(Shape{{2}}, {1, 2}));
                       }),
              HasSubstr("expected 1, got 2"));
  error_of(ErrorCode::kInvalidArgument, [&] { calibrate(network, pixels(network.input, {})); });
}

TEST(MetadataRanges, AreAbsentWithoutTheKey) {
  EXPECT_FALSE(bounds_of(quadratic_graph("")).has_value());
}

TEST(MetadataRanges, CarryOverToTheNormalizedNetwork) {
  // |2x| <= 10, so |2x + 1| <= 11.
  const auto ranges = bounds_of(quadratic_graph(R"({"input": 5, "first": 10, "last": 400})"));
  ASSERT_TRUE(ranges.has_value());
  EXPECT_EQ(ranges->input_max_abs, 5);
  EXPECT_THAT(ranges->max_abs, ElementsAre(11, 121, 400));
}

TEST(MetadataRanges, NameALayerByItsNodeOrItsOutput) {
  EXPECT_THAT(bounds_of(quadratic_graph(R"({"input": 5, "t0": 10, "t4": 400})"))->max_abs,
              ElementsAre(11, 121, 400));
}

TEST(MetadataRanges, FollowScalesIntoTheLayerAndDiagonals) {
  OnnxBuilder builder({1, 1, 2});
  std::string x = builder.node("Conv", {"image", builder.constant({1, 1, 1, 1}, {1})});
  x = builder.node("Mul", {x, builder.scalar(-3)});
  x = builder.node("Add", {x, builder.constant({2}, {1, -2})});
  x = builder.node("Mul", {x, builder.constant({2}, {1, 5})});
  auto* entry = builder.model().add_metadata_props();
  entry->set_key(kRangesKey);
  entry->set_value(R"({"input": 1, "t0": 10})");
  // All of it is one scale (-3, -15) and offset (1, -10), which a convolution cannot take.
  EXPECT_THAT(bounds_of(builder.import(x))->max_abs, ElementsAre(10, 160));
}

TEST(MetadataRanges, FollowForPoolingFromItsInput) {
  OnnxBuilder builder({1, 2, 2});
  std::string x = builder.node("Conv", {"image", builder.constant({1, 1, 1, 1}, {1})});
  x = builder.node("GlobalAveragePool", {x});
  auto* entry = builder.model().add_metadata_props();
  entry->set_key(kRangesKey);
  entry->set_value(R"({"input": 1, "t0": 10})");
  EXPECT_THAT(bounds_of(builder.import(x))->max_abs, ElementsAre(10, 10));
}

TEST(MetadataRanges, HoldForWhateverTheGraphComputes) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Graph graph = ffconv::testing::random_graph(seed, ffconv::testing::Activations::kQuadratic);
    const auto image = ffconv::testing::random_image(graph.input_shape(), seed);
    // Bounds of the graph's own tensors on this image.
    std::string json = R"({"input": 255)";
    for (const Node& node : graph.nodes) {
      if (std::holds_alternative<Conv>(node.op) || std::holds_alternative<Gemm>(node.op)) {
        Graph part = graph;
        part.output = node.output;
        double largest = 0;
        for (const double value : run_float(part, image)) {
          largest = std::max(largest, std::abs(value));
        }
        json += fmt::format(R"(, "{}": {:.17g})", node.name, largest);
      }
    }
    graph.metadata[kRangesKey] = json + "}";
    const Network network = normalize(graph);
    const auto bounds = ranges_from_metadata(graph, network);
    ASSERT_TRUE(bounds.has_value());
    std::vector<double> values = image;
    for (std::size_t k = 0; k < network.layers.size(); ++k) {
      values = run_layer(network.layers[k], values);
      for (const double value : values) {
        ASSERT_LE(std::abs(value), bounds->max_abs[k] * (1 + 1e-12)) << "layer " << k;
      }
    }
  }
}

TEST(MetadataRanges, CarryOverWhenAffineNodesAreFoldedIntoTheGraph) {
  OnnxBuilder builder({1, 1, 2});
  std::string x = builder.node("Conv", {"image", builder.constant({1, 1, 1, 1}, {1})});
  x = builder.node("Mul", {x, builder.scalar(-3)});
  x = builder.node("Add", {x, builder.scalar(2)});
  auto* entry = builder.model().add_metadata_props();
  entry->set_key(kRangesKey);
  entry->set_value(R"({"input": 1, "t0": 10})");
  const Graph graph = fold_affine(builder.import(x));
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_THAT(bounds_of(graph)->max_abs, ElementsAre(32));
}

TEST(MetadataRanges, AreRefusedUnlessEveryBoundIsThereOnceAndAPositiveNumber) {
  const auto error = [](const std::string& json) {
    const Graph graph = quadratic_graph(json);
    return error_of(ErrorCode::kFormat, [&] { bounds_of(graph); });
  };
  EXPECT_THAT(error("not json"), HasSubstr("JSON object"));
  EXPECT_THAT(error("[1]"), HasSubstr("JSON object"));
  EXPECT_THAT(error(R"({"input": 5, "first": 10})"), HasSubstr("'last' is missing"));
  EXPECT_THAT(error(R"({"first": 10, "last": 4})"), HasSubstr("'input' is missing"));
  EXPECT_THAT(error(R"({"input": 5, "first": 1, "t0": 1, "last": 4})"), HasSubstr("twice"));
  EXPECT_THAT(error(R"({"input": 5, "first": 1, "last": 4, "other": 1})"), HasSubstr("'other'"));
  EXPECT_THAT(error(R"({"input": -5, "first": 1, "last": 4})"), HasSubstr("above 0"));
  EXPECT_THAT(error(R"({"input": 0, "first": 1, "last": 4})"), HasSubstr("above 0"));
  EXPECT_THAT(error(R"({"input": "5", "first": 1, "last": 4})"), HasSubstr("string"));
  EXPECT_THAT(error(R"({"input": NaN, "first": 1, "last": 4})"), HasSubstr("JSON object"));
  EXPECT_THAT(error(R"({"input": 1e999, "first": 1, "last": 4})"), HasSubstr("JSON object"));
  EXPECT_THAT(error(R"({"input": 5, "first": 1e200, "last": 4})"), HasSubstr("overflows"));
  EXPECT_THAT(error(R"({"input": )" + std::string(100000, '[') + std::string(100000, ']') +
                    R"(, "first": 1, "last": 4})"),
              HasSubstr("array"));
}

}  // namespace
}  // namespace ffconv::model
