// Every operator, from an ONNX model in memory to its result, against values worked out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/model/float_executor.h"
#include "support/error_of.h"
#include "support/onnx_builder.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::Attributes;
using ::ffconv::testing::Dims;
using ::ffconv::testing::error_of;
using ::ffconv::testing::OnnxBuilder;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

constexpr std::int64_t kOne = 1;

std::vector<double> run(OnnxBuilder& builder, const std::string& output,
                        const std::vector<double>& image) {
  return run_float(builder.import(output), image);
}

// A 3 x 3 image of one channel, 1 to 9, through one convolution with the 2 x 2 kernel (1, 2; 3, 4).
std::vector<double> convolve_3x3(const Attributes& attributes) {
  OnnxBuilder builder({1, 3, 3});
  const std::string weights = builder.constant({1, 1, 2, 2}, {1, 2, 3, 4});
  return run(builder, builder.node("Conv", {"image", weights}, attributes),
             {1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST(Conv, IsACrossCorrelation) {
  // 1*1 + 2*2 + 3*4 + 4*5 = 37.
  EXPECT_THAT(convolve_3x3({}), ElementsAre(37, 47, 67, 77));
}

TEST(Conv, PadsEachSideApart) {
  // A zero row below and a zero column to the right, stride 2: rows and columns 0 and 2.
  EXPECT_THAT(convolve_3x3({{"pads", Dims{0, 0, 1, 1}}, {"strides", Dims{2, 2}}}),
              ElementsAre(37, 3 + 3 * 6, 7 + 2 * 8, 9));
  // The same above and to the left.
  EXPECT_THAT(convolve_3x3({{"pads", Dims{1, 1, 0, 0}}, {"strides", Dims{2, 2}}}),
              ElementsAre(4, 3 * 2 + 4 * 3, 2 * 4 + 4 * 7, 77));
}

TEST(Conv, StridesEachAxisApart) {
  EXPECT_THAT(convolve_3x3({{"strides", Dims{1, 2}}}), ElementsAre(37, 67));
  EXPECT_THAT(convolve_3x3({{"strides", Dims{2, 1}}}), ElementsAre(37, 47));
}

TEST(Conv, SpreadsADilatedKernel) {
  // Corners only: 1*1 + 2*3 + 3*7 + 4*9.
  EXPECT_THAT(convolve_3x3({{"dilations", Dims{2, 2}}}), ElementsAre(64));
  EXPECT_THAT(convolve_3x3({{"dilations", Dims{1, 2}}}),
              ElementsAre(1 + 2 * 3 + 3 * 4 + 4 * 6, 4 + 2 * 6 + 3 * 7 + 4 * 9));
}

TEST(Conv, PlacesAutomaticPadsByTheirMode) {
  const auto upper = convolve_3x3({{"auto_pad", std::string("SAME_UPPER")}});
  EXPECT_EQ(upper, convolve_3x3({{"pads", Dims{0, 0, 1, 1}}}));
  const auto lower = convolve_3x3({{"auto_pad", std::string("SAME_LOWER")}});
  EXPECT_EQ(lower, convolve_3x3({{"pads", Dims{1, 1, 0, 0}}}));
  EXPECT_EQ(convolve_3x3({{"auto_pad", std::string("VALID")}}), convolve_3x3({}));
  // With stride 2 the output is ceil(3 / 2) = 2: (2 - 1) * 2 + 2 - 3 = 1 zero, at the end.
  EXPECT_EQ(convolve_3x3({{"auto_pad", std::string("SAME_UPPER")}, {"strides", Dims{2, 2}}}),
            convolve_3x3({{"pads", Dims{0, 0, 1, 1}}, {"strides", Dims{2, 2}}}));
}

TEST(Conv, SumsInputChannelsAndAddsTheBias) {
  OnnxBuilder builder({2, 1, 2});
  const std::string weights = builder.constant({2, 2, 1, 1}, {1, 10, -1, 1});
  const std::string bias = builder.constant({2}, {100, 0.5});
  EXPECT_THAT(run(builder, builder.node("Conv", {"image", weights, bias}), {1, 2, 3, 4}),
              ElementsAre(131, 142, 2.5, 2.5));
}

TEST(Conv, KeepsGroupsApart) {
  // Two groups of one input and two outputs each.
  OnnxBuilder builder({2, 1, 2});
  const std::string weights = builder.constant({4, 1, 1, 2}, {1, 0, 0, 1, 2, 0, 0, 3});
  EXPECT_THAT(run(builder, builder.node("Conv", {"image", weights}, {{"group", std::int64_t{2}}}),
                  {5, 6, 7, 8}),
              ElementsAre(5, 6, 14, 24));
}

TEST(Conv, HandlesMorePositionsThanOneBlock) {
  OnnxBuilder builder({1, 10, 13});
  const std::string weights = builder.constant({1, 1, 1, 1}, {2});
  std::vector<double> image(130);
  std::vector<double> doubled(130);
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = static_cast<double>(i);
    doubled[i] = 2 * image[i];
  }
  EXPECT_EQ(run(builder, builder.node("Conv", {"image", weights}), image), doubled);
}

TEST(Gemm, MultipliesByTheMatrixAsItLies) {
  OnnxBuilder builder({2});
  const std::string b = builder.constant({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(run(builder, builder.node("Gemm", {"image", b}), {1, 10}), ElementsAre(41, 52, 63));
}

TEST(Gemm, TransposesScalesAndAddsC) {
  OnnxBuilder builder({2});
  const std::string b = builder.constant({3, 2}, {1, 4, 2, 5, 3, 6});
  const std::string c = builder.constant({1, 3}, {1, 2, 3});
  const Attributes attributes{{"transB", kOne}, {"alpha", 2.0}, {"beta", 0.5}};
  EXPECT_THAT(run(builder, builder.node("Gemm", {"image", b, c}, attributes), {1, 10}),
              ElementsAre(82.5, 105, 127.5));
}

TEST(Gemm, AddsAScalarCToEveryOutput) {
  OnnxBuilder builder({1});
  const std::string b = builder.constant({1, 2}, {1, 2});
  EXPECT_THAT(run(builder, builder.node("Gemm", {"image", b, builder.scalar(7)}), {1}),
              ElementsAre(8, 9));
}

TEST(MatMul, MultipliesTheRowByTheMatrix) {
  OnnxBuilder builder({2});
  const std::string b = builder.constant({2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(run(builder, builder.node("MatMul", {"image", b}), {1, 10}), ElementsAre(31, 42));
}

TEST(Elementwise, TakesConstantsOnEitherSide) {
  OnnxBuilder builder({2});
  const std::string c = builder.constant({2}, {10, 20});
  const std::vector<double> image{1, 2};
  EXPECT_THAT(run(builder, builder.node("Add", {"image", c}), image), ElementsAre(11, 22));
  EXPECT_THAT(run(builder, builder.node("Sub", {"image", c}), image), ElementsAre(-9, -18));
  EXPECT_THAT(run(builder, builder.node("Sub", {c, "image"}), image), ElementsAre(9, 18));
  EXPECT_THAT(run(builder, builder.node("Mul", {c, "image"}), image), ElementsAre(10, 40));
  EXPECT_THAT(run(builder, builder.node("Div", {"image", c}), {5, 5}), ElementsAre(0.5, 0.25));
}

TEST(Elementwise, JoinsTwoActivations) {
  OnnxBuilder builder({2});
  const std::string doubled = builder.node("Mul", {"image", builder.scalar(2)});
  EXPECT_THAT(run(builder, builder.node("Sub", {doubled, "image"}), {3, 4}), ElementsAre(3, 4));
  EXPECT_THAT(run(builder, builder.node("Mul", {doubled, "image"}), {3, 4}), ElementsAre(18, 32));
}

TEST(Elementwise, BroadcastsConstantsAlongAnyAxis) {
  const std::vector<double> image{1, 2, 3, 4, 5, 6, 7, 8};  // 2 x 2 x 2
  const auto add = [&](const Dims& dims, const std::vector<double>& data) {
    OnnxBuilder builder({2, 2, 2});
    return run(builder, builder.node("Add", {"image", builder.constant(dims, data)}), image);
  };
  EXPECT_THAT(add({2, 1, 1}, {10, 20}), ElementsAre(11, 12, 13, 14, 25, 26, 27, 28));
  EXPECT_THAT(add({1, 2, 1, 1}, {10, 20}), ElementsAre(11, 12, 13, 14, 25, 26, 27, 28));
  EXPECT_THAT(add({2, 1}, {10, 20}), ElementsAre(11, 12, 23, 24, 15, 16, 27, 28));
  EXPECT_THAT(add({2}, {10, 20}), ElementsAre(11, 22, 13, 24, 15, 26, 17, 28));
  EXPECT_THAT(add({2, 1, 2}, {10, 20, 30, 40}), ElementsAre(11, 22, 13, 24, 35, 46, 37, 48));
  EXPECT_THAT(add({1}, {10}), ElementsAre(11, 12, 13, 14, 15, 16, 17, 18));
}

TEST(Pow, RaisesToAWholeExponent) {
  OnnxBuilder builder({3});
  EXPECT_THAT(run(builder, builder.node("Pow", {"image", builder.scalar(2)}), {1, -2, 3}),
              ElementsAre(1, 4, 9));
  EXPECT_THAT(run(builder, builder.node("Pow", {"image", builder.scalar(1)}), {1, -2, 3}),
              ElementsAre(1, -2, 3));
}

TEST(Reshape, KeepsTheOrderOfElements) {
  const std::vector<double> image{1, 2, 3, 4, 5, 6, 7, 8};
  const auto shape_of = [&](const Dims& to, const Attributes& attributes) {
    OnnxBuilder builder({2, 2, 2}, 14);
    const std::string reshaped =
        builder.node("Reshape", {"image", builder.integers(to)}, attributes);
    EXPECT_THAT(run(builder, reshaped, image), ElementsAreArray(image));
    const Graph graph = builder.import(reshaped);
    return graph.values[graph.output].shape.dims;
  };
  EXPECT_THAT(shape_of({1, 8}, {}), ElementsAre(8));
  EXPECT_THAT(shape_of({-1, 8}, {}), ElementsAre(8));
  EXPECT_THAT(shape_of({0, -1}, {}), ElementsAre(8));
  EXPECT_THAT(shape_of({1, 0, -1}, {}), ElementsAre(2, 4));
  EXPECT_THAT(shape_of({1, -1, 1, 2}, {{"allowzero", kOne}}), ElementsAre(4, 1, 2));
}

TEST(Flatten, KeepsTheOrderOfElements) {
  OnnxBuilder builder({2, 1, 2});
  const std::string flat = builder.node("Flatten", {"image"});
  EXPECT_THAT(run(builder, flat, {1, 2, 3, 4}), ElementsAre(1, 2, 3, 4));
  const Graph graph = builder.import(flat);
  EXPECT_EQ(graph.values[graph.output].shape, Shape{{4}});
}

TEST(Pad, PutsZerosAroundByAttributeOrByInput) {
  const std::vector<double> expected{0, 0, 0, 1, 2, 0, 3, 4, 0};  // above by one, right by one
  OnnxBuilder old_form({1, 2, 2}, 10);
  EXPECT_EQ(run(old_form, old_form.node("Pad", {"image"}, {{"pads", Dims{0, 0, 1, 0, 0, 0, 0, 1}}}),
                {1, 2, 3, 4}),
            expected);
  OnnxBuilder by_input({1, 2, 2});
  const std::string pads = by_input.integers({0, 0, 1, 0, 0, 0, 0, 1});
  EXPECT_EQ(run(by_input, by_input.node("Pad", {"image", pads}), {1, 2, 3, 4}), expected);
  OnnxBuilder by_axes({1, 2, 2}, 18);
  const std::vector<std::string> inputs{"image", by_axes.integers({0, 1, 1, 0}), by_axes.scalar(0),
                                        by_axes.integers({-1, 2})};
  EXPECT_EQ(run(by_axes, by_axes.node("Pad", inputs), {1, 2, 3, 4}), expected);
}

// A 3 x 3 image of one channel, 1 to 9, through AveragePool.
std::vector<double> pool_3x3(const Attributes& attributes) {
  OnnxBuilder builder({1, 3, 3});
  return run(builder, builder.node("AveragePool", {"image"}, attributes),
             {1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST(AveragePool, TakesTheMeanOfEveryWindow) {
  EXPECT_THAT(pool_3x3({{"kernel_shape", Dims{2, 2}}}), ElementsAre(3, 4, 6, 7));
  EXPECT_THAT(pool_3x3({{"kernel_shape", Dims{1, 3}}}), ElementsAre(2, 5, 8));
  EXPECT_THAT(pool_3x3({{"kernel_shape", Dims{2, 2}}, {"dilations", Dims{2, 2}}}), ElementsAre(5));
}

TEST(AveragePool, CountsPaddingOrNot) {
  const Attributes corner{
      {"kernel_shape", Dims{2, 2}}, {"strides", Dims{2, 2}}, {"pads", Dims{1, 1, 0, 0}}};
  EXPECT_THAT(pool_3x3(corner), ElementsAre(1, 2.5, 5.5, 7));
  Attributes counting = corner;
  counting.emplace_back("count_include_pad", kOne);
  EXPECT_THAT(pool_3x3(counting), ElementsAre(0.25, 1.25, 2.75, 7));
  EXPECT_THAT(pool_3x3({{"kernel_shape", Dims{2, 2}},
                        {"strides", Dims{2, 2}},
                        {"auto_pad", std::string("SAME_LOWER")}}),
              ElementsAre(1, 2.5, 5.5, 7));
}

TEST(AveragePool, GoesOnWithCeilModeWhereTheImageLasts) {
  EXPECT_THAT(
      pool_3x3({{"kernel_shape", Dims{2, 2}}, {"strides", Dims{2, 2}}, {"ceil_mode", kOne}}),
      ElementsAre(3, 4.5, 7.5, 9));
  // Where rounding changes nothing padding may count.
  EXPECT_THAT(pool_3x3({{"kernel_shape", Dims{2, 2}},
                        {"strides", Dims{2, 2}},
                        {"pads", Dims{1, 1, 0, 0}},
                        {"count_include_pad", kOne},
                        {"ceil_mode", kOne}}),
              ElementsAre(0.25, 1.25, 2.75, 7));
}

TEST(AveragePool, IsRefusedWhereRuntimesDoNotAgreeOrNothingIsCounted) {
  const auto error = [](const Attributes& attributes) {
    return error_of(ErrorCode::kUnsupported, [&] { pool_3x3(attributes); });
  };
  EXPECT_THAT(error({{"kernel_shape", Dims{2, 2}},
                     {"strides", Dims{2, 2}},
                     {"ceil_mode", kOne},
                     {"count_include_pad", kOne}}),
              HasSubstr("do not agree"));
  EXPECT_THAT(error({{"kernel_shape", Dims{2, 2}}, {"strides", Dims{3, 3}}, {"ceil_mode", kOne}}),
              HasSubstr("behind the image"));
  EXPECT_THAT(error({{"kernel_shape", Dims{1, 1}}, {"pads", Dims{1, 0, 0, 0}}}),
              HasSubstr("nothing but padding"));
  EXPECT_THAT(error({{"kernel_shape", Dims{60000, 60000}}, {"pads", Dims{60000, 60000, 0, 0}}}),
              HasSubstr("window"));
}

TEST(GlobalAveragePool, AndReduceMeanTakeTheMeanOfEveryChannel) {
  OnnxBuilder builder({2, 2, 2});
  const std::vector<double> image{1, 2, 3, 6, 10, 20, 30, 60};
  EXPECT_THAT(run(builder, builder.node("GlobalAveragePool", {"image"}), image),
              ElementsAre(3, 30));
  EXPECT_THAT(run(builder, builder.node("ReduceMean", {"image"}, {{"axes", Dims{2, -1}}}), image),
              ElementsAre(3, 30));
  const std::string dropped = builder.node("ReduceMean", {"image"},
                                           {{"axes", Dims{-2, -1}}, {"keepdims", std::int64_t{0}}});
  EXPECT_THAT(run(builder, dropped, image), ElementsAre(3, 30));
  EXPECT_EQ(builder.import(dropped).classes(), 2u);
  const std::string rows = builder.node("ReduceMean", {"image", builder.integers({2})});
  EXPECT_THAT(run(builder, rows, image), ElementsAre(2, 4, 20, 40));
  // Channels last, as Keras has them.
  const std::string last = builder.node("ReduceMean", {"image"}, {{"axes", Dims{1, 2}}});
  EXPECT_THAT(run(builder, last, image), ElementsAre((1 + 3 + 10 + 30) / 4.0, 88 / 4.0));
  const std::string channels = builder.node("ReduceMean", {"image"}, {{"axes", Dims{1}}});
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { run(builder, channels, image); }),
              HasSubstr("rows and columns"));
}

TEST(BatchNormalization, NormalizesEveryChannelByItsStatistics) {
  OnnxBuilder builder({2, 1, 2});
  const std::vector<std::string> inputs{
      "image", builder.constant({2}, {2, 3}), builder.constant({2}, {10, 20}),
      builder.constant({2}, {1, 2}), builder.constant({2}, {3, 8})};
  const std::string y = builder.node("BatchNormalization", inputs, {{"epsilon", 1.0}});
  // (x - 1) / 2 * 2 + 10 and (x - 2) / 3 * 3 + 20.
  EXPECT_THAT(run(builder, y, {1, 2, 3, 4}), ElementsAre(10, 11, 21, 22));
}

TEST(BatchNormalization, IsRefusedInTrainingAndWithoutAVariance) {
  OnnxBuilder builder({1});
  const std::string one = builder.constant({1}, {1});
  const std::string training =
      builder.node("BatchNormalization", {"image", one, one, one, one}, {{"training_mode", kOne}});
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { builder.import(training); }),
              HasSubstr("for inference"));
  const std::string negative = builder.constant({1}, {-1});
  const std::string y = builder.node("BatchNormalization", {"image", one, one, one, negative});
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { builder.import(y); }), HasSubstr("variance -1"));
}

TEST(Neg, ChangesTheSign) {
  OnnxBuilder builder({2});
  EXPECT_THAT(run(builder, builder.node("Neg", {"image"}), {1, -2}), ElementsAre(-1, 2));
}

TEST(Cast, BetweenFloatsChangesNothingAndToWholeNumbersIsRefused) {
  OnnxBuilder builder({1});
  const std::int64_t half = onnx::TensorProto::FLOAT16;
  const std::int64_t whole = onnx::TensorProto::INT32;
  EXPECT_THAT(run(builder, builder.node("Cast", {"image"}, {{"to", half}}), {1.5}),
              ElementsAre(1.5));
  const std::string x = builder.node("Cast", {"image"}, {{"to", whole}});
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { builder.import(x); }),
              HasSubstr("not a polynomial"));
}

TEST(Dropout, IsRefusedInTraining) {
  OnnxBuilder builder({1});
  const std::string ratio = builder.scalar(0.5);
  const std::string yes = builder.scalar(1);
  const std::string x = builder.node("Dropout", {"image", ratio, yes});
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { builder.import(x); }),
              HasSubstr("for inference"));
  const std::string none = builder.scalar(0);
  EXPECT_THAT(run(builder, builder.node("Dropout", {"image", none, yes}), {3}), ElementsAre(3));
}

TEST(Identity, AndDropoutAndAFinalSoftmaxAreOtherNamesForTheirInput) {
  OnnxBuilder builder({2});
  std::string x = builder.node("Identity", {"image"});
  x = builder.node("Dropout", {x});
  x = builder.node("Mul", {x, builder.node("Identity", {builder.scalar(3)})});
  x = builder.node("Softmax", {x}, {{"axis", std::int64_t{-1}}});
  const Graph graph = builder.import(x);
  EXPECT_EQ(graph.nodes.size(), 1u);
  EXPECT_THAT(run_float(graph, std::vector<double>{1, 2}), ElementsAre(3, 6));
}

TEST(Constant, ComesInEveryForm) {
  OnnxBuilder builder({1});
  const std::string number = builder.node("Constant", {}, {{"value_float", 2.0}});
  const std::string integers = builder.node("Constant", {}, {{"value_ints", Dims{1, -1}}});
  const std::string tensor = builder.node("Constant", {});
  auto* attribute = builder.graph().mutable_node(2)->add_attribute();
  attribute->set_name("value");
  attribute->set_type(onnx::AttributeProto::TENSOR);
  attribute->mutable_t()->set_data_type(onnx::TensorProto::INT32);
  attribute->mutable_t()->add_int32_data(-5);
  std::string x = builder.node("Mul", {"image", number});
  x = builder.node("Reshape", {x, integers});
  EXPECT_THAT(run(builder, builder.node("Add", {x, tensor}), {10}), ElementsAre(15));
}

}  // namespace
}  // namespace ffconv::model
