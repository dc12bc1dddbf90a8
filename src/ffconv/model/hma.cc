#include "ffconv/model/hma.h"

namespace ffconv::model {

std::size_t count_hma(const Graph& graph, const Node& node) {
  const bool is_conv = std::holds_alternative<Conv>(node.op);
  if (!is_conv && !std::holds_alternative<Gemm>(node.op) &&
      !std::holds_alternative<MatMul>(node.op)) {
    return 0;
  }
  const Shape& out = graph.values[node.output].shape;
  const std::size_t positions = is_conv ? out.height() * out.width() : 1;
  return graph.values[node.inputs[1]].shape.size() * positions;
}

std::size_t count_hma(const Graph& graph) {
  std::size_t total = 0;
  for (const Node& node : graph.nodes) {
    total += count_hma(graph, node);
  }
  return total;
}

}  // namespace ffconv::model
