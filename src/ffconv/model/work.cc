#include "ffconv/model/work.h"

namespace ffconv::model {

Work& Work::operator+=(const Work& other) {
  hma += other.hma;
  mac += other.mac;
  return *this;
}

Work work_of(const Linear& linear) {
  if (const Convolution* conv = linear.convolution()) {
    const std::size_t weights = conv->weights.size();
    return {weights, weights * linear.out.height() * linear.out.width()};
  }
  if (const auto* dense = std::get_if<Dense>(&linear.map)) {
    return {dense->weights.size(), dense->weights.size()};
  }
  return {linear.out.channels(), linear.out.size()};
}

Work work_of(const Graph& graph, const Node& node) {
  if (!is_linear(node)) {
    return {};
  }
  const Shape& out = graph.values[node.output].shape;
  const std::size_t weights = graph.values[node.inputs[1]].shape.size();
  return {weights, is_dense(node) ? weights : weights * out.height() * out.width()};
}

Work work_of(const Graph& graph) {
  Work total;
  for (const Node& node : graph.nodes) {
    total += work_of(graph, node);
  }
  return total;
}

}  // namespace ffconv::model
