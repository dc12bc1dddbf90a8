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

  Tensor operator()(const Transpose& transpose) const {
    const auto order = transposed_order(value(0).shape, transpose.permutation);
    Tensor result(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      result[i] = activation(0)[order[i]];
    }
    return result;
  }

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

  Tensor operator()(const Concat& concat) const {
    const auto& dims = out().dims;
    std::size_t blocks = 1;  // before the axis; each is one run of every input
    for (std::size_t axis = 0; axis < concat.axis; ++axis) {
      blocks *= dims[axis];
    }
    Tensor result;
    result.reserve(out().size());
    for (std::size_t block = 0; block < blocks; ++block) {
      for (std::size_t input = 0; input < node.inputs.size(); ++input) {
        const std::size_t run = activation(input).size() / blocks;
        const auto first = activation(input).begin() + static_cast<std::ptrdiff_t>(block * run);
        result.insert(result.end(), first, first + static_cast<std::ptrdiff_t>(run));
      }
    }
    return result;
  }

  Tensor operator()(const AveragePool& pool) const {
    const Shape& in = value(0).shape;
    Tensor result(out().size());
    for (std::size_t o = 0; o < result.size(); ++o) {
      const std::size_t channel = o / (out().height() * out().width());
      result[o] =
          window_mean(pool, std::span(activation(0)).subspan(channel * in.height() * in.width()),
                      in, o / out().width() % out().height(), o % out().width());
    }
    return result;
  }

  // The mean over the window of output position (y, x) in one channel.
  static double window_mean(const AveragePool& pool, std::span<const double> channel,
                            const Shape& in, std::size_t y, std::size_t x) {
    const ConvGeometry& geometry = pool.geometry;
    double sum = 0;
    std::size_t inside = 0;
    for (std::size_t i = 0; i < geometry.kernel[0]; ++i) {
      const std::ptrdiff_t row = input_position(geometry, 0, y, i);
      for (std::size_t j = 0; j < geometry.kernel[1]; ++j) {
        const std::ptrdiff_t column = input_position(geometry, 1, x, j);
        if (is_inside(row, in.height()) && is_inside(column, in.width())) {
          sum += channel[static_cast<std::size_t>(row) * in.width() +
                         static_cast<std::size_t>(column)];
          ++inside;
        }
      }
    }
    return sum / static_cast<double>(pool.count_padding ? geometry.kernel[0] * geometry.kernel[1]
                                                        : inside);
  }

  Tensor operator()(const BatchNormalization& normalization) const {
    Tensor result = activation(0);
    const std::size_t plane = result.size() / value(1).data.size();
    for (std::size_t i = 0; i < result.size(); ++i) {
      const std::size_t c = i / plane;
      const double deviation = std::sqrt(value(4).data[c] + normalization.epsilon);
      result[i] = (result[i] - value(3).data[c]) / deviation * value(1).data[c] + value(2).data[c];
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
    Tensor constant;  // at most one input is
    const std::span<const double> left = operand(0, constant);
    const std::span<const double> right = operand(1, constant);
    Tensor result(out().size());
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = f(left[left.size() == 1 ? 0 : i], right[right.size() == 1 ? 0 : i]);
    }
    return result;
  }

  // The elements of an activation, or those of a constant, broadcast into `constant`.
  std::span<const double> operand(std::size_t input, Tensor& constant) const {
    if (!value(input).is_constant) {
      return activation(input);
    }
    constant = broadcast(value(input), out());
    return constant;
  }
};

// By value id, the node that reads the value last; nodes.size() for the output.
std::vector<std::size_t> last_readers(const Graph& graph) {
  std::vector<std::size_t> last(graph.values.size(), 0);
  for (std::size_t k = 0; k < graph.nodes.size(); ++k) {
    for (const ValueId input : graph.nodes[k].inputs) {
      last[input] = k;
    }
  }
  last[graph.output] = graph.nodes.size();
  return last;
}

}  // namespace

std::vector<double> run_float(const Graph& graph, std::span<const double> input) {
  return run_float(graph, input, [](const Node&, std::span<const double>) {});
}

std::vector<double> run_float(const Graph& graph, std::span<const double> input,
                              const NodeObserver& observe) {
  if (input.size() != graph.input_shape().size()) {
    fail(ErrorCode::kInvalidArgument, "graph input: expected {} = {} elements, got {}",
         to_string(graph.input_shape()), graph.input_shape().size(), input.size());
  }
  std::vector<Tensor> activations(graph.values.size());
  activations[graph.input].assign(input.begin(), input.end());
  const std::vector<std::size_t> last = last_readers(graph);
  for (std::size_t k = 0; k < graph.nodes.size(); ++k) {
    const Node& node = graph.nodes[k];
    activations[node.output] = std::visit(Evaluator{graph, node, activations}, node.op);
    observe(node, activations[node.output]);
    for (const ValueId input : node.inputs) {
      if (last[input] == k) {
        activations[input] = {};
      }
    }
  }
  return activations[graph.output];
}

}  // namespace ffconv::model
