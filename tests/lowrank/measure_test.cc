#include "ffconv/lowrank/measure.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "ffconv/lowrank/ranges.h"
#include "ffconv/model/extremes.h"
#include "ffconv/model/float_executor.h"
#include "ffconv/model/normalize.h"
#include "ffconv/model/ranges.h"
#include "support/random_images.h"
#include "support/random_network.h"

namespace ffconv::lowrank {
namespace {

using ::ffconv::testing::OnnxBuilder;
using ::ffconv::testing::random_graph;
using ::ffconv::testing::random_images;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

TEST(Loss, CountsRightAnswersWithLabelsAndChangedOnesWithout) {
  const std::vector<std::size_t> before{0, 1, 2, 2}, after{0, 2, 2, 1};
  EXPECT_DOUBLE_EQ(loss(before, after, {}), 0.5);
  const std::vector<std::uint8_t> labels{0, 1, 2, 0};  // 3 right before, 2 after
  EXPECT_DOUBLE_EQ(loss(before, after, labels), 0.25);
  EXPECT_DOUBLE_EQ(loss(after, before, labels), -0.25);
}

TEST(Measure, ErrorsAreRelativeOverAllImages) {
  // Outputs (p, q) of two pixels; weights alone say nothing of which direction goes, images do.
  OnnxBuilder builder({2});
  const auto graph =
      builder.import(builder.node("MatMul", {"image", builder.constant({2, 2}, {2, 0, 0, 1})}));
  const auto layers = find_layers(graph);
  const auto factorized = factorize(graph, layers, weight_components(graph, layers), {1});
  const model::Dataset images{{{2}}, 2, {"a", "b"}, {3, 4, 0, 5, 1, 0}, {0, 1, 0}};
  const auto result = measure(graph, factorized, layers, images, 3, {"", {}});
  // z = (6, 4), (0, 5), (2, 0); the second component is lost.
  EXPECT_THAT(result.output_errors,
              ElementsAre(::testing::DoubleEq(std::sqrt(41.0 / (36 + 16 + 25 + 4)))));
  EXPECT_DOUBLE_EQ(result.score_error, result.output_errors[0]);
  EXPECT_THAT(result.before, ElementsAre(0, 1, 0));
  EXPECT_THAT(result.after, ElementsAre(0, 0, 0));
  EXPECT_EQ(predictions(graph, images, 3, {"", {}}), result.before);
}

TEST(Sensitivities, AreTheScoresErrorForEachLostPartOfALayersEnergy) {
  // The second layer makes the first one's faint output ten times larger than the other.
  OnnxBuilder builder({2});
  std::string x = builder.node("MatMul", {"image", builder.constant({2, 2}, {1, 0, 0, 1})});
  x = builder.node("MatMul", {x, builder.constant({2, 2}, {1, 0, 0, 10})});
  const auto graph = builder.import(x);
  const auto layers = find_layers(graph);
  const model::Dataset images{{{2}}, 1, {"any"}, {0, 10, 200, 10, 0, 14, 200, 14}, {0, 0, 0, 0}};
  const auto components = response_components(graph, layers, images, 4);
  const auto result = sensitivities(graph, layers, components, images, 4, {});
  // Lost of the first layer: 2^2 of 100^2 + 2^2. Scores: 20^2 of the mean of all squares.
  const double scores = 200 * 200 / 2.0 + 100 * (100 + 196) / 2.0;
  EXPECT_NEAR(result[0], 400 / scores / (4.0 / 10004), 1e-6);
  EXPECT_NEAR(result[1], 400 / scores / (400.0 / 10400), 1e-6);
}

std::map<std::string, double> parse(const std::string& json) {
  return nlohmann::json::parse(json).get<std::map<std::string, double>>();
}

// Every graph value within its bound on these images.
void expect_within(const model::Graph& graph, const model::Dataset& images) {
  const auto ranges = model::node_ranges(graph);
  ASSERT_TRUE(ranges.has_value());
  for (std::size_t i = 0; i < images.size(); ++i) {
    run_float(graph, images.image(i), [&](const model::Node& node, std::span<const double> output) {
      if (model::is_linear(node)) {
        for (const double value : output) {
          ASSERT_LE(std::abs(value), ranges->layers.at(node.name).max_abs)
              << node.name << ", image " << i;
        }
      }
    });
  }
}

TEST(MeasuredRanges, HoldOnImagesAndWhereTheOriginalsHeldOnExtremes) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    auto graph = random_graph(seed, ffconv::testing::Activations::kQuadratic);
    const auto layers = find_layers(graph);
    const auto images = random_images(graph.input_shape(), 8, 2, seed);
    const auto extremes = model::extreme_images(graph.input_shape());
    // Bounds that cover the extremes: those of a "factorization" that changes nothing.
    measure_ranges(graph, graph, extremes, extremes.size());
    auto factorized = factorize(graph, layers, response_components(graph, layers, images, 8),
                                Ranks(layers.size(), 1));
    measure_ranges(graph, factorized, images, 8);
    expect_within(factorized, images);
    expect_within(factorized, extremes);
    EXPECT_TRUE(model::ranges_from_metadata(factorized, normalize(factorized)).has_value());
  }
}

// Three dense layers of one feature, of which the second is factorized: rank 1 changes nothing.
model::Graph three_layers(const std::string& ranges) {
  OnnxBuilder builder({1});
  std::string x = "image";
  for (const double weight : {0.5, 2.0, 3.0}) {
    x = builder.node("MatMul", {x, builder.constant({1, 1}, {weight})});
  }
  auto graph = builder.import(x);
  if (!ranges.empty()) {
    graph.metadata[model::kRangesKey] = ranges;
  }
  return graph;
}

model::Graph factorized_layers(const std::string& old) {
  const auto graph = three_layers(old);
  const auto layers = find_layers(graph);
  auto factorized = factorize(graph, layers, weight_components(graph, layers), {kWhole, 1, kWhole});
  const model::Dataset images{{{1}}, 1, {"any"}, {100, 40}, {0, 0}};
  measure_ranges(graph, factorized, images, 2);
  return factorized;
}

std::map<std::string, double> ranges_of(const std::string& old) {
  return parse(factorized_layers(old).metadata.at(model::kRangesKey));
}

TEST(MeasuredRanges, SayRootMeanSquaresOfTheImages) {
  using Entry = std::pair<const std::string, double>;
  // Pixels 100 and 40: sqrt(5800) = 76.16, times 0.5, 1 and 3.
  EXPECT_THAT(parse(factorized_layers("").metadata.at(model::kRmsKey)),
              UnorderedElementsAre(Entry{"input", 76.16}, Entry{"t0", 38.08}, Entry{"t1_v", 76.16},
                                   Entry{"t1_u", 76.16}, Entry{"t2", 228.5}));
}

TEST(MeasuredRanges, KeepOldBoundsWhereTheyHoldAndNeverLowerThem) {
  using Entry = std::pair<const std::string, double>;
  // Nothing known: 1.25 times 50, 100 and 300.
  EXPECT_THAT(ranges_of(""),
              UnorderedElementsAre(Entry{"input", 255}, Entry{"t0", 62.5}, Entry{"t1_v", 125},
                                   Entry{"t1_u", 125}, Entry{"t2", 375}));
  // The first layer's bound stays, though lower; the others' are raised or kept. White images leave
  // these bounds, and do not count.
  EXPECT_THAT(ranges_of(R"({"input": 200, "t0": 55, "t1": 101, "t2": 1000})"),
              UnorderedElementsAre(Entry{"input", 200}, Entry{"t0", 55}, Entry{"t1_v", 125},
                                   Entry{"t1_u", 125}, Entry{"t2", 1000}));
  // Here the old bounds cover white, of 255.
  EXPECT_THAT(ranges_of(R"({"input": 255, "t0": 130, "t1": 260, "t2": 800})"),
              UnorderedElementsAre(Entry{"input", 255}, Entry{"t0", 130}, Entry{"t1_v", 318.8},
                                   Entry{"t1_u", 318.8}, Entry{"t2", 956.2}));
}

}  // namespace
}  // namespace ffconv::lowrank
