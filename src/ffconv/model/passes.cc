#include "ffconv/model/passes.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "ffconv/model/linear.h"
#include "ffconv/model/ranges.h"

namespace ffconv::model {
namespace {

// What an element-wise node by constants computes of its activation; nullopt for other nodes.
struct AffineNode {
  ValueId activation = 0;
  Affine affine;
};

std::optional<AffineNode> affine_node(const Graph& graph, const Node& node) {
  if (const auto* normalization = std::get_if<BatchNormalization>(&node.op)) {
    return AffineNode{node.inputs[0], as_affine(graph, node, *normalization)};
  }
  const bool is_mul = std::holds_alternative<Mul>(node.op);
  const bool is_sub = std::holds_alternative<Sub>(node.op);
  if (!is_mul && !is_sub && !std::holds_alternative<Add>(node.op)) {
    return std::nullopt;
  }
  const std::size_t constant = graph.values[node.inputs[0]].is_constant ? 0 : 1;
  if (!graph.values[node.inputs[constant]].is_constant) {
    return std::nullopt;
  }
  Coefficients c = broadcast(graph.values[node.inputs[constant]], graph.values[node.output].shape);
  const ValueId activation = node.inputs[1 - constant];
  if (is_mul) {
    return AffineNode{activation, {std::move(c), {0.0}}};
  }
  if (is_sub && constant == 1) {
    c = combine(c, {-1.0}, [](double x, double minus) { return minus * x; });
  }
  return AffineNode{activation, {{is_sub && constant == 0 ? -1.0 : 1.0}, std::move(c)}};
}

class AffineFolder {
 public:
  explicit AffineFolder(Graph graph) : graph_(std::move(graph)), readers_(graph_.values.size(), 0) {
    for (const Node& node : graph_.nodes) {
      for (const ValueId input : node.inputs) {
        ++readers_[input];
      }
    }
    ++readers_[graph_.output];
  }

  Graph run() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      if (!fold(node)) {
        graph_.nodes.push_back(std::move(node));
      }
    }
    return std::move(graph_);
  }

 private:
  // Whether the node could be folded into the layer before it.
  bool fold(const Node& node) {
    const auto found = affine_node(graph_, node);
    if (!found || readers_[found->activation] != 1) {
      return false;
    }
    const auto layer = std::find_if(graph_.nodes.begin(), graph_.nodes.end(),
                                    [&](const Node& n) { return n.output == found->activation; });
    const Shape shape = graph_.values[node.output].shape;
    const auto scale = per_channel(found->affine.scale, shape);
    const auto offset = per_channel(found->affine.offset, shape);
    if (layer == graph_.nodes.end() || !scale || !offset) {
      return false;
    }
    if (std::holds_alternative<Conv>(layer->op)) {
      fold_into_conv(*layer, *scale, *offset);
    } else if (is_dense(*layer)) {
      fold_into_dense(*layer, *scale, *offset);
    } else {
      return false;
    }
    rescale_range(graph_.metadata, layer->name, graph_.values[layer->output].name, max_abs(*scale),
                  max_abs(*offset));
    layer->output = node.output;
    return true;
  }

  void fold_into_conv(Node& layer, const Coefficients& scale, const Coefficients& offset) {
    Value weights = graph_.values[layer.inputs[1]];
    const std::size_t row = weights.data.size() / scale.size();
    for (std::size_t k = 0; k < weights.data.size(); ++k) {
      weights.data[k] *= scale[k / row];
    }
    Coefficients bias = offset;
    if (layer.inputs.size() > 2) {
      for (std::size_t c = 0; c < bias.size(); ++c) {
        bias[c] += graph_.values[layer.inputs[2]].data[c] * scale[c];
      }
    }
    set_constants(layer, std::move(weights), std::move(bias));
  }

  void fold_into_dense(Node& layer, const Coefficients& scale, const Coefficients& offset) {
    const auto* old = std::get_if<Gemm>(&layer.op);
    Gemm gemm = old != nullptr ? *old : Gemm{};
    Value weights = graph_.values[layer.inputs[1]];
    const std::size_t columns = weights.shape.dims[1];
    for (std::size_t k = 0; k < weights.data.size(); ++k) {
      weights.data[k] *= scale[gemm.transpose_b ? k / columns : k % columns];
    }
    Coefficients bias = offset;
    if (layer.inputs.size() > 2) {
      const Coefficients c =
          broadcast(graph_.values[layer.inputs[2]], graph_.values[layer.output].shape);
      for (std::size_t o = 0; o < bias.size(); ++o) {
        bias[o] += gemm.beta * c[c.size() == 1 ? 0 : o] * scale[o];
      }
    }
    gemm.beta = 1;
    layer.op = gemm;
    set_constants(layer, std::move(weights), std::move(bias));
  }

  // New constants: other layers may read the old ones.
  void set_constants(Node& layer, Value weights, Coefficients bias) {
    const auto add = [&](Value value) {
      value.name = fmt::format("{}_folded{}", layer.name, graph_.values.size());
      graph_.values.push_back(std::move(value));
      readers_.push_back(1);
      return graph_.values.size() - 1;
    };
    const ValueId activation = layer.inputs[0];
    Shape shape{{bias.size()}};
    const ValueId new_weights = add(std::move(weights));
    layer.inputs = {activation, new_weights, add({"", std::move(shape), true, std::move(bias)})};
  }

  Graph graph_;
  std::vector<std::size_t> readers_;  // by value; the graph's output has one more
};

}  // namespace

Graph fold_affine(Graph graph) {
  return AffineFolder(std::move(graph)).run();
}

}  // namespace ffconv::model
