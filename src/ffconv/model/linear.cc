#include "ffconv/model/linear.h"

#include <cmath>
#include <functional>

#include "ffconv/base/assert.h"

namespace ffconv::model {
namespace {

// Multiplies entry (o, i) of a convolution's or dense layer's weights, row-major with `columns`
// entries a row, by factor(o, i).
template <typename Factor>
void scale_entries(std::vector<double>& weights, std::size_t columns, const Factor& factor) {
  for (std::size_t k = 0; k < weights.size(); ++k) {
    weights[k] *= factor(k / columns, k % columns);
  }
}

// A convolution without bias that takes the padding of its input upon itself.
Linear with_padding(const Graph& graph, const Node& node, Convolution convolution,
                    const std::array<std::size_t, 4>& extra_pads) {
  Linear linear;
  linear.name = node.name;
  linear.in = graph.values[node.inputs[0]].shape;
  linear.out = graph.values[node.output].shape;
  for (std::size_t side = 0; side < 4; ++side) {
    convolution.geometry.pads[side] += extra_pads[side];
  }
  linear.in.dims[1] -= extra_pads[0] + extra_pads[2];
  linear.in.dims[2] -= extra_pads[1] + extra_pads[3];
  linear.map = std::move(convolution);
  linear.bias.assign(linear.out.size(), 0.0);
  return linear;
}

Linear make_convolution(const Graph& graph, const Node& node, const Conv& conv,
                        const std::array<std::size_t, 4>& extra_pads) {
  Linear linear =
      with_padding(graph, node, {conv.geometry, graph.values[node.inputs[1]].data}, extra_pads);
  if (node.inputs.size() > 2) {
    const std::vector<double>& bias = graph.values[node.inputs[2]].data;
    const std::size_t plane = linear.out.height() * linear.out.width();
    for (std::size_t o = 0; o < linear.bias.size(); ++o) {
      linear.bias[o] = bias[o / plane];
    }
  }
  return linear;
}

Linear make_dense(const Graph& graph, const Node& node, const Gemm& gemm) {
  Linear linear;
  linear.in = graph.values[node.inputs[0]].shape;
  linear.out = graph.values[node.output].shape;
  const std::size_t inputs = linear.in.size();
  const std::size_t outputs = linear.out.size();
  const std::vector<double>& matrix = graph.values[node.inputs[1]].data;
  Dense dense{std::vector<double>(inputs * outputs)};
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t i = 0; i < inputs; ++i) {
      const double weight = matrix[gemm.transpose_b ? o * inputs + i : i * outputs + o];
      dense.weights[o * inputs + i] = gemm.alpha * weight;
    }
  }
  linear.map = std::move(dense);
  linear.bias.assign(outputs, 0.0);
  if (node.inputs.size() > 2) {
    const Coefficients c = broadcast(graph.values[node.inputs[2]], linear.out);
    linear.bias = combine(linear.bias, c, [&](double, double x) { return gemm.beta * x; });
  }
  return linear;
}

}  // namespace

Linear make_diagonal(std::string name, const Shape& shape, const Coefficients& scale,
                     const Coefficients& bias) {
  const std::size_t size = shape.size();
  return {std::move(name), shape, shape, expand(bias, size), Diagonal{expand(scale, size)}, {}};
}

Linear make_linear(const Graph& graph, const Node& node,
                   const std::array<std::size_t, 4>& extra_pads) {
  Linear linear;
  if (const auto* conv = std::get_if<Conv>(&node.op)) {
    linear = make_convolution(graph, node, *conv, extra_pads);
  } else {
    const auto* gemm = std::get_if<Gemm>(&node.op);
    linear = make_dense(graph, node, gemm != nullptr ? *gemm : Gemm{});
  }
  linear.name = node.name;
  linear.origin = {node.name, graph.values[node.output].name, 1, 0};
  return linear;
}

Pooling make_pooling(const Graph& graph, const Node& node, const AveragePool& pool,
                     const std::array<std::size_t, 4>& extra_pads) {
  const ConvGeometry& geometry = pool.geometry;
  const Shape& in = graph.values[node.inputs[0]].shape;
  const std::size_t taps = geometry.kernel[0] * geometry.kernel[1];
  const auto area = static_cast<double>(taps);
  Pooling pooling{
      with_padding(graph, node, {geometry, std::vector<double>(in.channels() * taps, 1 / area)},
                   extra_pads),
      {1.0}};
  if (!pool.count_padding) {
    const Shape& out = pooling.layer.out;
    pooling.scale.clear();
    for (std::size_t o = 0; o < out.size(); ++o) {
      const std::size_t rows =
          count_inside(geometry, 0, o / out.width() % out.height(), in.height());
      const std::size_t columns = count_inside(geometry, 1, o % out.width(), in.width());
      pooling.scale.push_back(area / static_cast<double>(rows * columns));
    }
  }
  return pooling;
}

Affine as_affine(const Graph& graph, const Node& node, const BatchNormalization& normalization) {
  const auto data = [&](std::size_t input) -> const std::vector<double>& {
    return graph.values[node.inputs[input]].data;
  };
  const Shape& shape = graph.values[node.output].shape;
  const std::size_t plane = shape.size() / shape.channels();
  Affine affine;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t c = i / plane;
    const double scale = data(1)[c] / std::sqrt(data(4)[c] + normalization.epsilon);
    affine.scale.push_back(scale);
    affine.offset.push_back(data(2)[c] - data(3)[c] * scale);
  }
  return affine;
}

bool fold_after(Linear& linear, const Coefficients& scale, const Coefficients& offset) {
  const auto factors = linear.convolution() != nullptr
                           ? per_channel(scale, linear.out)
                           : std::optional(expand(scale, linear.out.size()));
  if (!factors) {
    return false;
  }
  const auto by_row = [&](std::size_t row, std::size_t) { return (*factors)[row]; };
  if (auto* conv = std::get_if<Convolution>(&linear.map)) {
    scale_entries(conv->weights, conv->weights.size() / linear.out.channels(), by_row);
  } else if (auto* dense = std::get_if<Dense>(&linear.map)) {
    scale_entries(dense->weights, linear.in.size(), by_row);
  } else {
    scale_entries(std::get<Diagonal>(linear.map).scale, 1, by_row);
  }
  linear.bias = combine(combine(linear.bias, scale, std::multiplies<>()), offset, std::plus<>());
  const double largest = max_abs(scale);
  linear.origin.scale *= largest;
  linear.origin.shift = linear.origin.shift * largest + max_abs(offset);
  return true;
}

bool fold_before(Linear& linear, const Coefficients& scale, const Coefficients& offset) {
  FFCONV_ASSERT(!std::holds_alternative<Diagonal>(linear.map));
  const auto factors = linear.convolution() != nullptr
                           ? per_channel(scale, linear.in)
                           : std::optional(expand(scale, linear.in.size()));
  if (!factors) {
    return false;
  }
  if (max_abs(offset) != 0) {
    linear.bias = run_linear(linear, expand(offset, linear.in.size()));
  }
  if (auto* conv = std::get_if<Convolution>(&linear.map)) {
    const ConvGeometry& g = conv->geometry;
    const std::size_t taps = g.kernel[0] * g.kernel[1];
    const std::size_t group_inputs = linear.in.channels() / g.groups;
    const std::size_t group_outputs = linear.out.channels() / g.groups;
    scale_entries(conv->weights, group_inputs * taps, [&](std::size_t co, std::size_t k) {
      return (*factors)[co / group_outputs * group_inputs + k / taps];
    });
  } else {
    scale_entries(std::get<Dense>(linear.map).weights, linear.in.size(),
                  [&](std::size_t, std::size_t i) { return (*factors)[i]; });
  }
  return true;
}

}  // namespace ffconv::model
