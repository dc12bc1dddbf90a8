#include "ffconv/model/ranges.h"

#include <cmath>

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
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// x -> 2 x -> square of that plus 2 times it -> times 3, on one number.
Graph quadratic_graph(const std::string& ranges, const std::string& rms = "") {
  OnnxBuilder builder({1});
  const std::string x = builder.node("MatMul", {"image", builder.constant({1, 1}, {2})});
  std::string y = builder.node("Mul", {x, x});
  y = builder.node("Add", {y, builder.node("Mul", {x, builder.scalar(2)})});
  y = builder.node("MatMul", {y, builder.constant({1, 1}, {3})});
  builder.graph().mutable_node(0)->set_name("first");
  builder.graph().mutable_node(4)->set_name("last");
  Graph graph = builder.import(y);
  if (!ranges.empty()) {
    graph.metadata[kRangesKey] = ranges;
  }
  if (!rms.empty()) {
    graph.metadata[kRmsKey] = rms;
  }
  return graph;
}

std::optional<Ranges> ranges_of(const Graph& graph) {
  return ranges_from_metadata(graph, normalize(graph));
}

std::vector<double> bounds_of(const Ranges& ranges) {
  std::vector<double> bounds;
  for (const Range& layer : ranges.layers) {
    bounds.push_back(layer.max_abs);
  }
  return bounds;
}

std::vector<double> rms_of(const Ranges& ranges) {
  std::vector<double> rms;
  for (const Range& layer : ranges.layers) {
    rms.push_back(layer.rms);
  }
  return rms;
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
  EXPECT_EQ(ranges.input.max_abs, 5);
  EXPECT_THAT(bounds_of(ranges), ElementsAre(11, 121, 360));
  EXPECT_EQ(calls, 3u);
  // 7, 11, 9; their squares 49, 121, 81, of which 1 is taken before the last layer's factor 3.
  EXPECT_DOUBLE_EQ(ranges.input.rms, std::sqrt((9 + 25 + 16) / 3.0));
  EXPECT_THAT(rms_of(ranges),
              ElementsAre(DoubleEq(std::sqrt(251 / 3.0)), DoubleEq(std::sqrt(23603 / 3.0)),
                          DoubleEq(3 * std::sqrt((48 * 48 + 120 * 120 + 80 * 80) / 3.0))));
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
  EXPECT_FALSE(ranges_of(quadratic_graph("")).has_value());
}

TEST(MetadataRanges, CarryOverToTheNormalizedNetwork) {
  // |2x| <= 10, so |2x + 1| <= 11.
  const auto ranges = ranges_of(quadratic_graph(R"({"input": 5, "first": 10, "last": 400})"));
  ASSERT_TRUE(ranges.has_value());
  EXPECT_EQ(ranges->input.max_abs, 5);
  EXPECT_THAT(bounds_of(*ranges), ElementsAre(11, 121, 400));
}

TEST(MetadataRanges, RootMeanSquaresCarryOverToo) {
  const auto ranges = ranges_of(quadratic_graph(R"({"input": 5, "first": 10, "last": 400})",
                                                R"({"input": 2, "t0": 3, "last": 70})"));
  EXPECT_EQ(ranges->input.rms, 2);
  // At most 3 + 1; the square of a Gaussian of variance 16.
  EXPECT_THAT(rms_of(*ranges), ElementsAre(4, DoubleEq(16 * std::sqrt(3)), 70));
}

TEST(MetadataRanges, WithoutRootMeanSquaresTakeAQuarterOfTheBounds) {
  const auto ranges = ranges_of(quadratic_graph(R"({"input": 5, "first": 10, "last": 400})"));
  EXPECT_EQ(ranges->input.rms, 5);
  EXPECT_THAT(rms_of(*ranges), ElementsAre(3.5, DoubleEq(12.25 * std::sqrt(3)), 100));
}

TEST(MetadataRanges, NameALayerByItsNodeOrItsOutput) {
  EXPECT_THAT(bounds_of(*ranges_of(quadratic_graph(R"({"input": 5, "t0": 10, "t4": 400})"))),
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
  EXPECT_THAT(bounds_of(*ranges_of(builder.import(x))), ElementsAre(10, 160));
}

TEST(MetadataRanges, FollowForPoolingFromItsInput) {
  OnnxBuilder builder({1, 2, 2});
  std::string x = builder.node("Conv", {"image", builder.constant({1, 1, 1, 1}, {1})});
  x = builder.node("GlobalAveragePool", {x});
  auto* entry = builder.model().add_metadata_props();
  entry->set_key(kRangesKey);
  entry->set_value(R"({"input": 1, "t0": 10})");
  EXPECT_THAT(bounds_of(*ranges_of(builder.import(x))), ElementsAre(10, 10));
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
    run_layers(network, image, [&](std::size_t k, const std::vector<double>& values) {
      for (const double value : values) {
        ASSERT_LE(std::abs(value), bounds->layers[k].max_abs * (1 + 1e-12)) << "layer " << k;
      }
    });
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
  EXPECT_THAT(bounds_of(*ranges_of(graph)), ElementsAre(32));
}

TEST(MetadataRanges, AreRefusedUnlessEveryBoundIsThereOnceAndAPositiveNumber) {
  const auto error = [](const std::string& json) {
    const Graph graph = quadratic_graph(json);
    return error_of(ErrorCode::kFormat, [&] { ranges_of(graph); });
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

TEST(MetadataRanges, RootMeanSquaresAreRefusedLikeBounds) {
  const auto error = [](const std::string& json) {
    const Graph graph = quadratic_graph(R"({"input": 5, "first": 10, "last": 400})", json);
    return error_of(ErrorCode::kFormat, [&] { ranges_of(graph); });
  };
  EXPECT_THAT(error(R"({"input": 5, "first": 10})"),
              HasSubstr("metadata ffconv.rms: 'last' is missing"));
  EXPECT_THAT(error(R"({"input": 5, "first": -1, "last": 4})"), HasSubstr("above 0"));
}

}  // namespace
}  // namespace ffconv::model
