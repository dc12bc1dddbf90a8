#include "ffconv/model/onnx/import_ml.h"

#include <map>

#include <fmt/format.h>

#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

// The features that the node reads: a vector, as its batch axis is left out.
std::size_t feature_count(const NodeReader& node) {
  const Shape& shape = node.activation(0).shape;
  if (shape.rank() != 1) {
    node.unsupported(fmt::format("its input is {}; put Flatten in front", to_string(shape)));
  }
  return shape.size();
}

// The attribute's numbers as a constant of that shape.
ValueId constant_attribute(const NodeReader& node, std::string_view attribute, Shape shape) {
  std::vector<double> data = node.numbers(attribute);
  if (data.size() != shape.size()) {
    node.malformed(
        fmt::format("{}: expected {} numbers, got {}", attribute, shape.size(), data.size()));
  }
  return node.emit_constant(
      {fmt::format("{}.{}", node.name(), attribute), std::move(shape), true, std::move(data)});
}

// (x - offset) * scale, each one number or one a feature.
ValueId import_scaler(const NodeReader& node) {
  const Shape shape{{feature_count(node)}};
  const auto constant = [&](std::string_view attribute) {
    const bool is_one = node.numbers(attribute).size() == 1;
    return constant_attribute(node, attribute, is_one ? Shape{{1}} : shape);
  };
  const ValueId centred =
      node.emit_step("centred", Sub{}, {node.input(0), constant("offset")}, shape);
  return node.emit(Mul{}, {centred, constant("scale")}, shape);
}

// coefficients [outputs][features], and intercepts where there are any.
ValueId import_linear(const NodeReader& node, std::size_t outputs) {
  const std::size_t features = feature_count(node);
  std::vector<ValueId> inputs{node.input(0),
                              constant_attribute(node, "coefficients", {{outputs, features}})};
  if (node.has_attribute("intercepts")) {
    inputs.push_back(constant_attribute(node, "intercepts", {{outputs}}));
  }
  return node.emit(Gemm{1, 1, true}, std::move(inputs), Shape{{outputs}});
}

ValueId import_regressor(const NodeReader& node) {
  const std::string transform = node.text("post_transform", "NONE");
  if (transform != "NONE") {
    node.unsupported(fmt::format("post_transform {}; only NONE is linear", quote(transform)));
  }
  const std::int64_t targets = node.integer("targets", 1);
  if (targets < 1 || targets > kMaxExtent) {
    node.malformed(fmt::format("targets: expected 1 to {}, got {}", kMaxExtent, targets));
  }
  return import_linear(node, static_cast<std::size_t>(targets));
}

ValueId import_classifier(const NodeReader& node) {
  const std::string transform = node.text("post_transform", "NONE");
  if (transform != "NONE" && transform != "SOFTMAX" && transform != "LOGISTIC") {
    node.unsupported(
        fmt::format("post_transform {}; only NONE, SOFTMAX and LOGISTIC can be left "
                    "to whoever decrypts",
                    quote(transform)));
  }
  // As many as there are rows of coefficients: labels tell two classes of one row from one.
  const std::size_t features = feature_count(node);
  const std::size_t classes = node.numbers("coefficients").size() / features;
  if (classes < 2) {
    node.unsupported("fewer than two rows of coefficients; export one for each class");
  }
  return import_linear(node, classes);
}

// Division by a norm keeps the order, as it is positive.
ValueId import_normalizer(const NodeReader& node) {
  const std::string norm = node.text("norm", "MAX");
  if (norm != "L1" && norm != "L2") {
    node.unsupported(
        fmt::format("norm {}; only L1 and L2 keep the order of the scores", quote(norm)));
  }
  return node.input(0);
}

OperatorImporter find(const std::map<std::string_view, OperatorImporter>& importers,
                      std::string_view op_type) {
  const auto found = importers.find(op_type);
  return found == importers.end() ? nullptr : found->second;
}

}  // namespace

OperatorImporter find_ml_operator(std::string_view op_type) {
  static const std::map<std::string_view, OperatorImporter> kOperators{
      {"LinearRegressor", import_regressor},
      {"Scaler", import_scaler},
  };
  return find(kOperators, op_type);
}

OperatorImporter find_final_ml_operator(std::string_view op_type) {
  static const std::map<std::string_view, OperatorImporter> kOperators{
      {"LinearClassifier", import_classifier},
      {"Normalizer", import_normalizer},
      {"ZipMap", find_operator("Identity")},
  };
  return find(kOperators, op_type);
}

}  // namespace ffconv::model
