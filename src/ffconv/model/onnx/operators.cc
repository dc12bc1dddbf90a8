#include "ffconv/model/onnx/operators.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "ffconv/model/onnx/import_view.h"
#include "ffconv/model/onnx/import_window.h"
#include "ffconv/model/onnx/tensor.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

// An activation that Gemm and MatMul take: a vector (with its batch axis a matrix of one row).
const Value& vector_input(const NodeReader& node) {
  const Value& x = node.activation(0);
  if (x.shape.rank() != 1) {
    node.unsupported(fmt::format("its input is {}; put Flatten in front", to_string(x.shape)));
  }
  return x;
}

// The output features of a matrix [F, O], or [O, F] if transposed, on F = `features`.
std::size_t matrix_outputs(const NodeReader& node, std::size_t features, bool transposed) {
  const Shape& matrix = node.constant(1).shape;
  if (matrix.rank() != 2 || matrix.dims[transposed ? 1 : 0] != features) {
    node.malformed(fmt::format("expected a matrix for {} features, got {}{}", features,
                               to_string(matrix), transposed ? " (transposed)" : ""));
  }
  return matrix.dims[transposed ? 0 : 1];
}

ValueId import_gemm(const NodeReader& node) {
  if (node.integer("transA", 0) != 0) {
    node.unsupported("transA = 1; put the image's features on the last axis");
  }
  const Gemm gemm{node.number("alpha", 1), node.number("beta", 1), node.integer("transB", 0) != 0};
  const Value& x = vector_input(node);
  const Shape out{{matrix_outputs(node, x.shape.size(), gemm.transpose_b)}};
  std::vector<ValueId> inputs{node.input(0), node.input(1)};
  if (node.has_input(2)) {
    const Value& c = node.constant(2);
    if (!broadcasts_to(c.shape, out)) {
      node.malformed(
          fmt::format("expected C to broadcast to {}, got {}", to_string(out), to_string(c.shape)));
    }
    inputs.push_back(node.input(2));
  }
  return node.emit(gemm, std::move(inputs), out);
}

ValueId import_matmul(const NodeReader& node) {
  const Value& x = vector_input(node);
  const Shape out{{matrix_outputs(node, x.shape.size(), false)}};
  return node.emit(MatMul{}, {node.input(0), node.input(1)}, out);
}

// The output's shape of an element-wise operator on two inputs.
Shape elementwise_shape(const NodeReader& node) {
  const std::size_t image_input = node.is_constant(0) ? 1 : 0;
  const Shape& shape = node.activation(image_input).shape;
  const std::size_t other = 1 - image_input;
  const bool fits = node.is_constant(other) ? broadcasts_to(node.constant(other).shape, shape)
                                            : node.activation(other).shape == shape;
  if (!fits) {
    const Shape& got =
        node.is_constant(other) ? node.constant(other).shape : node.activation(other).shape;
    node.unsupported(fmt::format("broadcasting of {} and {}; the image's data must keep its shape",
                                 to_string(shape), to_string(got)));
  }
  return shape;
}

template <typename Op>
ValueId import_elementwise(const NodeReader& node) {
  return node.emit(Op{}, {node.input(0), node.input(1)}, elementwise_shape(node));
}

// Division by a constant is a product with its reciprocal.
ValueId import_div(const NodeReader& node) {
  const Shape shape = elementwise_shape(node);
  if (node.is_constant(0)) {
    node.unsupported("division by the image's data; only division by constants is linear");
  }
  Value reciprocal = node.constant(1);
  reciprocal.name = fmt::format("1/{}", reciprocal.name);
  for (double& x : reciprocal.data) {
    x = 1 / x;
    if (!std::isfinite(x)) {
      node.malformed("division by zero");
    }
  }
  return node.emit(Mul{}, {node.input(0), node.emit_constant(std::move(reciprocal))}, shape);
}

ValueId import_pow(const NodeReader& node) {
  constexpr double kMaxExponent = 16;
  const Shape& shape = node.activation(0).shape;
  const Value& exponent = node.constant(1);
  const double e = exponent.data[0];
  if (exponent.data.size() != 1 || e != std::floor(e) || e < 1 || e > kMaxExponent) {
    node.unsupported(fmt::format("expected one whole exponent of 1 to {}, got {}{}", kMaxExponent,
                                 e, exponent.data.size() == 1 ? "" : ", ..."));
  }
  return node.emit(Pow{static_cast<int>(e)}, {node.input(0)}, shape);
}

ValueId import_constant(const NodeReader& node) {
  const std::string& name = node.output_name();
  if (node.has_attribute("value")) {
    const onnx::TensorProto& tensor = node.tensor("value");
    return node.emit_constant(read_tensor(tensor, name), is_whole_type(tensor.data_type()));
  }
  if (node.has_attribute("value_float")) {
    return node.emit_constant({name, {}, true, {node.number("value_float", 0)}});
  }
  if (node.has_attribute("value_int")) {
    return node.emit_constant({name, {}, true, {static_cast<double>(node.integer("value_int", 0))}},
                              true);
  }
  std::vector<double> data = node.numbers("value_floats");
  if (node.has_attribute("value_ints")) {
    const std::vector<std::int64_t> integers = node.integers("value_ints");
    data.assign(integers.begin(), integers.end());
  } else if (!node.has_attribute("value_floats")) {
    node.unsupported("a sparse or text constant");
  }
  Shape shape{{data.size()}};
  return node.emit_constant({name, std::move(shape), true, std::move(data)},
                            node.has_attribute("value_ints"));
}

// Element types matter to what computes in them; the reference computes in double precision.
ValueId import_cast(const NodeReader& node) {
  const std::int64_t type = node.integer("to", onnx::TensorProto::FLOAT);
  if (is_whole_type(static_cast<std::int32_t>(type))) {
    node.unsupported("the image's data to whole numbers or text, which is not a polynomial");
  }
  return node.input(0);
}

ValueId import_dropout(const NodeReader& node) {
  // Before operator set 12 there was no training_mode.
  const bool drops = !node.has_input(1) || node.constant(1).data[0] != 0;
  if (drops && node.has_input(2) && node.constant(2).data[0] != 0) {
    node.unsupported("in training mode; export the network for inference (model.eval())");
  }
  return node.input(0);
}

ValueId import_batch_normalization(const NodeReader& node) {
  if (node.integer("training_mode", 0) != 0) {
    node.unsupported("in training mode; export the network for inference (model.eval())");
  }
  const Shape in = node.activation(0).shape;
  if (in.rank() != 1 && in.rank() != 3) {
    node.unsupported(fmt::format("its input is {}", to_string(in)));
  }
  const double epsilon = node.number("epsilon", 1e-5);
  std::vector<ValueId> inputs{node.input(0)};
  for (std::size_t i = 1; i < 5; ++i) {
    if (node.constant(i).shape != Shape{{in.channels()}}) {
      node.malformed(fmt::format("input {}: expected {} elements, got {}", i, in.channels(),
                                 to_string(node.constant(i).shape)));
    }
    inputs.push_back(node.input(i));
  }
  for (const double variance : node.constant(4).data) {
    if (!(variance + epsilon > 0)) {
      node.malformed(fmt::format("variance {} and epsilon {}", variance, epsilon));
    }
  }
  return node.emit(BatchNormalization{epsilon}, std::move(inputs), in);
}

ValueId import_neg(const NodeReader& node) {
  const ValueId minus_one = node.emit_constant({"-1", {}, true, {-1.0}});
  return node.emit(Mul{}, {node.input(0), minus_one}, node.activation(0).shape);
}

// Another name for the same value.
ValueId import_identity(const NodeReader& node) {
  return node.input(0);
}

}  // namespace

ValueId import_final_softmax(const NodeReader& node) {
  constexpr int kOneAxis = 13;  // since this operator set Softmax is over one axis, before over all
                                // from one on
  const Shape& shape = node.activation(0).shape;
  const bool one_axis = node.operator_set() >= kOneAxis;
  const std::size_t axis =
      node.checked_axis(node.integer("axis", one_axis ? -1 : 1), shape.rank() + 1);
  std::size_t covered = axis > 0 && one_axis ? shape.dims[axis - 1] : 1;
  for (std::size_t k = axis; axis > 0 && !one_axis && k <= shape.rank(); ++k) {
    covered *= shape.dims[k - 1];
  }
  if (axis == 0 || covered != shape.size()) {
    node.unsupported(
        fmt::format("over axis {} of {}; flatten the scores first", axis, to_string(shape)));
  }
  return node.input(0);
}

OperatorImporter find_operator(std::string_view op_type) {
  static const std::map<std::string_view, OperatorImporter> kOperators{
      {"Add", import_elementwise<Add>},
      {"AveragePool", import_average_pool},
      {"BatchNormalization", import_batch_normalization},
      {"Cast", import_cast},
      {"Concat", import_concat},
      {"Constant", import_constant},
      {"Conv", import_conv},
      {"Div", import_div},
      {"Dropout", import_dropout},
      {"Flatten", import_flatten},
      {"Gemm", import_gemm},
      {"GlobalAveragePool", import_global_average_pool},
      {"Identity", import_identity},
      {"MatMul", import_matmul},
      {"Mul", import_elementwise<Mul>},
      {"Neg", import_neg},
      {"Pad", import_pad},
      {"Pow", import_pow},
      {"ReduceMean", import_reduce_mean},
      {"Reshape", import_reshape},
      {"Shape", import_shape},
      {"Size", import_size},
      {"Squeeze", import_squeeze},
      {"Sub", import_elementwise<Sub>},
      {"Transpose", import_transpose},
      {"Unsqueeze", import_unsqueeze},
  };
  const auto found = kOperators.find(op_type);
  return found == kOperators.end() ? nullptr : found->second;
}

}  // namespace ffconv::model
