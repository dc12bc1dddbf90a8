#include "ffconv/lowrank/factorize.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"
#include "ffconv/model/ranges.h"

namespace ffconv::lowrank {
namespace {

using model::Shape;
using model::ValueId;

// V = E' W and U = E with the bias m + E E' (b - m); see components.h.
struct Factors {
  Matrix v, u;
  Vector bias;
};

Factors factors_of(const model::Graph& graph, const Layer& layer, const Components& components,
                   std::size_t rank) {
  FFCONV_ASSERT(rank >= 1 && rank <= layer.full_rank());
  Factors factors;
  factors.u = components.directions.leftCols(static_cast<Eigen::Index>(rank));
  factors.v = factors.u.transpose() * weights_of(graph, layer);
  const Vector offset = bias_of(graph, layer) - components.mean;
  factors.bias = components.mean + factors.u * (factors.u.transpose() * offset);
  return factors;
}

std::vector<double> row_major(const Matrix& matrix) {
  std::vector<double> data;
  data.reserve(static_cast<std::size_t>(matrix.size()));
  for (Eigen::Index row = 0; row < matrix.rows(); ++row) {
    for (Eigen::Index column = 0; column < matrix.cols(); ++column) {
      data.push_back(matrix(row, column));
    }
  }
  return data;
}

// Builds the factorized graph; values keep their numbers, new ones come behind.
class Factorizer {
 public:
  explicit Factorizer(const model::Graph& graph) : graph_(graph), result_(graph) {
    result_.nodes.clear();
    for (const model::Node& node : graph.nodes) {
      names_.insert(node.name);
    }
  }

  void keep(const model::Node& node) { result_.nodes.push_back(node); }

  void split(const Layer& layer, const Components& components, std::size_t rank) {
    const model::Node& node = graph_.nodes[layer.node];
    const Factors factors = factors_of(graph_, layer, components, rank);
    const auto* conv = std::get_if<model::Conv>(&node.op);
    Shape inner = graph_.values[node.output].shape;
    inner.dims[0] = rank;
    Shape v_shape{{rank, layer.columns}}, u_shape{{layer.rows, rank}};
    model::Operator first = model::Gemm{.transpose_b = true}, second = first;
    if (conv != nullptr) {
      v_shape = graph_.values[node.inputs[1]].shape;
      v_shape.dims[0] = rank;
      u_shape.dims.insert(u_shape.dims.end(), {1, 1});
      first = *conv;
      second = model::Conv{};
    }
    const std::string v_name = unique(node.name + "_v"), u_name = unique(node.name + "_u");
    const ValueId v = add_constant(v_name + "_weight", std::move(v_shape), row_major(factors.v));
    const ValueId channels = add({v_name + "_out", std::move(inner), false, {}});
    const ValueId u = add_constant(u_name + "_weight", std::move(u_shape), row_major(factors.u));
    const ValueId bias =
        add_constant(u_name + "_bias", Shape{{layer.rows}}, row_major(factors.bias));
    result_.nodes.push_back({v_name, first, {node.inputs[0], v}, channels});
    result_.nodes.push_back({u_name, second, {channels, u, bias}, node.output});
  }

  model::Graph finish() {
    std::size_t elements = result_.input_shape().size();
    for (const model::Node& node : result_.nodes) {
      elements += result_.values[node.output].shape.size();
    }
    if (elements > model::kMaxActivationElements) {
      fail(ErrorCode::kUnsupported,
           "the factorized network has {} elements in all activations together, at most {} are "
           "supported; choose lower ranks",
           elements, model::kMaxActivationElements);
    }
    return std::move(result_);
  }

 private:
  std::string unique(std::string name) {
    while (!names_.insert(name).second) {
      name += '_';
    }
    return name;
  }

  ValueId add(model::Value value) {
    result_.values.push_back(std::move(value));
    return result_.values.size() - 1;
  }
  ValueId add_constant(std::string name, Shape shape, std::vector<double> data) {
    return add({std::move(name), std::move(shape), true, std::move(data)});
  }

  const model::Graph& graph_;
  model::Graph result_;
  std::set<std::string> names_;
};

}  // namespace

model::Graph factorize(const model::Graph& graph, const std::vector<Layer>& layers,
                       const std::vector<Components>& components, const Ranks& ranks) {
  FFCONV_ASSERT(components.size() == layers.size() && ranks.size() == layers.size());
  Factorizer factorizer(graph);
  auto layer = layers.begin();
  for (std::size_t k = 0; k < graph.nodes.size(); ++k) {
    const bool is_layer = layer != layers.end() && layer->node == k;
    const auto index = static_cast<std::size_t>(layer - layers.begin());
    if (is_layer && ranks[index] != kWhole) {
      factorizer.split(*layer, components[index], ranks[index]);
    } else {
      factorizer.keep(graph.nodes[k]);
    }
    layer += is_layer ? 1 : 0;
  }
  model::Graph result = factorizer.finish();
  if (std::ranges::any_of(ranks, [](std::size_t rank) { return rank != kWhole; })) {
    result.metadata.erase(model::kRangesKey);
    result.metadata.erase(model::kRmsKey);
  }
  return result;
}

}  // namespace ffconv::lowrank
