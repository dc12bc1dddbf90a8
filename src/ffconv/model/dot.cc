#include "ffconv/model/dot.h"

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

struct OperatorName {
  const char* operator()(const Conv&) const { return "Conv"; }
  const char* operator()(const Gemm&) const { return "Gemm"; }
  const char* operator()(const MatMul&) const { return "MatMul"; }
  const char* operator()(const Add&) const { return "Add"; }
  const char* operator()(const Sub&) const { return "Sub"; }
  const char* operator()(const Mul&) const { return "Mul"; }
  const char* operator()(const Pow&) const { return "Pow"; }
  const char* operator()(const Reshape&) const { return "Reshape"; }
  const char* operator()(const Transpose&) const { return "Transpose"; }
  const char* operator()(const Pad&) const { return "Pad"; }
  const char* operator()(const Concat&) const { return "Concat"; }
  const char* operator()(const AveragePool&) const { return "AveragePool"; }
  const char* operator()(const BatchNormalization&) const { return "BatchNormalization"; }
};

// What distinguishes a node from others of its operator; begins with a space, or is empty.
std::string parameters(const Operator& op) {
  const auto* conv = std::get_if<Conv>(&op);
  const auto* pool = std::get_if<AveragePool>(&op);
  if (conv != nullptr || pool != nullptr) {
    const ConvGeometry& g = conv != nullptr ? conv->geometry : pool->geometry;
    std::string text = fmt::format(" {}x{}", g.kernel[0], g.kernel[1]);
    if (g.strides[0] != 1 || g.strides[1] != 1) {
      text += fmt::format(" stride {}x{}", g.strides[0], g.strides[1]);
    }
    if (conv != nullptr && g.groups != 1) {
      text += fmt::format(" groups {}", g.groups);
    }
    return text;
  }
  if (const auto* pow = std::get_if<Pow>(&op)) {
    return fmt::format(" {}", pow->exponent);
  }
  if (const auto* transpose = std::get_if<Transpose>(&op)) {
    return fmt::format(" {}", fmt::join(transpose->permutation, ","));
  }
  return "";
}

// A text in double quotes.
std::string literal(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    result += c == '"' ? "'" : c == '\\' ? "/" : std::string(1, c);
  }
  return result + "\"";
}

std::string without_quotes(const std::string& name) {
  const std::string quoted = quote(name);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

std::string operator_name(const Operator& op) {
  return std::visit(OperatorName{}, op);
}

std::string to_dot(const Graph& graph) {
  std::string text = fmt::format("digraph {} {{\n", literal(without_quotes(graph.name)));
  text += "  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n";
  text += fmt::format("  in [shape=ellipse, label={}];\n",
                      literal(without_quotes(graph.values[graph.input].name)));
  std::map<ValueId, std::string> producers{{graph.input, "in"}};
  const auto arrow = [&](ValueId value, const std::string& to) {
    text += fmt::format("  {} -> {} [label=\"{}\"];\n", producers.at(value), to,
                        to_string(graph.values[value].shape));
  };
  for (std::size_t k = 0; k < graph.nodes.size(); ++k) {
    const Node& node = graph.nodes[k];
    const std::string id = fmt::format("n{}", k);
    std::string line = operator_name(node.op) + parameters(node.op);
    text += fmt::format("  {} [label={}];\n", id, literal(without_quotes(node.name) + "\n" + line));
    for (const ValueId input : node.inputs) {
      if (!graph.values[input].is_constant) {
        arrow(input, id);
      }
    }
    producers[node.output] = id;
  }
  text += "  out [shape=ellipse, label=\"scores\"];\n";
  arrow(graph.output, "out");
  return text + "}\n";
}

}  // namespace ffconv::model
