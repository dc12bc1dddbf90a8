#include "ffconv/model/normalize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/model/float_executor.h"
#include "support/error_of.h"
#include "support/onnx_builder.h"
#include "support/random_network.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::Activations;
using ::ffconv::testing::Connections;
using ::ffconv::testing::Dims;
using ::ffconv::testing::error_of;
using ::ffconv::testing::OnnxBuilder;
using ::ffconv::testing::random_graph;
using ::ffconv::testing::random_image;
using ::testing::Each;
using ::testing::ElementsAre;
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

TEST(Normalize, KeepsTheFunctionOfRandomResidualGraphs) {
  std::size_t shortcuts = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    const Graph graph = random_graph(seed, Activations::kQuadratic, Connections::kResidual);
    const Network network = normalize(graph);
    expect_equal(graph, network, seed);
    shortcuts += network.shortcuts.size();
  }
  EXPECT_GE(shortcuts, 300u);
}

// "L" for a dense layer, "C" for a convolution, "D" for a diagonal, "s" for a square.
std::string kinds(const Network& network) {
  std::string text;
  for (const Layer& layer : network.layers) {
    const auto* linear = std::get_if<Linear>(&layer);
    text += linear == nullptr                  ? 's'
            : linear->convolution() != nullptr ? 'C'
            : linear->map.index() == 1         ? 'L'
                                               : 'D';
  }
  return text;
}

const Linear& linear_at(const Network& network, std::size_t k) {
  return std::get<Linear>(network.layers[k]);
}

const std::vector<double>& dense_weights(const Linear& linear) {
  return std::get<Dense>(linear.map).weights;
}

// Normalizes and expects equality with the graph.
Network normalized(OnnxBuilder& builder, const std::string& output) {
  const Graph graph = builder.import(output);
  Network network = normalize(graph);
  expect_equal(graph, network, 1);
  return network;
}

std::string normalize_error(OnnxBuilder& builder, const std::string& output) {
  const Graph graph = builder.import(output);
  return error_of(ErrorCode::kUnsupported, [&] { normalize(graph); });
}

TEST(Normalize, FoldsALeadingScaleIntoTheConvolution) {
  OnnxBuilder builder({1, 2, 2});
  const std::string x = builder.node("Mul", {"image", builder.scalar(0.25)});
  const std::string weights = builder.constant({1, 1, 2, 2}, {1, 2, 3, 4});
  const Network network =
      normalized(builder, builder.node("Conv", {x, weights}, {{"pads", Dims{0, 0, 1, 1}}}));
  ASSERT_EQ(kinds(network), "C");
  EXPECT_THAT(linear_at(network, 0).convolution()->weights, ElementsAre(0.25, 0.5, 0.75, 1));
  EXPECT_THAT(linear_at(network, 0).bias, ElementsAre(0, 0, 0, 0));
}

TEST(Normalize, TurnsALeadingOffsetBesidePaddingIntoABiasByPosition) {
  OnnxBuilder builder({1, 2, 2});
  const std::string x = builder.node("Sub", {"image", builder.scalar(10)});
  const std::string weights = builder.constant({1, 1, 2, 2}, {1, 2, 3, 4});
  const Network network =
      normalized(builder, builder.node("Conv", {x, weights}, {{"pads", Dims{0, 0, 1, 1}}}));
  ASSERT_EQ(kinds(network), "C");
  // The weights that fall on the image, times -10: all; the left column; the upper row; the first.
  EXPECT_THAT(linear_at(network, 0).bias, ElementsAre(-100, -40, -30, -10));
  EXPECT_THAT(linear_at(network, 0).convolution()->weights, ElementsAre(1, 2, 3, 4));
}

TEST(Normalize, FoldsScalesOfEachInputChannelInGroups) {
  OnnxBuilder builder({4, 1, 1});
  const std::string scale = builder.constant({4, 1, 1}, {1, 10, 100, 1000});
  const std::string x = builder.node("Mul", {scale, "image"});
  const std::string weights = builder.constant({2, 2, 1, 1}, {1, 2, 3, 4});
  const Network network =
      normalized(builder, builder.node("Conv", {x, weights}, {{"group", std::int64_t{2}}}));
  EXPECT_THAT(linear_at(network, 0).convolution()->weights, ElementsAre(1, 20, 300, 4000));
}

TEST(Normalize, FoldsConstantsAfterALinearLayerIntoIt) {
  OnnxBuilder builder({2});
  std::string x = builder.node("MatMul", {"image", builder.constant({2, 2}, {1, 2, 3, 4})});
  x = builder.node("Add", {x, builder.constant({2}, {1, 2})});
  x = builder.node("Mul", {x, builder.constant({2}, {10, 100})});
  x = builder.node("Sub", {builder.scalar(5), x});
  const Network network = normalized(builder, x);
  ASSERT_EQ(kinds(network), "L");
  EXPECT_THAT(dense_weights(linear_at(network, 0)), ElementsAre(-10, -30, -200, -400));
  EXPECT_THAT(linear_at(network, 0).bias, ElementsAre(-5, -195));
}

TEST(Normalize, CompletesTheSquare) {
  // 4 x^2 + 8 x + 3 = 4 (x + 1)^2 - 1.
  OnnxBuilder builder({1});
  const std::string x = builder.node("MatMul", {"image", builder.constant({1, 1}, {2})});
  std::string y =
      builder.node("Mul", {builder.node("Pow", {x, builder.scalar(2)}), builder.scalar(4)});
  y = builder.node("Add", {y, builder.node("Mul", {x, builder.scalar(8)})});
  y = builder.node("Add", {y, builder.scalar(3)});
  y = builder.node("MatMul", {y, builder.constant({1, 1}, {5})});
  const Network network = normalized(builder, y);
  ASSERT_EQ(kinds(network), "LsL");
  EXPECT_THAT(dense_weights(linear_at(network, 0)), ElementsAre(2));
  EXPECT_THAT(linear_at(network, 0).bias, ElementsAre(1));
  EXPECT_THAT(dense_weights(linear_at(network, 2)), ElementsAre(20));
  EXPECT_THAT(linear_at(network, 2).bias, ElementsAre(-5));
}

TEST(Normalize, SeesThatTermsCancel) {
  // (x + 1)(x - 1) - x^2 + 2 x = 2 x - 1.
  OnnxBuilder builder({1});
  const std::string x = builder.node("MatMul", {"image", builder.constant({1, 1}, {3})});
  const std::string one = builder.scalar(1);
  std::string y =
      builder.node("Mul", {builder.node("Add", {x, one}), builder.node("Sub", {x, one})});
  y = builder.node("Sub", {y, builder.node("Mul", {x, x})});
  y = builder.node("Add", {y, builder.node("Add", {x, x})});
  const Network network = normalized(builder, y);
  ASSERT_EQ(kinds(network), "L");
  EXPECT_THAT(dense_weights(linear_at(network, 0)), ElementsAre(6));
  EXPECT_THAT(linear_at(network, 0).bias, ElementsAre(-1));
}

TEST(Normalize, AddsADiagonalWhereTheNetworkStartsOrEndsWithAnActivation) {
  OnnxBuilder builder({2});
  std::string x = builder.node("Mul", {"image", "image"});
  x = builder.node("MatMul", {x, builder.constant({2, 2}, {1, 2, 3, 4})});
  x = builder.node("Mul", {x, x});
  x = builder.node("Mul", {x, builder.constant({2}, {3, 4})});
  const Network network = normalized(builder, x);
  ASSERT_EQ(kinds(network), "DsLsD");
  EXPECT_THAT(std::get<Diagonal>(linear_at(network, 0).map).scale, ElementsAre(1, 1));
  EXPECT_THAT(std::get<Diagonal>(linear_at(network, 4).map).scale, ElementsAre(3, 4));
}

TEST(Normalize, MakesADiagonalOfANetworkWithoutLayers) {
  OnnxBuilder builder({2});
  EXPECT_EQ(kinds(normalized(builder, builder.node("Mul", {"image", builder.scalar(2)}))), "D");
  EXPECT_EQ(kinds(normalized(builder, "image")), "D");
}

TEST(Normalize, AddsADiagonalWhereAScaleDiffersWithinAChannelOfAConvolution) {
  OnnxBuilder builder({1, 1, 2});
  const std::string uneven = builder.constant({1, 2}, {1, 2});
  const std::string weights = builder.constant({1, 1, 1, 1}, {3});
  std::string x = builder.node("Add", {builder.node("Mul", {"image", uneven}), uneven});
  x = builder.node("Conv", {x, weights});
  x = builder.node("Mul", {x, uneven});
  EXPECT_EQ(kinds(normalized(builder, x)), "DCD");
}

TEST(Normalize, FoldsPadIntoTheConvolution) {
  OnnxBuilder builder({1, 2, 2});
  std::string x = builder.node("Add", {"image", builder.scalar(1)});
  x = builder.node("Pad", {x, builder.integers({0, 0, 1, 0, 0, 0, 0, 2})});
  const std::string weights = builder.constant({1, 1, 2, 2}, {1, 2, 3, 4});
  const Network network =
      normalized(builder, builder.node("Conv", {x, weights}, {{"pads", Dims{0, 1, 1, 0}}}));
  ASSERT_EQ(kinds(network), "C");
  EXPECT_EQ(linear_at(network, 0).convolution()->geometry.pads,
            (std::array<std::size_t, 4>{1, 1, 1, 2}));
  EXPECT_EQ(linear_at(network, 0).in, (Shape{{1, 2, 2}}));
}

TEST(Normalize, FoldsBatchNormalizationIntoTheConvolution) {
  OnnxBuilder builder({1, 2, 2});
  std::string x = builder.node("Conv", {"image", builder.constant({2, 1, 1, 1}, {1, 10})});
  x = builder.node("BatchNormalization",
                   {x, builder.constant({2}, {2, 3}), builder.constant({2}, {5, 6}),
                    builder.constant({2}, {1, 2}), builder.constant({2}, {0, 3})},
                   {{"epsilon", 1.0}});
  const Network network = normalized(builder, x);
  ASSERT_EQ(kinds(network), "C");
  EXPECT_THAT(linear_at(network, 0).convolution()->weights, ElementsAre(2, 15));
  EXPECT_THAT(linear_at(network, 0).bias, ElementsAre(3, 3, 3, 3, 3, 3, 3, 3));
}

TEST(Normalize, MakesAConvolutionOfPoolingAndLeavesTheCountToTheNextLayer) {
  OnnxBuilder builder({2, 2, 2});
  std::string x = builder.node("Pad", {"image", builder.integers({0, 0, 1, 0, 0, 0, 0, 0})});
  const ::ffconv::testing::Attributes window{{"kernel_shape", Dims{2, 2}},
                                             {"pads", Dims{0, 0, 0, 1}}};
  x = builder.node("AveragePool", {x}, window);
  EXPECT_EQ(kinds(normalized(builder, x)), "CD");
  x = builder.node("Flatten", {x});
  x = builder.node("MatMul", {x, builder.constant({8, 1}, {1, 2, 3, 4, 5, 6, 7, 8})});
  const Network network = normalized(builder, x);
  ASSERT_EQ(kinds(network), "CL");
  EXPECT_EQ(linear_at(network, 0).convolution()->geometry.groups, 2u);
  EXPECT_EQ(linear_at(network, 0).convolution()->geometry.pads,
            (std::array<std::size_t, 4>{1, 0, 0, 1}));
}

TEST(Normalize, KeepsNeighbouringLinearLayersApart) {
  OnnxBuilder builder({1, 2, 2});
  std::string x = builder.node("Conv", {"image", builder.constant({2, 1, 1, 1}, {1, 2})});
  x = builder.node("Conv", {x, builder.constant({1, 2, 1, 1}, {1, 2})});
  x = builder.node("Reshape", {x, builder.integers({1, 4})});
  x = builder.node("MatMul", {x, builder.constant({4, 1}, {1, 2, 3, 4})});
  EXPECT_EQ(kinds(normalized(builder, x)), "CCL");
}

// A block of a residual network, its activation after the sum.
TEST(Normalize, MakesAResidualConnectionAShortcutFromTheSquareBefore) {
  OnnxBuilder builder({1, 2, 2});
  const std::string one = builder.constant({1, 1, 1, 1}, {3});
  const std::string x = builder.node("Conv", {"image", one});
  const std::string a = builder.node("Add", {builder.node("Mul", {x, x}), x});  // x^2 + x
  const std::string y = builder.node("Conv", {a, one});
  const std::string z = builder.node("Conv", {builder.node("Mul", {y, y}), one});
  const Network network = normalized(builder, builder.node("Add", {a, z}));
  EXPECT_EQ(kinds(network), "CsCsC");
  ASSERT_EQ(network.shortcuts.size(), 1u);
  EXPECT_EQ(network.shortcuts[0].from, 2u);
  EXPECT_EQ(network.shortcuts[0].to, 4u);
  EXPECT_THAT(std::get<Diagonal>(network.shortcuts[0].map.map).scale, ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(network.shortcuts[0].map.bias, Each(0.0));
  EXPECT_THAT(linear_at(network, 4).bias, Each(-0.25));  // x^2 + x = (x + 1/2)^2 - 1/4
}

// Its activation before the convolutions: the sum is read by the next block's and by the next sum.
TEST(Normalize, MakesAResidualConnectionAShortcutFromTheSumBefore) {
  OnnxBuilder builder({2});
  const std::string m = builder.constant({2, 2}, {1, 2, 3, 4});
  const std::string x = builder.node("MatMul", {"image", m});
  const std::string a = builder.node("Sub", {builder.node("Mul", {x, x}), x});
  const std::string y = builder.node("Sub", {builder.node("MatMul", {a, m}), x});
  const Network network = normalized(builder, y);
  EXPECT_EQ(kinds(network), "LsL");
  ASSERT_EQ(network.shortcuts.size(), 1u);
  EXPECT_EQ(network.shortcuts[0].from, 1u);
  EXPECT_EQ(network.shortcuts[0].to, 2u);
  EXPECT_THAT(std::get<Diagonal>(network.shortcuts[0].map.map).scale, ElementsAre(-1, -1));
}

TEST(Normalize, JoinsSumsOfLinearLayersWhicheverComesFirst) {
  for (const bool projection_first : {false, true}) {
    OnnxBuilder builder({2});
    const std::string m = builder.constant({2, 2}, {1, 2, 3, 4});
    const auto projection = [&] { return builder.node("MatMul", {"image", m}); };
    const std::string early = projection_first ? projection() : "";
    const std::string x = builder.node("MatMul", {"image", m});
    const std::string y = builder.node("MatMul", {builder.node("Mul", {x, x}), m});
    const std::string other = projection_first ? early : projection();
    const Network network = normalized(builder, builder.node("Add", {other, y}));
    EXPECT_EQ(kinds(network), "LsL");
    ASSERT_EQ(network.shortcuts.size(), 1u);
    EXPECT_EQ(network.shortcuts[0].from, 0u);
  }
}

TEST(Normalize, RefusesProductsOfTwoTensorsLongBranchesAndSecondSquares) {
  OnnxBuilder builder({2});
  const std::string m = builder.constant({2, 2}, {1, 2, 3, 4});
  const auto layer = [&](const std::string& x) { return builder.node("MatMul", {x, m}); };
  const auto squared = [&](const std::string& x) { return builder.node("Mul", {x, x}); };
  const std::string x = layer("image");
  EXPECT_THAT(normalize_error(builder, builder.node("Mul", {x, "image"})),
              HasSubstr("multiplies two different tensors"));
  const std::string long_branch = layer(squared(x)), another = layer(squared(layer("image")));
  EXPECT_THAT(normalize_error(builder, builder.node("Add", {long_branch, another})),
              HasSubstr("branches beside each other"));
  const std::string other_square = builder.node("Add", {squared(x), x});
  EXPECT_THAT(normalize_error(builder, builder.node("Add", {long_branch, layer(other_square)})),
              HasSubstr("two different squares of one tensor"));
  std::string sum = x;
  for (int k = 0; k < 16; ++k) {
    sum = builder.node("Add", {sum, layer("image")});
  }
  EXPECT_THAT(normalize_error(builder, sum), HasSubstr("a sum of more than 16 linear layers"));
}

TEST(Normalize, RefusesDegreesAboveTwo) {
  OnnxBuilder builder({2});
  const std::string square = builder.node("Mul", {"image", "image"});
  EXPECT_THAT(normalize_error(builder, builder.node("Mul", {square, "image"})),
              HasSubstr("degree above 2"));
  EXPECT_THAT(normalize_error(builder, builder.node("Mul", {square, square})),
              HasSubstr("degree above 2"));
  EXPECT_THAT(normalize_error(builder, builder.node("Pow", {"image", builder.scalar(3)})),
              HasSubstr("degree above 2"));
}

TEST(Normalize, RefusesAQuadraticThatIsLinearInSomeElements) {
  OnnxBuilder builder({2});
  const std::string square = builder.node("Mul", {"image", "image"});
  const std::string half = builder.node("Mul", {square, builder.constant({2}, {1, 0})});
  EXPECT_THAT(normalize_error(builder, builder.node("Add", {half, "image"})),
              HasSubstr("leading coefficient is zero"));
}

TEST(Normalize, RefusesWhatDoesNotDependOnTheImage) {
  OnnxBuilder builder({2});
  EXPECT_THAT(normalize_error(builder, builder.node("Sub", {"image", "image"})),
              HasSubstr("does not depend"));
}

TEST(Normalize, RefusesPaddingWithoutAConvolution) {
  OnnxBuilder builder({1, 2, 2});
  const std::string rows =
      builder.node("Pad", {"image", builder.integers({0, 0, 1, 0, 0, 0, 1, 0})});
  EXPECT_THAT(normalize_error(builder, builder.node("Flatten", {rows})), HasSubstr("Pad"));
  EXPECT_THAT(normalize_error(builder, builder.node("Mul", {rows, rows})), HasSubstr("Pad"));
  EXPECT_THAT(normalize_error(builder, rows), HasSubstr("padded"));
  const std::string channels =
      builder.node("Pad", {"image", builder.integers({0, 1, 0, 0, 0, 0, 0, 0})});
  EXPECT_THAT(normalize_error(builder, channels), HasSubstr("rows and columns"));
}

TEST(Normalize, RefusesWeightsThatOverflow) {
  OnnxBuilder builder({1});
  std::string x = builder.node("MatMul", {"image", builder.constant({1, 1}, {1e200})});
  x = builder.node("Mul", {x, builder.scalar(1e200)});
  EXPECT_THAT(normalize_error(builder, x), HasSubstr("overflow"));
}

TEST(Normalize, RefusesOneConstantAsTheWeightsOfManyLayers) {
  OnnxBuilder builder({2});
  const std::string m = builder.constant({2, 2}, {0.5, 0, 0, 0.5});
  std::string x = "image";
  for (int k = 0; k < 17; ++k) {
    x = builder.node("MatMul", {x, m});
  }
  EXPECT_THAT(normalize_error(builder, x), HasSubstr("share"));
}

TEST(Normalize, NamesClassesByMetadataOrNumber) {
  OnnxBuilder builder({2});
  EXPECT_THAT(normalize(builder.import("image")).class_names, ElementsAre("0", "1"));
  auto* entry = builder.model().add_metadata_props();
  entry->set_key(kClassNamesKey);
  entry->set_value(R"(["cat", "dog"])");
  EXPECT_THAT(normalize(builder.import("image")).class_names, ElementsAre("cat", "dog"));
  for (const char* wrong : {R"(["cat"])", R"(["cat", 2])", R"({"cat": 1})", "[", ""}) {
    entry->set_value(wrong);
    const Graph graph = builder.import("image");
    EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { normalize(graph); }),
                HasSubstr("list of 2 names"));
  }
}

TEST(Normalize, GivesEveryLayerANameOfItsOwn) {
  OnnxBuilder builder({2});
  const std::string x = builder.node("Mul", {"image", "image"});
  const std::string y = builder.node("MatMul", {x, builder.constant({2, 2}, {1, 2, 3, 4})});
  builder.graph().mutable_node(0)->set_name("fc_affine");
  builder.graph().mutable_node(1)->set_name("fc");
  const Network network = normalized(builder, y);
  ASSERT_EQ(kinds(network), "DsL");
  EXPECT_EQ(linear_at(network, 0).name, "fc_affine_");
  EXPECT_EQ(linear_at(network, 2).name, "fc");
}

}  // namespace
}  // namespace ffconv::model
