#include "ffconv/model/onnx/needed.h"

#include <algorithm>

#include "ffconv/base/error.h"
#include "ffconv/model/onnx/import_ml.h"
#include "ffconv/model/onnx/tensor.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

using Producers = std::unordered_map<std::string, int>;  // the node that gives a value

bool is_label(const onnx::ValueInfoProto& output) {
  const onnx::TypeProto& type = output.type();
  return type.has_tensor_type() && type.tensor_type().elem_type() != onnx::TensorProto::UNDEFINED &&
         is_whole_type(type.tensor_type().elem_type());
}

const std::string& find_scores(const onnx::GraphProto& graph) {
  const onnx::ValueInfoProto* scores = nullptr;
  for (const onnx::ValueInfoProto& output : graph.output()) {
    if (graph.output_size() > 1 && is_label(output)) {
      continue;
    }
    if (scores != nullptr) {
      fail(ErrorCode::kUnsupported, "expected one output, the class scores; got {} and {}",
           quote(scores->name()), quote(output.name()));
    }
    scores = &output;
  }
  if (scores == nullptr) {
    fail(ErrorCode::kUnsupported, "expected one output, the class scores; got none");
  }
  return scores->name();
}

Producers find_producers(const onnx::GraphProto& graph) {
  Producers producers;
  for (int k = 0; k < graph.node_size(); ++k) {
    for (const std::string& output : graph.node(k).output()) {
      if (!output.empty() && !producers.emplace(output, k).second) {
        fail(ErrorCode::kFormat, "two values are named {}", quote(output));
      }
    }
  }
  return producers;
}

// How a node that may finish the scores is imported; nullptr for all others.
OperatorImporter final_importer(const onnx::NodeProto& node) {
  if (node.domain() == "ai.onnx.ml") {
    return find_final_ml_operator(node.op_type());
  }
  const bool is_softmax = node.op_type() == "Softmax" || node.op_type() == "LogSoftmax";
  return is_softmax && (node.domain().empty() || node.domain() == "ai.onnx") ? import_final_softmax
                                                                             : nullptr;
}

// Whether what it reads are scores already.
bool is_ml_view(const onnx::NodeProto& node) {
  return node.domain() == "ai.onnx.ml" && node.op_type() != "LinearClassifier";
}

// Whether the node leaves the scores as they are but for their shape and name.
bool passes_on(const onnx::NodeProto& node) {
  static const std::unordered_set<std::string> kViews{"Identity", "Cast",    "Dropout",  "Flatten",
                                                      "Reshape",  "Squeeze", "Unsqueeze"};
  return kViews.contains(node.op_type());
}

}  // namespace

NeededNodes find_needed(const onnx::GraphProto& graph) {
  NeededNodes needed{
      find_scores(graph), std::vector<bool>(static_cast<std::size_t>(graph.node_size())), {}, {}};
  const Producers producers = find_producers(graph);

  std::vector<std::string> open{needed.output};
  needed.values.insert(needed.output);
  while (!open.empty()) {
    const auto producer = producers.find(open.back());
    open.pop_back();
    if (producer == producers.end() || needed.nodes[static_cast<std::size_t>(producer->second)]) {
      continue;
    }
    needed.nodes[static_cast<std::size_t>(producer->second)] = true;
    for (const std::string& input : graph.node(producer->second).input()) {
      if (needed.values.insert(input).second) {
        open.push_back(input);
      }
    }
  }

  // From the output back along first inputs, at most once through every node.
  std::string value = needed.output;
  for (int steps = 0; steps < graph.node_size(); ++steps) {
    const auto producer = producers.find(value);
    if (producer == producers.end()) {
      break;
    }
    const onnx::NodeProto& node = graph.node(producer->second);
    if (value != node.output(std::min(computed_output(node), node.output_size() - 1))) {
      break;  // a label, or an output that is not computed
    }
    const OperatorImporter importer = final_importer(node);
    if (importer != nullptr) {
      needed.final_nodes.emplace(&node, importer);
    }
    const bool goes_on = importer == nullptr ? passes_on(node) : is_ml_view(node);
    if (!goes_on || node.input_size() == 0) {
      break;
    }
    value = node.input(0);
  }
  return needed;
}

}  // namespace ffconv::model
