#include "ffconv/model/float_executor.h"

#include <cmath>
#include <functional>

#include <Eigen/Core>

#include "ffconv/base/error.h"

namespace ffconv::model {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Tensor = std::vector<double>;

// One node's evaluation: visited with its operator, returns the elements of its output.
struct Evaluator {
  const Graph& graph;
  const Node& node;
  const std::vector<Tensor>& activations;  // by value id; constants are in the graph

  const Value& value(std::size_t input) const { return graph.values[node.inputs[input]]; }
  const Tensor& activation(std::size_t input) const { return activations[node.inputs[input]]; }
  const Shape& out() const { return graph.values[node.output].shape; }

  Tensor operator()(const Conv& conv) const {
    Tensor result(out().size());
    convolve(conv.geometry, value(1).data, value(0).shape, activation(0), out(), result);
    if (node.inputs.size() > 2) {
      const std::size_t plane = out().height() * out().width();
      for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] += value(2).data[i / plane];
      }
    }
    return result;
  }

  Tensor operator()(const Gemm& gemm) const {
    Tensor result = product(gemm.transpose_b);
    const Tensor addend = node.inputs.size() > 2 ? broadcast(value(2), out()) : Tensor{0.0};
    for (std::size_t o = 0; o < result.size(); ++o) {
      result[o] = gemm.alpha * result[o] + gemm.beta * addend[addend.size() == 1 ? 0 : o];
    }
    return result;
  }

  Tensor operator()(const MatMul&) const { return product(false); }
  Tensor operator()(const Add&) const { return elementwise(std::plus<>()); }
  Tensor operator()(const Sub&) const { return elementwise(std::minus<>()); }
  Tensor operator()(const Mul&) const { return elementwise(std::multiplies<>()); }

  Tensor operator()(const Pow& pow) const {
    Tensor result = activation(0);
    for (double& x : result) {
      x = std::pow(x, pow.exponent);
    }
    return result;
  }

  Tensor operator()(const Reshape&) const { return activation(0); }

  Tensor operator()(const Pad& pad) const {
    const auto& from = value(0).shape.dims;
    const auto& to = out().dims;
    Tensor result(out().size(), 0.0);
    for (std::size_t i = 0; i < activation(0).size(); ++i) {
      std::size_t rest = i;
      std::size_t index = 0;
      std::size_t step = 1;
      for (std::size_t axis = from.size(); axis-- > 0;) {
        index += (rest % from[axis] + pad.before[axis]) * step;
        rest /= from[axis];
        step *= to[axis];
      }
      result[index] = activation(0)[i];
    }
    return result;
  }

  // The activation times the constant matrix of input 1, [F, O] or transposed [O, F].
  Tensor product(bool transposed) const {
    Tensor result(out().size());
    const auto& dims = value(1).shape.dims;
    const Eigen::Map<const Matrix> matrix(value(1).data.data(), static_cast<Eigen::Index>(dims[0]),
                                          static_cast<Eigen::Index>(dims[1]));
    const Eigen::Map<const Eigen::VectorXd> x(activation(0).data(),
                                              static_cast<Eigen::Index>(activation(0).size()));
    Eigen::Map<Eigen::VectorXd> y(result.data(), static_cast<Eigen::Index>(result.size()));
    if (transposed) {
      y.noalias() = matrix * x;
    } else {
      y.noalias() = matrix.transpose() * x;
    }
    return result;
  }

  template <typename Function>
  Tensor elementwise(Function f) const {
    const Tensor left = operand(0);
    const Tensor right = operand(1);
    Tensor result(out().size());
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = f(left[left.size() == 1 ? 0 : i], right[right.size() == 1 ? 0 : i]);
    }
    return result;
  }

  Tensor operand(std::size_t input) const {
    return value(input).is_constant ? broadcast(value(input), out()) : activation(input);
  }
};

}  // namespace

std::vector<double> run_float(const Graph& graph, std::span<const double> input) {
  if (input.size() != graph.input_shape().size()) {
    fail(ErrorCode::kInvalidArgument, "graph input: expected {} = {} elements, got {}",
         to_string(graph.input_shape()), graph.input_shape().size(), input.size());
  }
  std::vector<Tensor> activations(graph.values.size());
  activations[graph.input].assign(input.begin(), input.end());
  for (const Node& node : graph.nodes) {
    activations[node.output] = std::visit(Evaluator{graph, node, activations}, node.op);
  }
  return activations[graph.output];
}

}  // namespace ffconv::model
