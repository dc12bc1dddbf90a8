// Constant arithmetic while a file is read: the shapes that exporters compute, and its bounds.
#include "ffconv/model/onnx/fold.h"

#include <limits>

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
using ::testing::HasSubstr;

constexpr std::int64_t kZero = 0;
constexpr std::int64_t kOne = 1;
constexpr std::int64_t kInt64 = onnx::TensorProto::INT64;
constexpr std::int64_t kFloat = onnx::TensorProto::FLOAT;
constexpr std::int64_t kBool = onnx::TensorProto::BOOL;

// The constant that a graph adds to an image of `elements` zeros.
std::vector<double> constant_of(OnnxBuilder& builder, const std::string& constant,
                                std::size_t elements) {
  const Graph graph = builder.import(builder.node("Add", {"image", constant}));
  EXPECT_EQ(graph.nodes.size(), 1u);
  return run_float(graph, std::vector<double>(elements, 0.0));
}

TEST(Fold, PyTorchFlattensByTheShapeOfTheBatch) {
  // x.view(x.size(0), -1): Shape, Gather, Unsqueeze, Concat, Reshape.
  OnnxBuilder builder({2, 3, 5});
  const std::string shape = builder.node("Shape", {"image"});
  std::string batch = builder.node("Gather", {shape, builder.integers({0})}, {{"axis", kZero}});
  batch = builder.node("Squeeze", {batch});
  batch = builder.node("Unsqueeze", {batch, builder.integers({0})});
  const std::string to = builder.node("Concat", {batch, builder.integers({-1})}, {{"axis", kZero}});
  const Graph graph = builder.import(builder.node("Reshape", {"image", to}));
  EXPECT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.values[graph.output].shape, Shape{{30}});
}

TEST(Fold, PyTorchPadsByAListThatIsReversed) {
  // F.pad(x, (1, 2, 3, 0)) of opset 11: the list, filled up with zeros, reversed in pairs,
  // transposed.
  OnnxBuilder builder({1, 2, 2}, 11);
  const std::string pads = builder.integers({1, 2, 3, 0});
  std::string fill = builder.node("ConstantOfShape", {builder.integers({4})});
  auto* value = builder.graph().mutable_node(0)->add_attribute();
  value->set_name("value");
  value->set_type(onnx::AttributeProto::TENSOR);
  value->mutable_t()->set_data_type(onnx::TensorProto::INT64);
  value->mutable_t()->add_dims(1);
  value->mutable_t()->add_int64_data(0);
  std::string list = builder.node("Concat", {pads, fill}, {{"axis", kZero}});
  list = builder.node("Reshape", {list, builder.integers({-1, 2})});
  list = builder.node("Slice", {list, builder.integers({-1}),
                                builder.integers({std::numeric_limits<std::int64_t>::min() + 1}),
                                builder.integers({0}), builder.integers({-1})});
  list = builder.node("Transpose", {list}, {{"perm", Dims{1, 0}}});
  list = builder.node("Reshape", {list, builder.integers({-1})});
  list = builder.node("Cast", {list}, {{"to", kInt64}});
  const Graph graph = builder.import(builder.node("Pad", {"image", list}));
  ASSERT_EQ(graph.nodes.size(), 1u);
  const Pad& pad = std::get<Pad>(graph.nodes[0].op);
  EXPECT_THAT(pad.before, ElementsAre(0, 3, 1));
  EXPECT_THAT(pad.after, ElementsAre(0, 0, 2));
}

TEST(Fold, TensorFlowFlattensByTheProductOfASlice) {
  OnnxBuilder builder({2, 3, 5}, 11);
  std::string shape = builder.node("Shape", {"image"});
  shape = builder.node("Cast", {shape}, {{"to", kFloat}});
  shape = builder.node("Slice", {shape, builder.integers({1}), builder.integers({4})});
  shape = builder.node("ReduceProd", {shape}, {{"keepdims", kOne}});
  shape = builder.node("Cast", {shape}, {{"to", kInt64}});
  shape = builder.node("Concat", {builder.integers({-1}), shape}, {{"axis", kZero}});
  const Graph graph = builder.import(builder.node("Reshape", {"image", shape}));
  EXPECT_EQ(graph.values[graph.output].shape, Shape{{30}});
}

TEST(Fold, DivisionOfWholeNumbersTruncatesAndOfOthersDoesNot) {
  OnnxBuilder builder({2});
  const std::string seven = builder.integers({7, -7});
  const std::string two = builder.integers({2, 2});
  EXPECT_THAT(constant_of(builder, builder.node("Div", {seven, two}), 2), ElementsAre(3, -3));
  const std::string floats = builder.node("Cast", {seven}, {{"to", kFloat}});
  EXPECT_THAT(constant_of(builder, builder.node("Div", {floats, builder.scalar(2)}), 2),
              ElementsAre(3.5, -3.5));
  EXPECT_THAT(error_of(ErrorCode::kFormat,
                       [&] {
                         const std::string zero = builder.integers({0, 0});
                         constant_of(builder, builder.node("Div", {seven, zero}), 2);
                       }),
              HasSubstr("not a finite number"));
}

TEST(Fold, ComputesElementByElementWithBroadcasting) {
  OnnxBuilder builder({1, 2, 2});
  const std::string column = builder.constant({2, 1}, {4, 9});
  const std::string row = builder.constant({2}, {1, 2});
  const auto result = [&](const std::string& op, const std::vector<std::string>& inputs) {
    return constant_of(builder, builder.node(op, inputs), 4);
  };
  EXPECT_THAT(result("Add", {column, row}), ElementsAre(5, 6, 10, 11));
  EXPECT_THAT(result("Sub", {column, row}), ElementsAre(3, 2, 8, 7));
  EXPECT_THAT(result("Mul", {column, row}), ElementsAre(4, 8, 9, 18));
  EXPECT_THAT(result("Pow", {column, row}), ElementsAre(4, 16, 9, 81));
  EXPECT_THAT(result("Sqrt", {column}), ElementsAre(2, 2, 3, 3));
  EXPECT_THAT(result("Neg", {row}), ElementsAre(-1, -2, -1, -2));
  EXPECT_THAT(result("Reciprocal", {row}), ElementsAre(1, 0.5, 1, 0.5));
  const std::string is_one = builder.node("Equal", {row, builder.scalar(1)});
  EXPECT_THAT(result("Where", {is_one, column, row}), ElementsAre(4, 2, 9, 2));
  const std::string half = builder.constant({2}, {1.5, -1.5});
  EXPECT_THAT(result("Floor", {half}), ElementsAre(1, -2, 1, -2));
  EXPECT_THAT(result("Ceil", {half}), ElementsAre(2, -1, 2, -1));
  const std::string cast = builder.node("Cast", {half}, {{"to", kInt64}});
  EXPECT_THAT(result("Identity", {cast}), ElementsAre(1, -1, 1, -1));
  const std::string truth = builder.node("Cast", {half}, {{"to", kBool}});
  EXPECT_THAT(result("Identity", {truth}), ElementsAre(1, 1, 1, 1));
}

TEST(Fold, SelectsElements) {
  OnnxBuilder builder({1, 2, 2});
  const std::string ramp =
      builder.node("Range", {builder.scalar(0), builder.scalar(6), builder.scalar(1)});
  const std::string matrix = builder.node("Reshape", {ramp, builder.integers({2, -1})});
  const auto result = [&](const std::string& x) { return constant_of(builder, x, 4); };
  const std::string columns = builder.integers({2, -3});
  EXPECT_THAT(result(builder.node("Gather", {matrix, columns}, {{"axis", kOne}})),
              ElementsAre(2, 0, 5, 3));
  EXPECT_THAT(result(builder.node("Slice", {matrix, builder.integers({0}), builder.integers({3}),
                                            builder.integers({1}), builder.integers({2})})),
              ElementsAre(0, 2, 3, 5));
  const std::string transposed = builder.node("Transpose", {matrix});
  EXPECT_THAT(result(builder.node("Slice", {transposed, builder.integers({1}),
                                            builder.integers({std::int64_t{1} << 62})})),
              ElementsAre(1, 4, 2, 5));
  const std::string one = builder.constant({1, 1}, {7});
  EXPECT_THAT(result(builder.node("Expand", {one, builder.integers({2, 2})})),
              ElementsAre(7, 7, 7, 7));
  const std::string row = builder.constant({1, 2}, {1, 2});
  EXPECT_THAT(result(builder.node("Concat", {row, row}, {{"axis", kZero}})),
              ElementsAre(1, 2, 1, 2));
}

TEST(Fold, OlderSlicesHaveAttributes) {
  OnnxBuilder builder({1}, 9);
  const std::string x = builder.constant({3}, {1, 2, 3});
  const Attributes last{{"starts", Dims{-1}}, {"ends", Dims{9}}, {"axes", Dims{0}}};
  EXPECT_THAT(constant_of(builder, builder.node("Slice", {x}, last), 1), ElementsAre(3));
}

TEST(Fold, WeightsMayBeTransposedConstants) {
  OnnxBuilder builder({2});
  const std::string weights =
      builder.node("Transpose", {builder.constant({2, 2}, {1, 2, 3, 4})}, {{"perm", Dims{1, 0}}});
  const Graph graph = builder.import(builder.node("MatMul", {"image", weights}));
  EXPECT_EQ(graph.nodes.size(), 1u);
  EXPECT_THAT(run_float(graph, std::vector<double>{1, 10}), ElementsAre(21, 43));
}

TEST(Fold, RefusesContradictions) {
  OnnxBuilder builder({2});
  const std::string three = builder.constant({3}, {1, 2, 3});
  const std::string two = builder.constant({2}, {1, 2});
  const auto error = [&](const std::string& x) {
    return error_of(ErrorCode::kFormat, [&] { constant_of(builder, x, 2); });
  };
  EXPECT_THAT(error(builder.node("Add", {three, two})), HasSubstr("broadcast"));
  EXPECT_THAT(error(builder.node("Gather", {two, builder.integers({2})})), HasSubstr("axis 2"));
  EXPECT_THAT(error(builder.node("Reshape", {three, builder.integers({2, -1})})),
              HasSubstr("does not hold"));
  EXPECT_THAT(error(builder.node("Squeeze", {three, builder.integers({5})})), HasSubstr("axis 5"));
  EXPECT_THAT(error(builder.node("Transpose", {three}, {{"perm", Dims{0, 0}}})),
              HasSubstr("permutation"));
  EXPECT_THAT(error(builder.node("ConstantOfShape", {builder.integers({-1})})),
              HasSubstr("dimension"));
  EXPECT_THAT(
      error(builder.node("Range", {builder.scalar(0), builder.scalar(1), builder.scalar(0)})),
      HasSubstr("no end"));
  EXPECT_THAT(error(builder.node("Sqrt", {builder.scalar(-1)})), HasSubstr("finite"));
}

TEST(Fold, TakesNoMoreMemoryThanTheFilesConstantsJustify) {
  const std::int64_t huge = std::int64_t{1} << 40;
  const auto error = [&](const auto& make) {
    OnnxBuilder builder({2});
    return error_of(ErrorCode::kUnsupported, [&] { constant_of(builder, make(builder), 2); });
  };
  EXPECT_THAT(error([&](auto& b) {
                return b.node("ConstantOfShape", {b.integers({huge, huge})});
              }),
              HasSubstr("far larger"));
  EXPECT_THAT(error([&](auto& b) {
                return b.node("Expand", {b.scalar(1), b.integers({huge, 1})});
              }),
              HasSubstr("far larger"));
  EXPECT_THAT(error([&](auto& b) {
                return b.node("Range", {b.scalar(0), b.scalar(1e15), b.scalar(1)});
              }),
              HasSubstr("far larger"));
  // A few hundred elements, doubled thirty times.
  EXPECT_THAT(error([&](auto& b) {
                std::string x = b.node("ConstantOfShape", {b.integers({300})});
                for (int k = 0; k < 30; ++k) {
                  x = b.node("Concat", {x, x}, {{"axis", kZero}});
                }
                return x;
              }),
              HasSubstr("far larger"));
  // Small ones, but very many.
  EXPECT_THAT(error([&](auto& b) {
                std::string x = b.node("ConstantOfShape", {b.integers({500})});
                for (int k = 0; k < 30; ++k) {
                  x = b.node("Neg", {x});
                }
                return x;
              }),
              HasSubstr("far larger"));
}

TEST(Fold, OperatorsForConstantsAloneAreRefusedOnTheImagesData) {
  OnnxBuilder builder({2});
  const std::string x = builder.node("Sqrt", {"image"});
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { builder.import(x); }),
              HasSubstr("'Sqrt' 't0'"));
}

}  // namespace
}  // namespace ffconv::model
