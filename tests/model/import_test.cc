#include "ffconv/model/onnx/import.h"

#include <array>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/onnx_builder.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::Attributes;
using ::ffconv::testing::Dims;
using ::ffconv::testing::error_of;
using ::ffconv::testing::OnnxBuilder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string import_error(OnnxBuilder& builder, const std::string& output, ErrorCode code) {
  return error_of(code, [&] { builder.import(output); });
}

// One node on a 1 x 3 x 3 image with a constant of 1 x 1 x 2 x 2 as its second input.
std::string conv_error(const Attributes& attributes, ErrorCode code) {
  OnnxBuilder builder({1, 3, 3});
  const std::string weights = builder.constant({1, 1, 2, 2}, {1, 2, 3, 4});
  return import_error(builder, builder.node("Conv", {"image", weights}, attributes), code);
}

TEST(Import, ListsEverythingUnsupportedAtOnce) {
  OnnxBuilder builder({1, 4, 4});
  std::string x = builder.node("Conv", {"image", builder.constant({1, 1, 1, 1}, {1})});
  x = builder.node("Relu", {x});
  x = builder.node("MaxPool", {x}, {{"kernel_shape", Dims{2, 2}}});
  x = builder.node("Flatten", {x}, {{"axis", std::int64_t{1}}});
  builder.graph().mutable_node(1)->set_name("act1");
  const std::string stray = builder.node("Flatten", {"image"}, {{"axis", std::int64_t{2}}});
  builder.graph().mutable_node(4)->set_name("stray");
  x = builder.node("Add", {x, stray});
  builder.node("Tanh", {stray});
  EXPECT_THAT(
      import_error(builder, x, ErrorCode::kUnsupported),
      AllOf(HasSubstr("test model: 3 parts"), HasSubstr("'Relu' 'act1'"), HasSubstr("x*x"),
            HasSubstr("retrain"), HasSubstr("'MaxPool' 't2'"), HasSubstr("average pooling"),
            HasSubstr("Flatten 'stray': axis 2"), Not(HasSubstr("'t3'")), Not(HasSubstr("Tanh"))));
}

TEST(Import, ListsAHundredOfVeryManyUnsupportedNodes) {
  OnnxBuilder builder({4});
  std::string x = "image";
  for (int k = 0; k < 1000; ++k) {
    x = builder.node("Relu", {x});
  }
  const std::string message = import_error(builder, x, ErrorCode::kUnsupported);
  EXPECT_THAT(message,
              AllOf(HasSubstr("1000 parts"), HasSubstr("'t99'"), Not(HasSubstr("'t100'"))));
}

TEST(Import, RefusesASoftmaxBeforeTheEnd) {
  OnnxBuilder builder({2});
  const std::string x = builder.node("Softmax", {"image"});
  EXPECT_THAT(import_error(builder, builder.node("Add", {x, x}), ErrorCode::kUnsupported),
              HasSubstr("'Softmax'"));
}

TEST(Import, RefusesOperatorsOfOtherDomains) {
  OnnxBuilder builder({2});
  const std::string x = builder.node("Add", {"image", "image"});
  builder.graph().mutable_node(0)->set_domain("com.example");
  EXPECT_THAT(import_error(builder, x, ErrorCode::kUnsupported), HasSubstr("com.example.Add"));
}

TEST(Import, RefusesWeightsThatDependOnTheImage) {
  OnnxBuilder builder({2});
  EXPECT_THAT(
      import_error(builder, builder.node("MatMul", {"image", "image"}), ErrorCode::kUnsupported),
      HasSubstr("must be a constant"));
}

TEST(Import, RefusesBytesThatAreNoModel) {
  const std::vector<std::uint8_t> noise{0xff, 0xff, 0xff, 0x01};
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { import_onnx(noise, "noise.onnx"); }),
              HasSubstr("noise.onnx: not an ONNX model"));
  EXPECT_THAT(error_of(ErrorCode::kFormat, [] { import_onnx({}, "empty.onnx"); }),
              HasSubstr("empty.onnx"));
}

TEST(Import, RefusesAMissingFile) {
  EXPECT_THAT(error_of(ErrorCode::kIo, [] { import_onnx_file("/nonexistent/model.onnx"); }),
              HasSubstr("/nonexistent/model.onnx"));
}

TEST(Import, RefusesOldOperatorSets) {
  OnnxBuilder builder({2}, 8);
  EXPECT_THAT(import_error(builder, builder.node("Identity", {"image"}), ErrorCode::kUnsupported),
              HasSubstr("operator set 8"));
}

TEST(Import, RefusesUndefinedCyclicAndDuplicateNames) {
  OnnxBuilder missing({2});
  EXPECT_THAT(import_error(missing, missing.node("Add", {"image", "nowhere"}), ErrorCode::kFormat),
              HasSubstr("'nowhere'"));
  OnnxBuilder cycle({2});
  cycle.node("Add", {"image", "t1"});
  EXPECT_THAT(import_error(cycle, cycle.node("Add", {"t0", "image"}), ErrorCode::kFormat),
              HasSubstr("cycle"));
  OnnxBuilder values({2});
  values.node("Identity", {"image"});
  values.node("Identity", {"image"});
  values.graph().mutable_node(1)->set_output(0, "t0");
  EXPECT_THAT(import_error(values, "t0", ErrorCode::kFormat), HasSubstr("two values"));
  OnnxBuilder nodes({2});
  nodes.node("Identity", {"image"});
  const std::string x = nodes.node("Identity", {"image"});
  nodes.graph().mutable_node(0)->set_name("same");
  nodes.graph().mutable_node(1)->set_name("same");
  EXPECT_THAT(import_error(nodes, x, ErrorCode::kFormat), HasSubstr("two nodes"));
  OnnxBuilder output({2});
  EXPECT_THAT(import_error(output, "elsewhere", ErrorCode::kFormat), HasSubstr("'elsewhere'"));
}

TEST(Import, RefusesInputsThatAreNotOneImage) {
  const auto error = [](const Dims& dims, ErrorCode code) {
    OnnxBuilder builder(dims);
    return import_error(builder, builder.node("Identity", {"image"}), code);
  };
  EXPECT_THAT(error({1, 1, 28, 28}, ErrorCode::kUnsupported), HasSubstr("got 5 axes"));
  EXPECT_THAT(error({1, 0, 28}, ErrorCode::kUnsupported), HasSubstr("no fixed extent"));
  EXPECT_THAT(error({1, -1, 28}, ErrorCode::kUnsupported), HasSubstr("no fixed extent"));
  EXPECT_THAT(error({1 << 12, 1 << 12, 2}, ErrorCode::kUnsupported), HasSubstr("more than"));
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(error({huge, huge, huge}, ErrorCode::kUnsupported), HasSubstr("more than"));

  OnnxBuilder batch({2});
  batch.graph()
      .mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_value(32);
  EXPECT_THAT(import_error(batch, "image", ErrorCode::kUnsupported), HasSubstr("batch of 1"));
  OnnxBuilder bytes({2});
  bytes.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::UINT8);
  EXPECT_THAT(import_error(bytes, "image", ErrorCode::kUnsupported), HasSubstr("type float"));
  OnnxBuilder two({2});
  two.graph().add_input()->set_name("second");
  EXPECT_THAT(import_error(two, "image", ErrorCode::kUnsupported), HasSubstr("'second'"));
}

TEST(Import, RefusesWindowsOutOfRange) {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  const auto unsupported = ErrorCode::kUnsupported;
  EXPECT_THAT(conv_error({{"pads", Dims{0, 0, -1, 0}}}, unsupported), HasSubstr("pads"));
  EXPECT_THAT(conv_error({{"pads", Dims{0, 0, huge, 0}}}, unsupported), HasSubstr("pads"));
  EXPECT_THAT(conv_error({{"strides", Dims{0, 1}}}, unsupported), HasSubstr("strides"));
  EXPECT_THAT(conv_error({{"strides", Dims{huge, 1}}}, unsupported), HasSubstr("strides"));
  EXPECT_THAT(conv_error({{"dilations", Dims{huge, 1}}}, unsupported), HasSubstr("dilations"));
  EXPECT_THAT(conv_error({{"dilations", Dims{9, 1}}}, ErrorCode::kFormat), HasSubstr("covers 10"));
  EXPECT_THAT(conv_error({{"pads", Dims{0, 0}}}, ErrorCode::kFormat), HasSubstr("4 entries"));
  EXPECT_THAT(conv_error({{"kernel_shape", Dims{3, 3}}}, ErrorCode::kFormat),
              HasSubstr("kernel_shape"));
  EXPECT_THAT(conv_error({{"group", huge}}, ErrorCode::kFormat), HasSubstr("group"));
  EXPECT_THAT(conv_error({{"group", std::string("1")}}, ErrorCode::kFormat), HasSubstr("type"));
  EXPECT_THAT(conv_error({{"auto_pad", std::string("SOME")}}, ErrorCode::kFormat),
              HasSubstr("auto_pad"));
  // Each pad is allowed, but not the output of 131075 x 131075 elements.
  EXPECT_THAT(conv_error({{"pads", Dims{65536, 65536, 65536, 65536}}}, unsupported),
              HasSubstr("all activations exceed"));
}

TEST(Import, BoundsAllActivationsTogether) {
  OnnxBuilder builder({1, 1024, 1024});
  std::string x = "image";
  for (int k = 0; k < 16; ++k) {
    x = builder.node("Add", {x, x});
  }
  EXPECT_THAT(import_error(builder, x, ErrorCode::kUnsupported), HasSubstr("'t15'"));
}

TEST(Import, RefusesShapesThatDoNotFit) {
  OnnxBuilder matrix({3});
  const std::string weights = matrix.constant({2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(import_error(matrix, matrix.node("MatMul", {"image", weights}), ErrorCode::kFormat),
              HasSubstr("3 features"));
  OnnxBuilder image({1, 2, 2});
  const std::string dense = image.constant({4, 1}, {1, 2, 3, 4});
  EXPECT_THAT(import_error(image, image.node("Gemm", {"image", dense}), ErrorCode::kUnsupported),
              HasSubstr("Flatten"));
  OnnxBuilder wider({2});
  const std::string three = wider.constant({3}, {1, 2, 3});
  EXPECT_THAT(import_error(wider, wider.node("Add", {"image", three}), ErrorCode::kUnsupported),
              HasSubstr("broadcasting of 2 and 3"));
  for (const Dims& dims :
       {Dims{1, 5}, Dims{1, -1, 3}, Dims{1, -1, -1}, Dims{1, -2}, Dims{1, 0, 0, 2}}) {
    OnnxBuilder builder({4});
    const std::string to = builder.integers(dims);
    import_error(builder, builder.node("Reshape", {"image", to}), ErrorCode::kFormat);
  }
  for (const Dims& dims : {Dims{4}, Dims{4, 1}, Dims{}}) {
    OnnxBuilder builder({4});
    const std::string to = builder.integers(dims);
    import_error(builder, builder.node("Reshape", {"image", to}), ErrorCode::kUnsupported);
  }
}

TEST(Import, RefusesExponentsThatAreNotSmallWholeNumbers) {
  for (const double exponent : {0.0, -1.0, 0.5, 17.0}) {
    OnnxBuilder builder({2});
    const std::string e = builder.scalar(exponent);
    EXPECT_THAT(import_error(builder, builder.node("Pow", {"image", e}), ErrorCode::kUnsupported),
                HasSubstr("whole exponent"));
  }
}

// A model that adds a constant, whose tensor `change` alters.
template <typename Change>
std::string tensor_error(ErrorCode code, const Change& change) {
  OnnxBuilder builder({2});
  const std::string c = builder.constant({2}, {1, 2});
  change(*builder.graph().mutable_initializer(0));
  return import_error(builder, builder.node("Add", {"image", c}), code);
}

TEST(Import, RefusesTensorsWhoseDimensionsAndDataDisagree) {
  using onnx::TensorProto;
  const std::int64_t huge = std::int64_t{1} << 62;
  const auto dims = [&](const Dims& dims) {
    return tensor_error(ErrorCode::kFormat, [&](TensorProto& tensor) {
      tensor.mutable_dims()->Assign(dims.begin(), dims.end());
    });
  };
  EXPECT_THAT(dims({3}), HasSubstr("3"));
  EXPECT_THAT(dims({1}), HasSubstr("expected 1 elements"));
  EXPECT_THAT(dims({-2}), HasSubstr("-2"));
  EXPECT_THAT(dims({huge, huge, huge, huge}), HasSubstr("does not fit"));
  EXPECT_THAT(dims({2, huge, 4}), HasSubstr("does not fit"));
  EXPECT_THAT(
      tensor_error(ErrorCode::kFormat, [](TensorProto& tensor) { tensor.set_raw_data("1234567"); }),
      HasSubstr("raw_data"));
  EXPECT_THAT(tensor_error(ErrorCode::kFormat,
                           [](TensorProto& tensor) {
                             tensor.set_double_data(1, std::numeric_limits<double>::infinity());
                           }),
              HasSubstr("not a finite number"));
  EXPECT_THAT(
      tensor_error(ErrorCode::kUnsupported,
                   [](TensorProto& tensor) { tensor.set_data_type(TensorProto::COMPLEX64); }),
      HasSubstr("float32"));
  EXPECT_THAT(
      tensor_error(ErrorCode::kUnsupported,
                   [](TensorProto& tensor) { tensor.set_data_location(TensorProto::EXTERNAL); }),
      HasSubstr("external data"));
}

TEST(Import, ReadsRawDataOfEveryType) {
  OnnxBuilder builder({2});
  const std::string c = builder.constant({2}, {});
  onnx::TensorProto& tensor = *builder.graph().mutable_initializer(0);
  const std::string output = builder.node("Add", {"image", c});
  const auto read = [&](onnx::TensorProto::DataType type, const auto& values) {
    tensor.set_data_type(type);
    tensor.set_raw_data(std::string(reinterpret_cast<const char*>(values.data()), sizeof(values)));
    return builder.import(output).values[0].data;
  };
  EXPECT_THAT(read(onnx::TensorProto::FLOAT, std::array<float, 2>{0.5f, -2}), ElementsAre(0.5, -2));
  EXPECT_THAT(read(onnx::TensorProto::DOUBLE, std::array<double, 2>{0.1, -2}),
              ElementsAre(0.1, -2));
  EXPECT_THAT(read(onnx::TensorProto::INT32, std::array<std::int32_t, 2>{7, -2}),
              ElementsAre(7, -2));
  EXPECT_THAT(read(onnx::TensorProto::INT64, std::array<std::int64_t, 2>{1LL << 40, -2}),
              ElementsAre(0x1p40, -2));
  // 1.5 and -2 in the 16-bit formats of IEEE and of Google.
  EXPECT_THAT(read(onnx::TensorProto::FLOAT16, std::array<std::uint16_t, 2>{0x3e00, 0xc000}),
              ElementsAre(1.5, -2));
  EXPECT_THAT(read(onnx::TensorProto::BFLOAT16, std::array<std::uint16_t, 2>{0x3fc0, 0xc000}),
              ElementsAre(1.5, -2));
  EXPECT_THAT(read(onnx::TensorProto::UINT8, std::array<std::uint8_t, 2>{7, 255}),
              ElementsAre(7, 255));
  EXPECT_THAT(read(onnx::TensorProto::INT8, std::array<std::int8_t, 2>{7, -2}), ElementsAre(7, -2));
  EXPECT_THAT(read(onnx::TensorProto::BOOL, std::array<std::uint8_t, 2>{1, 0}), ElementsAre(1, 0));
}

TEST(Import, ReadsHalfPrecisionThatIsStoredElementByElement) {
  OnnxBuilder builder({2});
  const std::string c = builder.constant({2}, {});
  onnx::TensorProto& tensor = *builder.graph().mutable_initializer(0);
  tensor.set_data_type(onnx::TensorProto::FLOAT16);
  tensor.add_int32_data(0x3e00);
  tensor.add_int32_data(0xc000);
  const std::string output = builder.node("Add", {"image", c});
  EXPECT_THAT(builder.import(output).values[0].data, ElementsAre(1.5, -2));
  tensor.set_int32_data(1, 0x7c00);
  EXPECT_THAT(import_error(builder, output, ErrorCode::kFormat), HasSubstr("not a finite number"));
}

TEST(Import, AcceptsInitializersAmongTheInputs) {
  OnnxBuilder builder({2});
  builder.graph().add_input()->set_name(builder.scalar(1));
  EXPECT_EQ(builder.import(builder.node("Add", {"image", "c0"})).nodes.size(), 1u);
}

TEST(Import, DropsNodesThatTheOutputDoesNotNeed) {
  OnnxBuilder builder({2});
  const std::string used = builder.node("Add", {"image", "image"});
  builder.node("Mul", {used, used});
  const Graph graph = builder.import(used);
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.nodes[0].name, "t0");
}

TEST(Import, KeepsNamesAndMetadata) {
  OnnxBuilder builder({2});
  const std::string x = builder.node("Add", {"image", "image"});
  builder.graph().mutable_node(0)->set_name("twice");
  auto* entry = builder.model().add_metadata_props();
  entry->set_key("author");
  entry->set_value("somebody");
  const Graph graph = builder.import(x);
  EXPECT_EQ(graph.nodes[0].name, "twice");
  EXPECT_EQ(graph.values[graph.output].name, "t0");
  EXPECT_EQ(graph.metadata.at("author"), "somebody");
  EXPECT_EQ(graph.classes(), 2u);
}

}  // namespace
}  // namespace ffconv::model
