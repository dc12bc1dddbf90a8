// The linear models of the domain ai.onnx.ml.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/model/float_executor.h"
#include "support/error_of.h"
#include "support/onnx_builder.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::Attributes;
using ::ffconv::testing::error_of;
using ::ffconv::testing::OnnxBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Floats = std::vector<float>;

// A node of ai.onnx.ml with attributes of numbers beside `attributes`; returns its last output.
std::string ml_node(OnnxBuilder& builder, const std::string& op_type, const std::string& input,
                    const std::vector<std::pair<std::string, Floats>>& numbers,
                    const Attributes& attributes = {}) {
  const std::string output = builder.node(op_type, {input}, attributes);
  auto* node = builder.graph().mutable_node(builder.graph().node_size() - 1);
  node->set_domain("ai.onnx.ml");
  for (const auto& [name, values] : numbers) {
    auto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::FLOATS);
    attribute->mutable_floats()->Add(values.begin(), values.end());
  }
  if (op_type != "LinearClassifier") {
    return output;
  }
  node->add_output(output + "_scores");
  return output + "_scores";
}

const std::vector<std::pair<std::string, Floats>> kTwoClasses{{"coefficients", {1, 2, 3, 4}},
                                                              {"intercepts", {10, 20}}};

std::vector<double> run(OnnxBuilder& builder, const std::string& output) {
  return run_float(builder.import(output), std::vector<double>{1, -1});
}

std::string import_error(OnnxBuilder& builder, const std::string& output,
                         ErrorCode code = ErrorCode::kUnsupported) {
  return error_of(code, [&] { builder.import(output); });
}

TEST(MlOperators, AScalerSubtractsAndMultiplies) {
  OnnxBuilder builder({2});
  const std::string each =
      ml_node(builder, "Scaler", "image", {{"offset", {2, 3}}, {"scale", {0.5, 4}}});
  EXPECT_THAT(run(builder, each), ElementsAre(-0.5, -16));
  const std::string one = ml_node(builder, "Scaler", "image", {{"offset", {2}}, {"scale", {4}}});
  EXPECT_THAT(run(builder, one), ElementsAre(-4, -12));
}

TEST(MlOperators, ARegressorIsADenseLayer) {
  OnnxBuilder builder({2});
  const std::string x =
      ml_node(builder, "LinearRegressor", "image", kTwoClasses, {{"targets", std::int64_t{2}}});
  EXPECT_THAT(run(builder, x), ElementsAre(9, 19));
  const std::string one = ml_node(builder, "LinearRegressor", "image", {{"coefficients", {2, 5}}});
  EXPECT_THAT(run(builder, one), ElementsAre(-3));
}

TEST(MlOperators, AClassifierGivesItsScoresBeforeProbabilities) {
  for (const std::string transform : {"NONE", "SOFTMAX", "LOGISTIC"}) {
    OnnxBuilder builder({2});
    std::string x =
        ml_node(builder, "LinearClassifier", "image", kTwoClasses, {{"post_transform", transform}});
    x = ml_node(builder, "Normalizer", x, {}, {{"norm", std::string("L1")}});
    x = ml_node(builder, "ZipMap", x, {});
    EXPECT_THAT(run(builder, x), ElementsAre(9, 19)) << transform;
  }
}

TEST(MlOperators, AClassifierMustBeTheEndAndItsLabelIsNotComputed) {
  OnnxBuilder builder({2});
  const std::string scores = ml_node(builder, "LinearClassifier", "image", kTwoClasses,
                                     {{"post_transform", std::string("SOFTMAX")}});
  EXPECT_THAT(import_error(builder, "t0"), HasSubstr("for the scores at the end"));
  const std::string after = builder.node("Mul", {scores, scores});
  EXPECT_THAT(import_error(builder, after), HasSubstr("LinearClassifier"));
}

TEST(MlOperators, WhatDoesNotKeepTheOrderIsRefused) {
  OnnxBuilder builder({2});
  const std::string scores = ml_node(builder, "LinearClassifier", "image", kTwoClasses,
                                     {{"post_transform", std::string("PROBIT")}});
  EXPECT_THAT(import_error(builder, scores), HasSubstr("'PROBIT'"));
  const std::string largest = ml_node(builder, "Normalizer", "image", {});
  EXPECT_THAT(import_error(builder, largest), HasSubstr("'MAX'"));
  const std::string regressor =
      ml_node(builder, "LinearRegressor", "image", {{"coefficients", {1, 2}}},
              {{"post_transform", std::string("LOGISTIC")}});
  EXPECT_THAT(import_error(builder, regressor), HasSubstr("'LOGISTIC'"));
}

TEST(MlOperators, NumbersMustFitTheFeatures) {
  OnnxBuilder builder({2});
  const std::string scaler =
      ml_node(builder, "Scaler", "image", {{"offset", {1, 2, 3}}, {"scale", {1}}});
  EXPECT_THAT(import_error(builder, scaler, ErrorCode::kFormat),
              HasSubstr("offset: expected 2 numbers, got 3"));
  const std::string three = ml_node(builder, "LinearClassifier", "image",
                                    {{"coefficients", {1, 2, 3, 4, 5}}, {"intercepts", {1, 2}}});
  EXPECT_THAT(import_error(builder, three, ErrorCode::kFormat),
              HasSubstr("coefficients: expected 4 numbers, got 5"));
  const std::string one = ml_node(builder, "LinearClassifier", "image", {{"coefficients", {1, 2}}});
  EXPECT_THAT(import_error(builder, one), HasSubstr("rows of coefficients"));
  const std::string none =
      ml_node(builder, "LinearRegressor", "image", kTwoClasses, {{"targets", std::int64_t{0}}});
  EXPECT_THAT(import_error(builder, none, ErrorCode::kFormat), HasSubstr("targets"));
}

}  // namespace
}  // namespace ffconv::model
