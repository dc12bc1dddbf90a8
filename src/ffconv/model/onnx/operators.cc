#include "ffconv/model/onnx/operators.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "ffconv/model/onnx/import_conv.h"
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
  if (node.is_constant(0) && node.is_constant(1)) {
    node.unsupported("both inputs are constants; simplify the model (constant folding)");
  }
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

ValueId import_flatten(const NodeReader& node) {
  const Shape& shape = node.activation(0).shape;
  const std::int64_t axis = node.integer("axis", 1);
  if (axis != 1 && axis != -static_cast<std::int64_t>(shape.rank())) {
    node.unsupported(fmt::format("axis {}; only axis 1 keeps images apart", axis));
  }
  return node.emit(Reshape{}, {node.input(0)}, Shape{{shape.size()}});
}

ValueId import_reshape(const NodeReader& node) {
  const Shape in = node.activation(0).shape;
  const std::vector<std::int64_t> dims = node.constant_integers(1);
  if (node.integer("allowzero", 0) != 0 && std::find(dims.begin(), dims.end(), 0) != dims.end()) {
    node.unsupported("allowzero = 1 with a dimension of 0");
  }
  // The first entry is the batch axis: 1, copied (0) or inferred (-1).
  if (dims.size() < 2 || dims[0] < -1 || dims[0] > 1) {
    node.unsupported("its shape does not keep the batch axis first; use [1, ...] or [-1, ...]");
  }
  Shape out;
  std::size_t left = in.size();  // divided by every known dimension
  std::ptrdiff_t inferred = -1;
  for (std::size_t k = 1; k < dims.size(); ++k) {
    std::size_t dim = 1;
    if (dims[k] == -1 && inferred < 0 && dims[0] != -1) {
      inferred = static_cast<std::ptrdiff_t>(k - 1);
    } else if (dims[k] == 0 && k - 1 < in.rank()) {
      dim = in.dims[k - 1];
    } else if (dims[k] > 0) {
      dim = static_cast<std::size_t>(dims[k]);
    } else {
      node.malformed(fmt::format("dimension {} of the new shape is {}", k, dims[k]));
    }
    if (left % dim != 0) {
      left = 0;
      break;
    }
    left /= dim;
    out.dims.push_back(dim);
  }
  if (inferred >= 0) {
    out.dims[static_cast<std::size_t>(inferred)] = left;
    left = left == 0 ? 0 : 1;
  }
  if (left != 1) {
    node.malformed(
        fmt::format("the new shape does not hold the {} elements of {}", in.size(), to_string(in)));
  }
  return node.emit(Reshape{}, {node.input(0)}, std::move(out));
}

ValueId import_constant(const NodeReader& node) {
  const std::string& name = node.output_name();
  if (node.has_attribute("value")) {
    return node.emit_constant(read_tensor(node.tensor("value"), name));
  }
  if (node.has_attribute("value_float")) {
    return node.emit_constant({name, {}, true, {node.number("value_float", 0)}});
  }
  if (node.has_attribute("value_int")) {
    return node.emit_constant(
        {name, {}, true, {static_cast<double>(node.integer("value_int", 0))}});
  }
  std::vector<double> data = node.numbers("value_floats");
  if (node.has_attribute("value_ints")) {
    const std::vector<std::int64_t> integers = node.integers("value_ints");
    data.assign(integers.begin(), integers.end());
  } else if (!node.has_attribute("value_floats")) {
    node.unsupported("a sparse or text constant");
  }
  Shape shape{{data.size()}};
  return node.emit_constant({name, std::move(shape), true, std::move(data)});
}

// Identity, and Dropout at inference: another name for the same value.
ValueId import_identity(const NodeReader& node) {
  return node.input(0);
}

}  // namespace

ValueId import_final_softmax(const NodeReader& node) {
  // -1 has been the default since operator set 13, 1 before: the same for a vector of scores.
  const std::int64_t axis = node.integer("axis", -1);
  const Shape& shape = node.activation(0).shape;
  if (shape.rank() != 1 || (axis != 1 && axis != -1)) {
    node.unsupported(
        fmt::format("over axis {} of {}; flatten the scores first", axis, to_string(shape)));
  }
  return node.input(0);
}

OperatorImporter find_operator(std::string_view op_type) {
  static const std::map<std::string_view, OperatorImporter> kOperators{
      {"Add", import_elementwise<Add>},
      {"Constant", import_constant},
      {"Conv", import_conv},
      {"Div", import_div},
      {"Dropout", import_identity},
      {"Flatten", import_flatten},
      {"Gemm", import_gemm},
      {"Identity", import_identity},
      {"MatMul", import_matmul},
      {"Mul", import_elementwise<Mul>},
      {"Pad", import_pad},
      {"Pow", import_pow},
      {"Reshape", import_reshape},
      {"Sub", import_elementwise<Sub>},
  };
  const auto found = kOperators.find(op_type);
  return found == kOperators.end() ? nullptr : found->second;
}

}  // namespace ffconv::model
