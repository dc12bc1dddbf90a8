#include "ffconv/lowrank/factorize.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/lowrank/search.h"
#include "ffconv/model/float_executor.h"
#include "ffconv/model/onnx/export.h"
#include "ffconv/model/ranges.h"
#include "ffconv/model/work.h"
#include "support/error_of.h"
#include "support/random_images.h"
#include "support/random_network.h"

namespace ffconv::lowrank {
namespace {

using ::ffconv::testing::Activations;
using ::ffconv::testing::error_of;
using ::ffconv::testing::OnnxBuilder;
using ::ffconv::testing::random_graph;
using ::ffconv::testing::random_images;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  return largest;
}

TEST(Components, OfWeightsAreLeftSingularVectors) {
  OnnxBuilder builder({2});
  const auto graph = builder.import(builder.node(
      "Gemm", {"image", builder.constant({2, 2}, {0, 1, -3, 0}), builder.constant({2}, {7, 8})},
      {{"transB", std::int64_t{1}}}));
  const auto components = weight_components(graph, find_layers(graph)).at(0);
  EXPECT_THAT(components.energies, ElementsAre(::testing::DoubleEq(9), ::testing::DoubleEq(1)));
  EXPECT_DOUBLE_EQ(std::abs(components.directions(1, 0)), 1);
  EXPECT_EQ(components.mean, (Vector{{7, 8}}));
  EXPECT_DOUBLE_EQ(kept_energy(components, 0), 0);
  EXPECT_DOUBLE_EQ(kept_energy(components, 1), 0.9);
  EXPECT_DOUBLE_EQ(kept_energy(components, 2), 1);
}

// Outputs (p + 1, 2p + 1) for pixels p of 0, 2 and 4: variance 8/3 of p along (1, 2) / sqrt(5).
TEST(Components, OfResponsesAreThoseOfTheOutputsCovariance) {
  OnnxBuilder builder({1});
  const auto graph = builder.import(builder.node(
      "Gemm", {"image", builder.constant({1, 2}, {1, 2}), builder.constant({2}, {1, 1})}));
  const model::Dataset images{{{1}}, 1, {"any"}, {0, 2, 4}, {0, 0, 0}};
  const auto components = response_components(graph, find_layers(graph), images, 3).at(0);
  ASSERT_EQ(components.energies.size(), 1u);
  EXPECT_NEAR(components.energies[0], 5 * 8.0 / 3, 1e-12);
  EXPECT_NEAR(std::abs(components.directions(0, 0)), 1 / std::sqrt(5.0), 1e-12);
  EXPECT_NEAR(components.mean(0), 3, 1e-12);
  EXPECT_NEAR(components.mean(1), 5, 1e-12);
}

TEST(Components, OfResponsesRefuseImagesOfAnotherShape) {
  const auto graph = random_graph(1);
  const auto images = random_images({{1, 2, 2}}, 3, 2, 1);
  EXPECT_THAT(error_of(ErrorCode::kMismatch,
                       [&] { response_components(graph, find_layers(graph), images, 3); }),
              HasSubstr("1x2x2"));
}

TEST(Factorize, WithFullRanksGivesTheSameNetwork) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    const auto graph = random_graph(seed, Activations::kQuadratic);
    const auto layers = find_layers(graph);
    const auto images = random_images(graph.input_shape(), 10, 2, seed);
    Ranks full;
    for (const Layer& layer : layers) {
      full.push_back(layer.full_rank());
    }
    const auto image = ffconv::testing::random_image(graph.input_shape(), 1000 + seed);
    const auto expected = run_float(graph, image);
    for (const auto& components :
         {weight_components(graph, layers), response_components(graph, layers, images, 10)}) {
      const auto got = run_float(factorize(graph, layers, components, full), image);
      EXPECT_LT(largest_difference(expected, got), 1e-8);
    }
  }
}

// Images p (1, ..., 1) + (1, 0, ...) give every layer's outputs on a line that misses the origin.
TEST(Factorize, ByResponsesPutsTheMeanIntoTheBiasExactly) {
  OnnxBuilder builder({1, 4, 4});
  const std::vector<double> kernels{1, 2, -3, 0.5, 4, -1, 2, 2, 0.25, -2, 1, 5};
  const auto graph = builder.import(builder.node(
      "Conv", {"image", builder.constant({3, 1, 2, 2}, kernels), builder.constant({3}, {9, -5, 2})},
      {{"strides", ffconv::testing::Dims{2, 2}}}));
  model::Dataset images{graph.input_shape(), 1, {"any"}, {}, {}};
  for (const std::uint8_t p : std::vector<std::uint8_t>{10, 50, 200}) {
    images.pixels.insert(images.pixels.end(), 16, p);
    images.labels.push_back(0);
  }
  const auto layers = find_layers(graph);
  const auto by_responses =
      factorize(graph, layers, response_components(graph, layers, images, 3), {1});
  const auto by_weights = factorize(graph, layers, weight_components(graph, layers), {1});
  const auto image = images.image(1);
  const auto expected = run_float(graph, image);
  EXPECT_LT(largest_difference(expected, run_float(by_responses, image)), 1e-9);
  EXPECT_GT(largest_difference(expected, run_float(by_weights, image)), 1);
}

// No projection to that rank loses less of the calibration images' outputs than the principal one.
TEST(Factorize, ByResponsesLosesNoMoreOfTheOutputsThanByWeights) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    OnnxBuilder builder({12});
    std::mt19937_64 random(seed);
    std::vector<double> matrix(12 * 6);
    for (double& x : matrix) {
      x = std::ldexp(static_cast<double>(random() >> 43), -20) - 1;
    }
    const auto graph =
        builder.import(builder.node("MatMul", {"image", builder.constant({12, 6}, matrix)}));
    const auto layers = find_layers(graph);
    const auto images = random_images(graph.input_shape(), 50, 2, seed);
    const auto error = [&](const std::vector<Components>& components, std::size_t rank) {
      const auto factorized = factorize(graph, layers, components, {rank});
      double sum = 0;
      for (std::size_t i = 0; i < 50; ++i) {
        const auto expected = run_float(graph, images.image(i));
        const auto got = run_float(factorized, images.image(i));
        for (std::size_t k = 0; k < 6; ++k) {
          sum += (expected[k] - got[k]) * (expected[k] - got[k]);
        }
      }
      return sum;
    };
    const auto responses = response_components(graph, layers, images, 50);
    for (const std::size_t rank : {1u, 3u, 5u}) {
      const double by_responses = error(responses, rank);
      EXPECT_LE(by_responses, error(weight_components(graph, layers), rank));
      double total = 0;
      for (const double energy : responses[0].energies) {
        total += energy;
      }
      // What is lost is exactly the energy of the directions left out.
      EXPECT_NEAR(by_responses / 50, total * (1 - kept_energy(responses[0], rank)), 1e-9 * total);
    }
  }
}

TEST(Factorize, NamesTheTwoPartsAndKeepsEverythingElse) {
  auto graph = random_graph(4);
  graph.metadata[model::kRangesKey] = "{}";
  graph.metadata["other"] = "x";
  const auto layers = find_layers(graph);
  const auto components = weight_components(graph, layers);
  EXPECT_EQ(model::export_onnx(factorize(graph, layers, components, Ranks(layers.size(), kWhole))),
            model::export_onnx(graph));
  Ranks ranks(layers.size(), kWhole);
  ranks.back() = 1;
  const auto factorized = factorize(graph, layers, components, ranks);
  const auto& nodes = factorized.nodes;
  ASSERT_EQ(nodes.size(), graph.nodes.size() + 1);
  EXPECT_EQ(nodes[nodes.size() - 2].name, layers.back().name + "_v");
  EXPECT_EQ(nodes.back().name, layers.back().name + "_u");
  EXPECT_EQ(factorized.output, graph.output);
  EXPECT_EQ(factorized.metadata, (std::map<std::string, std::string>{{"other", "x"}}));
}

TEST(Factorize, IsWrittenAndReadAgain) {
  const auto graph = random_graph(6);
  const auto layers = find_layers(graph);
  const auto factorized =
      factorize(graph, layers, weight_components(graph, layers), Ranks(layers.size(), 1));
  const auto image = ffconv::testing::random_image(graph.input_shape(), 6);
  const auto again = model::import_onnx(model::export_onnx(factorized), "factorized");
  EXPECT_LT(largest_difference(run_float(factorized, image), run_float(again, image)), 1e-3);
  EXPECT_EQ(again.nodes.size(), factorized.nodes.size());
}

TEST(Factorize, HasTheMultiplicationsThatTheCostSays) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    const auto graph = random_graph(seed);
    const auto layers = find_layers(graph);
    const Ranks whole(layers.size(), kWhole), one(layers.size(), 1);
    const auto saved = total_cost(layers, whole, hma_cost) - total_cost(layers, one, hma_cost);
    const auto factorized = factorize(graph, layers, weight_components(graph, layers), one);
    EXPECT_EQ(
        static_cast<double>(work_of(graph).hma) - static_cast<double>(work_of(factorized).hma),
        saved);
  }
}

}  // namespace
}  // namespace ffconv::lowrank
