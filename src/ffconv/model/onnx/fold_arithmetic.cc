#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ffconv/model/onnx/fold.h"
#include "ffconv/model/onnx/tensor.h"

namespace ffconv::model {
namespace {

// The common shape of all inputs by ONNX's broadcasting. Passes check_folded.
Dims broadcast_dims(const NodeReader& node) {
  Dims result;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Dims& dims = node.value(i).shape.dims;
    if (dims.size() > result.size()) {
      result.insert(result.begin(), dims.size() - result.size(), 1);
    }
    for (std::size_t k = 1; k <= dims.size(); ++k) {
      std::size_t& common = result[result.size() - k];
      const std::size_t dim = dims[dims.size() - k];
      if (dim != common && dim != 1 && common != 1) {
        node.malformed(fmt::format("its constants do not broadcast: {} and {}", common, dim));
      }
      common = common == 1 ? dim : common;
    }
  }
  node.check_folded(result);
  return result;
}

// The element of input `i` that element `index` of the broadcast result takes.
double element(const NodeReader& node, std::size_t i, const Dims& result, std::size_t index) {
  const Value& value = node.value(i);
  const Dims& dims = value.shape.dims;
  std::size_t from = 0;
  std::size_t step = 1;
  for (std::size_t k = 1; k <= dims.size(); ++k) {
    const std::size_t extent = result[result.size() - k];
    const std::size_t dim = dims[dims.size() - k];
    from += dim == 1 ? 0 : index % extent * step;
    index /= extent;
    step *= dim;
  }
  return value.data[from];
}

// f(elements of all inputs) for every element of the result.
template <typename F>
ValueId elementwise(const NodeReader& node, bool is_whole, const F& f) {
  Shape shape{broadcast_dims(node)};
  std::vector<double> data(shape.size());
  for (std::size_t k = 0; k < data.size(); ++k) {
    data[k] = f([&](std::size_t i) { return element(node, i, shape.dims, k); });
  }
  return node.emit_folded(std::move(shape), std::move(data), is_whole);
}

template <double (*kFunction)(double, double)>
ValueId binary(const NodeReader& node) {
  return elementwise(node, node.is_whole(0) && node.is_whole(1),
                     [](const auto& input) { return kFunction(input(0), input(1)); });
}

template <double (*kFunction)(double)>
ValueId unary(const NodeReader& node) {
  return elementwise(node, node.is_whole(0), [](const auto& input) { return kFunction(input(0)); });
}

double add(double a, double b) {
  return a + b;
}
double subtract(double a, double b) {
  return a - b;
}
double multiply(double a, double b) {
  return a * b;
}
double is_equal(double a, double b) {
  return a == b ? 1 : 0;
}
double negate(double a) {
  return -a;
}
double reciprocal(double a) {
  return 1 / a;
}
double square_root(double a) {
  return std::sqrt(a);
}
double round_down(double a) {
  return std::floor(a);
}
double round_up(double a) {
  return std::ceil(a);
}

ValueId divide(const NodeReader& node) {
  const bool is_whole = node.is_whole(0) && node.is_whole(1);
  return elementwise(node, is_whole, [&](const auto& input) {
    const double quotient = input(0) / input(1);
    return is_whole ? std::trunc(quotient) : quotient;
  });
}

// Of the base's type.
ValueId power(const NodeReader& node) {
  const bool is_whole = node.is_whole(0);
  return elementwise(node, is_whole, [&](const auto& input) {
    const double result = std::pow(input(0), input(1));
    return is_whole ? std::trunc(result) : result;
  });
}

ValueId where(const NodeReader& node) {
  return elementwise(node, node.is_whole(1) && node.is_whole(2),
                     [](const auto& input) { return input(0) != 0 ? input(1) : input(2); });
}

// Half precision keeps the digits beyond it: they are no worse.
ValueId cast(const NodeReader& node) {
  const std::int64_t type = node.integer("to", onnx::TensorProto::FLOAT);
  if (type == onnx::TensorProto::STRING) {
    node.unsupported("to text");
  }
  const bool is_whole = is_whole_type(static_cast<std::int32_t>(type));
  return elementwise(node, is_whole, [&](const auto& input) {
    const double x = input(0);
    if (type == onnx::TensorProto::BOOL) {
      return x != 0 ? 1.0 : 0.0;
    }
    return is_whole                           ? std::trunc(x)
           : type == onnx::TensorProto::FLOAT ? static_cast<double>(static_cast<float>(x))
                                              : x;
  });
}

// The product of all elements, which is what becomes of a shape.
ValueId reduce_product(const NodeReader& node) {
  const Value& value = node.value(0);
  const std::size_t rank = value.shape.rank();
  if (const auto axes = node.axes(1, rank); rank > 1 && axes && axes->size() != rank) {
    node.unsupported("of constants over some of several axes");
  }
  double product = 1;
  for (const double x : value.data) {
    product *= x;
  }
  const bool keep = node.integer("keepdims", 1) != 0;
  return node.emit_folded(Shape{Dims(keep ? rank : 0, 1)}, {product}, node.is_whole(0));
}

}  // namespace

const ConstantEvaluators& arithmetic_evaluators() {
  static const ConstantEvaluators kEvaluators{
      {"Add", binary<add>},
      {"Cast", cast},
      {"Ceil", unary<round_up>},
      {"Div", divide},
      {"Equal", binary<is_equal>},
      {"Floor", unary<round_down>},
      {"Mul", binary<multiply>},
      {"Neg", unary<negate>},
      {"Pow", power},
      {"Reciprocal", unary<reciprocal>},
      {"ReduceProd", reduce_product},
      {"Sqrt", unary<square_root>},
      {"Sub", binary<subtract>},
      {"Where", where},
  };
  return kEvaluators;
}

ConstantEvaluator find_evaluator(std::string_view op_type) {
  for (const auto evaluators : {arithmetic_evaluators, view_evaluators, selection_evaluators}) {
    if (const auto found = evaluators().find(op_type); found != evaluators().end()) {
      return found->second;
    }
  }
  return nullptr;
}

}  // namespace ffconv::model
