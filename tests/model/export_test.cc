#include "ffconv/model/onnx/export.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "ffconv/model/float_executor.h"
#include "ffconv/model/onnx/import.h"
#include "support/error_of.h"
#include "support/onnx_builder.h"
#include "support/random_model.h"
#include "support/random_network.h"
#include "support/temporary_directory.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::Dims;
using ::ffconv::testing::error_of;
using ::ffconv::testing::OnnxBuilder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Graph reimport(const Graph& graph, const ExportOptions& options = {}) {
  return import_onnx(export_onnx(graph, options), "exported");
}

onnx::ModelProto parse(const std::vector<std::uint8_t>& bytes) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return model;
}

// The graph with every constant rounded to float32.
Graph rounded(Graph graph) {
  for (Value& value : graph.values) {
    for (double& x : value.data) {
      x = static_cast<float>(x);
    }
  }
  return graph;
}

// Nodes, values that they read or write, names and metadata; numbering may differ.
void expect_same(const Graph& expected, const Graph& got) {
  EXPECT_EQ(expected.name, got.name);
  EXPECT_EQ(expected.metadata, got.metadata);
  EXPECT_EQ(expected.input_shape(), got.input_shape());
  EXPECT_EQ(expected.values[expected.input].name, got.values[got.input].name);
  EXPECT_EQ(expected.values[expected.output].name, got.values[got.output].name);
  ASSERT_EQ(expected.nodes.size(), got.nodes.size());
  for (std::size_t k = 0; k < expected.nodes.size(); ++k) {
    const Node& a = expected.nodes[k];
    const Node& b = got.nodes[k];
    SCOPED_TRACE(a.name);
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.op.index(), b.op.index());
    EXPECT_EQ(expected.values[a.output].name, got.values[b.output].name);
    EXPECT_EQ(expected.values[a.output].shape, got.values[b.output].shape);
    ASSERT_EQ(a.inputs.size(), b.inputs.size());
    for (std::size_t i = 0; i < a.inputs.size(); ++i) {
      const Value& x = expected.values[a.inputs[i]];
      const Value& y = got.values[b.inputs[i]];
      if (x.is_constant) {
        EXPECT_THAT(y.name, StartsWith(x.name));  // made unique where it has to be
      } else {
        EXPECT_EQ(x.name, y.name);
      }
      EXPECT_EQ(x.shape, y.shape);
      EXPECT_EQ(x.is_constant, y.is_constant);
      EXPECT_EQ(x.data, y.data);
    }
  }
}

void expect_round_trip(const Graph& graph, std::uint64_t image_seed) {
  const Graph expected = rounded(graph);
  const Graph got = reimport(graph);
  expect_same(expected, got);
  EXPECT_EQ(export_onnx(graph), export_onnx(got));
  const auto image = ffconv::testing::random_image(graph.input_shape(), image_seed);
  EXPECT_EQ(run_float(expected, image), run_float(got, image));
}

TEST(Export, RoundTripsEveryModelOfTheRepository) {
  const std::filesystem::path folder = std::filesystem::path(FFCONV_SOURCE_DIR) / "models";
  std::size_t models = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".onnx") {
      SCOPED_TRACE(entry.path().string());
      expect_round_trip(import_onnx_file(entry.path()), 1);
      ++models;
    }
  }
  EXPECT_GE(models, 3u);
}

TEST(Export, RoundTripsRandomGraphs) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    expect_round_trip(ffconv::testing::random_graph(seed, ffconv::testing::Activations::kQuadratic),
                      seed);
  }
}

TEST(Export, RoundTripsRandomModelsOverAllOperators) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    const std::string text =
        ffconv::testing::random_model(seed, ffconv::testing::Branches::kSome).SerializeAsString();
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    expect_round_trip(import_onnx(bytes, "random"), seed);
  }
}

TEST(Export, RoundTripsTheOperatorsThatRandomGraphsLack) {
  OnnxBuilder builder({2, 3, 4});
  std::string x =
      builder.node("Pad", {"image", builder.integers({0, 0, 1, 2, 0, 0, 3, 0})});  // 2 x 7 x 6
  x = builder.node("Sub", {builder.scalar(0.5), x});
  x = builder.node("Div", {x, builder.constant({2, 1, 1}, {3, -7})});
  x = builder.node("Reshape", {x, builder.integers({1, 3, 4, 7})});
  x = builder.node("Pow", {x, builder.scalar(3)});
  x = builder.node("Reshape", {x, builder.integers({-1, 84})});
  x = builder.node("MatMul", {x, builder.constant({84, 2}, std::vector<double>(168, 0.1))});
  x = builder.node("Gemm", {x, builder.constant({2, 2}, {1, 2, 3, 4}), builder.scalar(3)},
                   {{"alpha", 0.3}, {"beta", -2.5}});
  expect_round_trip(builder.import(x), 5);
}

TEST(Export, RoundTripsPoolingNormalizationTranspositionAndConcatenation) {
  OnnxBuilder builder({2, 5, 6});
  const auto constant = [&](std::vector<double> values) { return builder.constant({2}, values); };
  std::string x = builder.node(
      "BatchNormalization",
      {"image", constant({1.5, -2}), constant({3, 4}), constant({100, 90}), constant({30, 50})});
  x = builder.node("BatchNormalization",
                   {x, constant({1, 1}), constant({0, 1}), constant({0, 0}), constant({2, 3})},
                   {{"epsilon", 0.01}});
  const std::string y = builder.node(
      "AveragePool", {x},
      {{"kernel_shape", Dims{2, 3}}, {"strides", Dims{1, 1}}, {"pads", Dims{1, 1, 0, 1}}});
  const std::string z = builder.node("AveragePool", {x},
                                     {{"kernel_shape", Dims{2, 3}},
                                      {"strides", Dims{1, 1}},
                                      {"pads", Dims{1, 1, 0, 1}},
                                      {"count_include_pad", std::int64_t{1}}});
  x = builder.node("Concat", {y, z}, {{"axis", std::int64_t{1}}});
  x = builder.node("Transpose", {x}, {{"perm", Dims{0, 2, 3, 1}}});
  x = builder.node("Flatten", {x});
  expect_round_trip(builder.import(x), 6);
}

TEST(Export, UsesALaterOperatorSetOnlyForDilatedPooling) {
  OnnxBuilder builder({1, 5, 5}, 19);
  const std::string x = builder.node("AveragePool", {"image"},
                                     {{"kernel_shape", Dims{2, 2}}, {"dilations", Dims{2, 1}}});
  const Graph graph = builder.import(x);
  expect_round_trip(graph, 7);
  EXPECT_EQ(parse(export_onnx(graph)).opset_import(0).version(), 19);
}

TEST(Export, MakesConstantsNamesUniqueAndLeavesActivationsAlone) {
  OnnxBuilder builder({2});
  const std::string divisor = builder.constant({2}, {2, 4});
  std::string x = builder.node("Div", {"image", divisor});
  x = builder.node("Div", {x, divisor});  // both reciprocals are named after the divisor
  x = builder.node("Pow", {x, builder.scalar(2)});
  builder.graph().mutable_node(1)->set_output(0, "t2_exponent");
  builder.graph().mutable_node(2)->set_input(0, "t2_exponent");
  const Graph graph = builder.import(x);
  const Graph got = reimport(graph);
  EXPECT_EQ(got.values[got.nodes[1].output].name, "t2_exponent");
  EXPECT_THAT(run_float(got, std::vector<double>{6, 8}), ElementsAre(2.25, 0.25));
}

TEST(Export, HasASymbolicBatchAndTheOldestVersionsThatWillDo) {
  const auto model = parse(export_onnx(ffconv::testing::random_graph(1)));
  EXPECT_EQ(model.ir_version(), 7);
  ASSERT_EQ(model.opset_import_size(), 1);
  EXPECT_EQ(model.opset_import(0).version(), 13);
  EXPECT_EQ(model.graph().input(0).type().tensor_type().shape().dim(0).dim_param(), "N");
  EXPECT_EQ(model.graph().output(0).type().tensor_type().shape().dim(0).dim_param(), "N");
}

TEST(Export, LeavesOutConstantsThatNoNodeReads) {
  OnnxBuilder builder({2});
  builder.scalar(7);
  const auto model = parse(export_onnx(builder.import(builder.node("Mul", {"image", "image"}))));
  EXPECT_EQ(model.graph().initializer_size(), 0);
}

TEST(Export, StoresWeightsButNotBiasesInHalfPrecisionWhereTheyFit) {
  OnnxBuilder builder({1, 1, 2});
  const std::string weights = builder.constant({1, 1, 1, 1}, {1.0 / 3});
  std::string x = builder.node("Conv", {"image", weights, builder.constant({1}, {0.1})});
  x = builder.node("Flatten", {x});
  x = builder.node("MatMul", {x, builder.constant({2, 1}, {1, 65505})});
  const auto model = parse(export_onnx(builder.import(x), {.half_precision = true}));
  ASSERT_EQ(model.graph().initializer_size(), 3);
  const auto& half = model.graph().initializer(0);
  EXPECT_EQ(half.data_type(), onnx::TensorProto::FLOAT16);
  EXPECT_EQ(half.raw_data(), "\x55\x35");  // 0x3555, the nearest to 1/3
  EXPECT_EQ(model.graph().initializer(1).data_type(), onnx::TensorProto::FLOAT);
  EXPECT_EQ(model.graph().initializer(2).data_type(), onnx::TensorProto::FLOAT);
  const auto& cast = model.graph().node(0);
  EXPECT_EQ(cast.op_type(), "Cast");
  EXPECT_EQ(cast.input(0), half.name());
  EXPECT_EQ(cast.output(0), weights);
  EXPECT_EQ(cast.attribute(0).i(), onnx::TensorProto::FLOAT);
  EXPECT_EQ(model.graph().node(1).input(1), weights);
}

TEST(Export, HalfPrecisionIsReadAgainAsTheNearestHalves) {
  Graph expected = rounded(ffconv::testing::random_graph(11));
  const Graph got = reimport(expected, {.half_precision = true});
  for (const Node& node : expected.nodes) {
    if (std::holds_alternative<Conv>(node.op) || std::holds_alternative<Gemm>(node.op)) {
      for (double& x : expected.values[node.inputs[1]].data) {
        // 11 significant bits: these weights are far from float16's least normal number.
        int exponent = 0;
        const double fraction = std::frexp(x, &exponent);
        x = std::abs(x) < 0x1p-14
                ? x
                : std::ldexp(std::nearbyint(std::ldexp(fraction, 11)), exponent - 11);
      }
    }
  }
  expect_same(expected, got);
}

TEST(Export, RefusesWhatFloat32CannotHold) {
  OnnxBuilder builder({1});
  const Graph graph = builder.import(builder.node("Mul", {"image", builder.scalar(1e39)}));
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { export_onnx(graph); }),
              AllOf(HasSubstr("'c0'"), HasSubstr("1e+39"), HasSubstr("float32")));
}

TEST(Export, WritesAFileOrNothing) {
  const ffconv::testing::TemporaryDirectory directory;
  const Graph graph = rounded(ffconv::testing::random_graph(3));
  export_onnx_file(graph, directory.path() / "a.onnx");
  expect_same(graph, import_onnx_file(directory.path() / "a.onnx"));
  error_of(ErrorCode::kIo,
           [&] { export_onnx_file(graph, directory.path() / "missing" / "b.onnx"); });
  EXPECT_THAT(directory.entries(), ElementsAre("a.onnx"));
}

}  // namespace
}  // namespace ffconv::model
