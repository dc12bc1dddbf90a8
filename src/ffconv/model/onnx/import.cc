#include "ffconv/model/onnx/import.h"

#include <algorithm>
#include <unordered_map>

#include "ffconv/base/error.h"
#include "ffconv/model/onnx/fold.h"
#include "ffconv/model/onnx/image_input.h"
#include "ffconv/model/onnx/import_ml.h"
#include "ffconv/model/onnx/needed.h"
#include "ffconv/model/onnx/node_reader.h"
#include "ffconv/model/onnx/operators.h"
#include "ffconv/model/onnx/tensor.h"
#include "ffconv/model/problems.h"
#include "ffconv/model/quote.h"
#include "ffconv/model/read_file.h"

namespace ffconv::model {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;
constexpr std::int64_t kOldestOperatorSet = 9;
constexpr std::string_view kOtherDomains =
    "beside ONNX's own operators only ai.onnx.ml's Scaler and LinearRegressor and, for the scores "
    "at "
    "the end, LinearClassifier, Normalizer and ZipMap can be used";
constexpr std::int64_t kNewestKnown = 1 << 20;  // any; so that it fits an int

// Walks what the output needs of a model's graph once, in the file's order, which ONNX requires to
// be topological.
class Importer {
 public:
  explicit Importer(const onnx::ModelProto& model) : model_(model), proto_(model.graph()) {}

  Graph run() {
    builder_.operator_set = operator_set();
    const NeededNodes needed = find_needed(proto_);
    for (const onnx::NodeProto& node : proto_.node()) {
      if (!node.name().empty() && !builder_.node_names.insert(node.name()).second) {
        fail(ErrorCode::kFormat, "two nodes are named {}", quote(node.name()));
      }
    }
    read_initializers(needed);
    read_input();
    for (int k = 0; k < proto_.node_size(); ++k) {
      const onnx::NodeProto& node = proto_.node(k);
      if (needed.nodes[static_cast<std::size_t>(k)]) {
        read_node(node, needed);
      } else {
        for (const std::string& output : node.output()) {
          define(output, std::nullopt);
        }
      }
    }
    const auto output = lookup(needed.output, "the graph's output");
    problems_.throw_if_any();
    finish(*output);
    return std::move(builder_.graph);
  }

 private:
  int operator_set() const {
    for (const auto& import : model_.opset_import()) {
      if (import.domain().empty() || import.domain() == "ai.onnx") {
        if (import.version() < kOldestOperatorSet) {
          fail(ErrorCode::kUnsupported, "operator set {}: expected {} or newer; export it again",
               import.version(), kOldestOperatorSet);
        }
        return static_cast<int>(std::min<std::int64_t>(import.version(), kNewestKnown));
      }
    }
    fail(ErrorCode::kFormat, "no version of ONNX's own operator set is named");
  }

  void read_initializers(const NeededNodes& needed) {
    for (const onnx::TensorProto& tensor : proto_.initializer()) {
      std::optional<ValueId> id;
      if (needed.values.contains(tensor.name())) {
        problems_.gather([&] {
          Value value = read_tensor(tensor, tensor.name());
          builder_.foldable_elements += value.data.size();
          id = builder_.add_constant(std::move(value), is_whole_type(tensor.data_type()));
        });
      }
      define(tensor.name(), id);
    }
    for (const auto& sparse : proto_.sparse_initializer()) {
      problems_.gather([&] {
        fail(ErrorCode::kUnsupported, "tensor {}: sparse; store it dense",
             quote(sparse.values().name()));
      });
      define(sparse.values().name(), std::nullopt);
    }
  }

  void read_input() {
    const onnx::ValueInfoProto* input = nullptr;
    for (const onnx::ValueInfoProto& candidate : proto_.input()) {
      // Old files list their initializers among the inputs.
      if (values_.contains(candidate.name())) {
        continue;
      }
      if (input != nullptr) {
        fail(ErrorCode::kUnsupported, "expected one input, the image; got {} and {}",
             quote(input->name()), quote(candidate.name()));
      }
      input = &candidate;
    }
    if (input == nullptr) {
      fail(ErrorCode::kFormat, "the graph has no input");
    }
    define(input->name(), add_image(builder_, proto_, *input));
  }

  void read_node(const onnx::NodeProto& node, const NeededNodes& needed) {
    if (node.output_size() <= computed_output(node) || node.output(computed_output(node)).empty()) {
      fail(ErrorCode::kFormat, "node {} ({}) has no output", quote(node.name()),
           quote(node.op_type()));
    }
    // A node without a name is called by its output.
    const std::string name =
        node.name().empty() ? builder_.unique_name(node.output(0)) : node.name();
    std::vector<std::optional<ValueId>> inputs;
    bool known = true;  // whether every input is
    for (const std::string& input : node.input()) {
      inputs.push_back(input.empty() ? std::nullopt : lookup(input, "node " + quote(name)));
      known = known && (input.empty() || inputs.back());
    }
    std::optional<ValueId> result;
    problems_.gather([&] {
      result = import_node(NodeReader(node, inputs, name, builder_), node, known, needed);
    });
    const int computed = computed_output(node);
    for (int k = 0; k < node.output_size(); ++k) {
      if (k == computed) {
        define(node.output(k), result);
      } else if (!node.output(k).empty()) {
        define(node.output(k), std::nullopt);
        other_outputs_.emplace(node.output(k), result ? quote(name) : "");
      }
    }
  }

  // The node's first output; nullopt where an input is unknown, which has been reported.
  static std::optional<ValueId> import_node(const NodeReader& reader, const onnx::NodeProto& node,
                                            bool known, const NeededNodes& needed) {
    const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
    const ConstantEvaluator evaluator = standard ? find_evaluator(node.op_type()) : nullptr;
    OperatorImporter importer = standard                        ? find_operator(node.op_type())
                                : node.domain() == "ai.onnx.ml" ? find_ml_operator(node.op_type())
                                                                : nullptr;
    if (const auto final = needed.final_nodes.find(&node); final != needed.final_nodes.end()) {
      importer = final->second;
    }
    if (known && evaluator != nullptr && reader.all_constant()) {
      return evaluator(reader);
    }
    if (importer == nullptr && (evaluator == nullptr || known)) {
      fail(ErrorCode::kUnsupported, "{} {}: {}",
           quote(standard ? node.op_type() : node.domain() + "." + node.op_type()),
           quote(reader.name()), standard ? advice(node.op_type()) : kOtherDomains);
    }
    return known ? std::optional(importer(reader)) : std::nullopt;
  }

  // The value called `name`; nullopt if it depends on something unsupported.
  std::optional<ValueId> lookup(const std::string& name, const std::string& reader) {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      fail(
          ErrorCode::kFormat,
          "{} reads {}, which no input, initializer or earlier node provides (missing, or a cycle)",
          reader, quote(name));
    }
    if (const auto second = other_outputs_.find(name);
        second != other_outputs_.end() && !second->second.empty()) {
      problems_.gather([&] {
        fail(ErrorCode::kUnsupported, "{} reads {}, an output of node {} that is not computed",
             reader, quote(name), second->second);
      });
    }
    return found->second;
  }

  void define(const std::string& name, std::optional<ValueId> id) {
    if (!name.empty() && !values_.emplace(name, id).second) {
      fail(ErrorCode::kFormat, "two values are named {}", quote(name));
    }
  }

  // Drops nodes whose values turned out not to be read, such as those before a Shape.
  void finish(ValueId output) {
    Graph& graph = builder_.graph;
    if (graph.values[output].is_constant) {
      fail(ErrorCode::kUnsupported, "the output does not depend on the input");
    }
    graph.name = proto_.name();
    graph.output = output;
    for (const auto& entry : model_.metadata_props()) {
      graph.metadata[entry.key()] = entry.value();
    }
    std::vector<bool> needed(graph.values.size(), false);
    needed[output] = true;
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
      for (const ValueId input : node->inputs) {
        needed[input] = needed[input] || needed[node->output];
      }
    }
    std::erase_if(graph.nodes, [&](const Node& node) { return !needed[node.output]; });
  }

  const onnx::ModelProto& model_;
  const onnx::GraphProto& proto_;
  GraphBuilder builder_;
  std::unordered_map<std::string, std::optional<ValueId>> values_;
  // Outputs that are not computed, and the names of their nodes; empty where these are reported.
  std::unordered_map<std::string, std::string> other_outputs_;
  Problems problems_;
};

}  // namespace

Graph import_onnx(std::span<const std::uint8_t> bytes, const std::string& what) {
  if (bytes.size() > kMaxFileBytes) {
    fail(ErrorCode::kFormat, "{}: expected at most {} bytes, got {}", what, kMaxFileBytes,
         bytes.size());
  }
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph()) {
    fail(ErrorCode::kFormat, "{}: not an ONNX model, or truncated", what);
  }
  try {
    return Importer(model).run();
  } catch (const Error& error) {
    throw Error(error.code(), what + ": " + error.what());
  }
}

Graph import_onnx_file(const std::filesystem::path& path) {
  return import_onnx(read_file(path, kMaxFileBytes), path.string());
}

}  // namespace ffconv::model
