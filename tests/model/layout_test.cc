// Shapes and orders of axes, from an ONNX model in memory to its result: views of activations,
// images with channels last, and what exporters leave around them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/model/float_executor.h"
#include "ffconv/model/normalize.h"
#include "support/error_of.h"
#include "support/onnx_builder.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::Dims;
using ::ffconv::testing::error_of;
using ::ffconv::testing::OnnxBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kOne = 1;

std::vector<double> run(OnnxBuilder& builder, const std::string& output,
                        const std::vector<double>& image) {
  return run_float(builder.import(output), image);
}

Dims out_dims(OnnxBuilder& builder, const std::string& output) {
  const Graph graph = builder.import(output);
  const auto& dims = graph.values[graph.output].shape.dims;
  return {dims.begin(), dims.end()};
}

TEST(Transpose, MovesElements) {
  OnnxBuilder builder({3, 2, 5});  // no extent is a number of colours at the end
  const std::string x = builder.node("Transpose", {"image"}, {{"perm", Dims{0, 2, 3, 1}}});
  std::vector<double> image(30);
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = static_cast<double>(i);
  }
  const auto y = run(builder, x, image);
  EXPECT_THAT(out_dims(builder, x), ElementsAre(2, 5, 3));
  // Element (row 1, column 2, channel 2) of the result is (2, 1, 2) of the image.
  EXPECT_EQ(y[(1 * 5 + 2) * 3 + 2], image[(2 * 2 + 1) * 5 + 2]);
}

TEST(Transpose, MustKeepTheBatchFirst) {
  OnnxBuilder builder({2, 3, 5});
  for (const Dims& perm : {Dims{1, 0, 2, 3}, Dims{0, 1}, Dims{}}) {
    const std::string x = builder.node("Transpose", {"image"}, {{"perm", perm}});
    EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { builder.import(x); }), HasSubstr("batch"));
  }
  const std::string x = builder.node("Transpose", {"image"}, {{"perm", Dims{0, 1, 1, 2}}});
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { builder.import(x); }), HasSubstr("permutation"));
}

TEST(Squeeze, AndUnsqueezeTakeAxesAsAttributeOrInput) {
  OnnxBuilder older({2, 1, 5}, 11);
  EXPECT_THAT(out_dims(older, older.node("Squeeze", {"image"}, {{"axes", Dims{2}}})),
              ElementsAre(2, 5));
  EXPECT_THAT(out_dims(older, older.node("Squeeze", {"image"})), ElementsAre(2, 5));
  EXPECT_THAT(out_dims(older, older.node("Unsqueeze", {"image"}, {{"axes", Dims{1, -1}}})),
              ElementsAre(1, 2, 1, 5, 1));
  OnnxBuilder newer({2, 1, 5});
  EXPECT_THAT(out_dims(newer, newer.node("Squeeze", {"image", newer.integers({-2})})),
              ElementsAre(2, 5));
  EXPECT_THAT(out_dims(newer, newer.node("Unsqueeze", {"image", newer.integers({4})})),
              ElementsAre(2, 1, 5, 1));
}

TEST(Squeeze, MayNotTouchTheBatchOrLargerAxes) {
  OnnxBuilder builder({2, 1, 5});
  const std::string batch = builder.node("Squeeze", {"image", builder.integers({0})});
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { builder.import(batch); }),
              HasSubstr("batch"));
  const std::string two = builder.node("Squeeze", {"image", builder.integers({1})});
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { builder.import(two); }), HasSubstr("is not 1"));
  const std::string front = builder.node("Unsqueeze", {"image", builder.integers({0})});
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { builder.import(front); }),
              HasSubstr("batch"));
}

TEST(Concat, JoinsChannelsOrOtherAxes) {
  OnnxBuilder builder({2, 1, 2});
  const std::string twice = builder.node("Mul", {"image", builder.scalar(2)});
  const std::vector<double> image{1, 2, 3, 4};
  EXPECT_THAT(run(builder, builder.node("Concat", {"image", twice}, {{"axis", kOne}}), image),
              ElementsAre(1, 2, 3, 4, 2, 4, 6, 8));
  EXPECT_THAT(
      run(builder, builder.node("Concat", {"image", twice}, {{"axis", std::int64_t{-1}}}), image),
      ElementsAre(1, 2, 2, 4, 3, 4, 6, 8));
}

TEST(Concat, IsRefusedWhereShapesDoNotFitAndByNormalization) {
  OnnxBuilder builder({2, 1, 2});
  const std::string flat = builder.node("Flatten", {"image"});
  const std::string odd = builder.node("Concat", {"image", flat}, {{"axis", kOne}});
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { builder.import(odd); }), HasSubstr("fit"));
  const std::string batch = builder.node("Concat", {flat, flat}, {{"axis", std::int64_t{0}}});
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { builder.import(batch); }),
              HasSubstr("batch"));
  const Graph graph = builder.import(builder.node("Concat", {flat, flat}, {{"axis", kOne}}));
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { normalize(graph); }),
              HasSubstr("joins several tensors"));
}

// What tf2onnx makes of a Keras network: channels last at the input and before Flatten.
TEST(Layout, KerasNetworksTakeTheirImageChannelsFirstAndNormalize) {
  OnnxBuilder builder({4, 5, 3});
  std::string x = builder.node("Sub", {"image", builder.constant({3}, {0.5, 1, 2})});
  x = builder.node("Transpose", {x}, {{"perm", Dims{0, 3, 1, 2}}});
  std::vector<double> kernel(2 * 3 * 2 * 2);
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    kernel[i] = 0.1 * static_cast<double>(i % 7) - 0.3;
  }
  x = builder.node("Conv", {x, builder.constant({2, 3, 2, 2}, kernel)});
  x = builder.node("Mul", {x, x});
  x = builder.node("Transpose", {x}, {{"perm", Dims{0, 2, 3, 1}}});
  x = builder.node("Mul", {x, builder.constant({2}, {3, 5})});  // by channel, still channels last
  x = builder.node("Reshape", {x, builder.integers({-1, 24})});
  std::vector<double> weights(24 * 2);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = 0.1 * static_cast<double>(i % 11) - 0.5;
  }
  x = builder.node("MatMul", {x, builder.constant({24, 2}, weights)});
  x = builder.node("Add", {x, builder.constant({2}, {1, 2})});
  const Graph graph = builder.import(builder.node("Softmax", {x}));
  ASSERT_EQ(graph.input_shape(), (Shape{{3, 4, 5}}));

  // By the definition, on channels first.
  std::vector<double> image(60);
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = static_cast<double>(i * i % 13) / 13;
  }
  const double mean[] = {0.5, 1, 2};
  std::vector<double> expected{1, 2};
  for (std::size_t o = 0; o < 2; ++o) {
    for (std::size_t y = 0; y < 3; ++y) {
      for (std::size_t z = 0; z < 4; ++z) {
        double sum = 0;
        for (std::size_t c = 0; c < 3; ++c) {
          for (std::size_t i = 0; i < 2; ++i) {
            for (std::size_t j = 0; j < 2; ++j) {
              sum += kernel[((o * 3 + c) * 2 + i) * 2 + j] *
                     (image[(c * 4 + y + i) * 5 + z + j] - mean[c]);
            }
          }
        }
        const double active = sum * sum * (o == 0 ? 3 : 5);
        for (std::size_t k = 0; k < 2; ++k) {
          expected[k] += active * weights[((y * 4 + z) * 2 + o) * 2 + k];
        }
      }
    }
  }
  const auto scores = run_float(graph, image);
  const Network network = normalize(graph);
  EXPECT_EQ(network.layers.size(), 3u);
  const auto encrypted = run_float(network, image);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_NEAR(scores[k], expected[k], 1e-12);
    EXPECT_NEAR(encrypted[k], expected[k], 1e-12);
  }
}

TEST(Layout, ImagesWithoutColoursMayLackTheChannelAxis) {
  OnnxBuilder builder({2, 2});
  std::string x = builder.node("Flatten", {"image"});
  x = builder.node("MatMul", {x, builder.constant({4, 1}, {1, 10, 100, 1000})});
  const Graph graph = builder.import(x);
  EXPECT_EQ(graph.input_shape(), (Shape{{1, 2, 2}}));
  EXPECT_THAT(run_float(graph, std::vector<double>{1, 2, 3, 4}), ElementsAre(4321));
}

TEST(Layout, ColoursAtTheEndAreChannelsUnlessAConvolutionReadsThem) {
  OnnxBuilder dense({8, 8, 3});
  EXPECT_EQ(dense.import(dense.node("Flatten", {"image"})).input_shape(), (Shape{{3, 8, 8}}));
  OnnxBuilder conv({8, 8, 3});
  const std::string x =
      conv.node("Conv", {"image", conv.constant({1, 8, 1, 1}, std::vector<double>(8, 1))});
  EXPECT_EQ(conv.import(x).input_shape(), (Shape{{8, 8, 3}}));
  OnnxBuilder first({3, 8, 8});
  EXPECT_EQ(first.import(first.node("Flatten", {"image"})).input_shape(), (Shape{{3, 8, 8}}));
}

TEST(Layout, NormalizationRefusesATransposeThatNothingUndoes) {
  OnnxBuilder builder({3, 2, 2});
  std::string x = builder.node("Transpose", {"image"}, {{"perm", Dims{0, 2, 1, 3}}});
  const Graph at_end = builder.import(x);
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { normalize(at_end); }),
              HasSubstr("output is transposed"));
  x = builder.node("Conv", {x, builder.constant({1, 2, 1, 1}, {1, 2})});
  const Graph before_conv = builder.import(x);
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { normalize(before_conv); }),
              HasSubstr("is transposed"));
}

// The classifiers of scikit-learn, as skl2onnx writes them: a label beside the scores, each in a
// map.
TEST(Layout, LabelsBesideTheScoresAreLeftOut) {
  OnnxBuilder builder({2});
  std::string x = builder.node("Cast", {"image"}, {{"to", std::int64_t{onnx::TensorProto::FLOAT}}});
  x = builder.node("MatMul", {x, builder.constant({2, 2}, {1, 2, 3, 4})});
  const std::string scores = builder.node("Softmax", {x});
  const std::string label = builder.node("ArgMax", {scores});
  const std::string map = builder.node("ZipMap", {scores});
  builder.graph().mutable_node(4)->set_domain("ai.onnx.ml");
  builder.bytes(map);
  auto* output = builder.graph().add_output();
  output->set_name(label);
  output->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::INT64);
  const std::string text = builder.model().SerializeAsString();
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  EXPECT_THAT(run_float(import_onnx(bytes, "test model"), std::vector<double>{1, 10}),
              ElementsAre(31, 42));
}

TEST(Layout, ReshapeKeepsAnImageInOneRow) {
  OnnxBuilder builder({3});
  const std::string x = builder.node("Reshape", {"image", builder.integers({-1, 1})});
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { builder.import(x); }),
              AllOf(HasSubstr("3 elements"), HasSubstr("several images"), HasSubstr("[1, -1]")));
}

TEST(Layout, NothingButOtherNamesMayFollowTheSoftmax) {
  OnnxBuilder builder({2});
  std::string x = builder.node("LogSoftmax", {"image"});
  x = builder.node("Identity", {x});
  EXPECT_THAT(run(builder, builder.node("Reshape", {x, builder.integers({1, 2})}), {3, 4}),
              ElementsAre(3, 4));
  const std::string twice = builder.node("Mul", {x, builder.scalar(2)});
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { builder.import(twice); }),
              HasSubstr("'LogSoftmax' 't0'"));
}

}  // namespace
}  // namespace ffconv::model
