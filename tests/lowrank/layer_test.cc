#include "ffconv/lowrank/layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/model/float_executor.h"
#include "support/onnx_builder.h"

namespace ffconv::lowrank {
namespace {

using ::ffconv::testing::Dims;
using ::ffconv::testing::OnnxBuilder;
using ::testing::ElementsAre;

std::vector<std::string> names(const std::vector<Layer>& layers) {
  std::vector<std::string> result;
  for (const Layer& layer : layers) {
    result.push_back(layer.name);
  }
  return result;
}

TEST(FindLayers, TakesConvolutionsInOneGroupAndDenseLayers) {
  OnnxBuilder builder({2, 4, 4});
  std::string x = builder.node("Conv", {"image", builder.constant({4, 1, 1, 1}, {1, 2, 3, 4})},
                               {{"group", std::int64_t{2}}});
  x = builder.node("Conv", {x, builder.constant({3, 4, 2, 2}, std::vector<double>(48, 0.5))},
                   {{"strides", Dims{2, 2}}});
  x = builder.node("Flatten", {x});
  x = builder.node("MatMul", {x, builder.constant({12, 5}, std::vector<double>(60, 0.5))});
  x = builder.node("Mul", {x, x});
  x = builder.node("Gemm", {x, builder.constant({2, 5}, std::vector<double>(10, 0.5))},
                   {{"transB", std::int64_t{1}}});
  const auto layers = find_layers(builder.import(x));
  EXPECT_THAT(names(layers), ElementsAre("t1", "t3", "t5"));
  EXPECT_EQ(layers[0].rows, 3u);
  EXPECT_EQ(layers[0].columns, 16u);
  EXPECT_EQ(layers[0].positions, 4u);
  EXPECT_EQ(layers[1].rows, 5u);
  EXPECT_EQ(layers[1].columns, 12u);
  EXPECT_EQ(layers[1].positions, 1u);
  EXPECT_EQ(layers[2].full_rank(), 2u);
}

TEST(FindLayers, LeavesOutWhatHasTooManyOutputs) {
  OnnxBuilder builder({1});
  const std::string x =
      builder.node("MatMul", {"image", builder.constant({1, 4097}, std::vector<double>(4097, 1))});
  EXPECT_TRUE(find_layers(builder.import(x)).empty());
}

// Whatever way the file writes a dense layer, weights and bias are what it does to unit vectors.
TEST(WeightsAndBias, AreWhatTheLayerComputes) {
  const std::vector<double> matrix{1, 2, 3, 4, 5, 6};
  for (const std::int64_t transposed : {0, 1}) {
    OnnxBuilder builder({3});
    const auto b =
        transposed != 0 ? builder.constant({2, 3}, matrix) : builder.constant({3, 2}, matrix);
    const auto graph =
        builder.import(builder.node("Gemm", {"image", b, builder.constant({1, 2}, {10, 20})},
                                    {{"alpha", 0.5}, {"beta", -2.0}, {"transB", transposed}}));
    const Layer layer = find_layers(graph).at(0);
    const Matrix weights = weights_of(graph, layer);
    const Vector bias = bias_of(graph, layer);
    for (Eigen::Index i = 0; i < 3; ++i) {
      std::vector<double> unit(3);
      unit[static_cast<std::size_t>(i)] = 1;
      const auto out = model::run_float(graph, unit);
      EXPECT_DOUBLE_EQ(out[0], weights(0, i) + bias(0));
      EXPECT_DOUBLE_EQ(out[1], weights(1, i) + bias(1));
    }
  }
}

TEST(WeightsAndBias, OfAConvolutionAreInItsWeightsOrder) {
  OnnxBuilder builder({1, 1, 3});
  const auto graph =
      builder.import(builder.node("Conv", {"image", builder.constant({2, 1, 1, 2}, {1, 2, 3, 4}),
                                           builder.constant({2}, {5, 6})}));
  const Layer layer = find_layers(graph).at(0);
  EXPECT_EQ(weights_of(graph, layer), (Matrix{{1, 2}, {3, 4}}));
  EXPECT_EQ(bias_of(graph, layer), (Vector{{5, 6}}));
}

TEST(WeightsAndBias, ABiasOfOneElementStandsForAll) {
  OnnxBuilder builder({1});
  const auto graph = builder.import(
      builder.node("Gemm", {"image", builder.constant({1, 3}, {1, 2, 3}), builder.scalar(7)}));
  EXPECT_EQ(bias_of(graph, find_layers(graph).at(0)), (Vector{{7, 7, 7}}));
}

}  // namespace
}  // namespace ffconv::lowrank
