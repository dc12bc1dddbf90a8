#include "ffconv/lowrank/layer.h"

namespace ffconv::lowrank {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const RowMajor> as_matrix(const std::vector<double>& data, std::size_t rows,
                                     std::size_t columns) {
  return {data.data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns)};
}

// How a dense layer is written: MatMul is the Gemm with neither transposition nor factors.
model::Gemm gemm_of(const model::Node& node) {
  const auto* gemm = std::get_if<model::Gemm>(&node.op);
  return gemm != nullptr ? *gemm : model::Gemm{};
}

}  // namespace

std::vector<Layer> find_layers(const model::Graph& graph) {
  std::vector<Layer> layers;
  for (std::size_t k = 0; k < graph.nodes.size(); ++k) {
    const model::Node& node = graph.nodes[k];
    const auto* conv = std::get_if<model::Conv>(&node.op);
    if (!is_dense(node) && (conv == nullptr || conv->geometry.groups != 1)) {
      continue;
    }
    const model::Shape& out = graph.values[node.output].shape;
    Layer layer{k, node.name, out.channels(), 0, conv != nullptr ? out.height() * out.width() : 1};
    layer.columns = graph.values[node.inputs[1]].shape.size() / layer.rows;
    if (layer.rows <= kMaxRows) {
      layers.push_back(std::move(layer));
    }
  }
  return layers;
}

Matrix weights_of(const model::Graph& graph, const Layer& layer) {
  const model::Node& node = graph.nodes[layer.node];
  const std::vector<double>& data = graph.values[node.inputs[1]].data;
  if (!is_dense(node)) {
    return as_matrix(data, layer.rows, layer.columns);
  }
  const model::Gemm gemm = gemm_of(node);
  if (gemm.transpose_b) {
    return gemm.alpha * as_matrix(data, layer.rows, layer.columns);
  }
  return gemm.alpha * as_matrix(data, layer.columns, layer.rows).transpose();
}

Vector bias_of(const model::Graph& graph, const Layer& layer) {
  const model::Node& node = graph.nodes[layer.node];
  const auto rows = static_cast<Eigen::Index>(layer.rows);
  if (node.inputs.size() < 3) {
    return Vector::Zero(rows);
  }
  const model::Value& bias = graph.values[node.inputs[2]];
  const std::vector<double> data =
      is_dense(node) ? broadcast(bias, graph.values[node.output].shape) : bias.data;
  const double factor = is_dense(node) ? gemm_of(node).beta : 1.0;
  Vector result(rows);
  for (std::size_t row = 0; row < layer.rows; ++row) {
    result[static_cast<Eigen::Index>(row)] = factor * data[data.size() == 1 ? 0 : row];
  }
  return result;
}

}  // namespace ffconv::lowrank
