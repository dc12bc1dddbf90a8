#include "ffconv/model/onnx/import.h"

#include <set>
#include <unordered_map>

#include "ffconv/base/error.h"
#include "ffconv/model/onnx/node_reader.h"
#include "ffconv/model/onnx/operators.h"
#include "ffconv/model/onnx/tensor.h"
#include "ffconv/model/quote.h"
#include "ffconv/model/read_file.h"

namespace ffconv::model {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;
constexpr std::int64_t kOldestOperatorSet = 9;

// Walks a model's graph once, in the file's order, which ONNX requires to be topological.
class Importer {
 public:
  explicit Importer(const onnx::ModelProto& model) : model_(model), proto_(model.graph()) {}

  Graph run() {
    check_operator_set();
    read_initializers();
    read_input();
    if (proto_.output_size() != 1) {
      fail(ErrorCode::kUnsupported, "expected one output, the class scores; got {}",
           proto_.output_size());
    }
    for (const onnx::NodeProto& node : proto_.node()) {
      reserve_name(node);
    }
    for (const onnx::NodeProto& node : proto_.node()) {
      read_node(node);
    }
    const auto output = lookup(proto_.output(0).name(), "the graph's output");
    throw_problems();
    finish(*output);
    return std::move(builder_.graph);
  }

 private:
  void check_operator_set() const {
    for (const auto& import : model_.opset_import()) {
      if (import.domain().empty() || import.domain() == "ai.onnx") {
        if (import.version() < kOldestOperatorSet) {
          fail(ErrorCode::kUnsupported, "operator set {}: expected {} or newer; export it again",
               import.version(), kOldestOperatorSet);
        }
        return;
      }
    }
    fail(ErrorCode::kFormat, "no version of ONNX's own operator set is named");
  }

  void read_initializers() {
    for (const onnx::TensorProto& tensor : proto_.initializer()) {
      std::optional<ValueId> id;
      gather([&] { id = builder_.add_constant(read_tensor(tensor, tensor.name())); });
      define(tensor.name(), id);
    }
    for (const auto& sparse : proto_.sparse_initializer()) {
      gather([&] {
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
    const auto id = builder_.add_activation(input->name(), input_shape(*input));
    if (!id) {
      fail(ErrorCode::kUnsupported, "input {}: more than {} elements", quote(input->name()),
           kMaxActivationElements);
    }
    builder_.graph.input = *id;
    define(input->name(), id);
  }

  static Shape input_shape(const onnx::ValueInfoProto& input) {
    const onnx::TypeProto::Tensor& type = input.type().tensor_type();
    if (type.elem_type() != onnx::TensorProto::FLOAT &&
        type.elem_type() != onnx::TensorProto::DOUBLE) {
      fail(ErrorCode::kUnsupported, "input {}: expected elements of type float, got type {}",
           quote(input.name()), type.elem_type());
    }
    const auto& dims = type.shape().dim();
    if (dims.size() != 2 && dims.size() != 4) {
      fail(ErrorCode::kUnsupported,
           "input {}: expected [N, channels, rows, columns] or [N, features], got {} axes",
           quote(input.name()), dims.size());
    }
    if (dims[0].has_dim_value() && dims[0].dim_value() > 1) {
      fail(ErrorCode::kUnsupported, "input {}: expected a batch of 1 or a symbolic one, got {}",
           quote(input.name()), dims[0].dim_value());
    }
    Shape shape;
    for (int axis = 1; axis < dims.size(); ++axis) {
      if (dims[axis].dim_value() < 1) {
        fail(ErrorCode::kUnsupported,
             "input {}: axis {} has no fixed extent; export with a fixed image size",
             quote(input.name()), axis);
      }
      shape.dims.push_back(static_cast<std::size_t>(dims[axis].dim_value()));
    }
    return shape;
  }

  void reserve_name(const onnx::NodeProto& node) {
    if (!node.name().empty() && !node_names_.insert(node.name()).second) {
      fail(ErrorCode::kFormat, "two nodes are named {}", quote(node.name()));
    }
  }

  // The node's name; where it has none, its output's, made unique.
  std::string node_name(const onnx::NodeProto& node) {
    if (!node.name().empty()) {
      return node.name();
    }
    std::string name = node.output(0);
    while (!node_names_.insert(name).second) {
      name += '_';
    }
    return name;
  }

  void read_node(const onnx::NodeProto& node) {
    if (node.output_size() == 0 || node.output(0).empty()) {
      fail(ErrorCode::kFormat, "node {} ({}) has no output", quote(node.name()),
           quote(node.op_type()));
    }
    const std::string name = node_name(node);
    bool known = true;  // whether every input is
    std::vector<std::optional<ValueId>> inputs;
    for (const std::string& input : node.input()) {
      inputs.push_back(input.empty() ? std::nullopt : lookup(input, "node " + quote(name)));
      known = known && (input.empty() || inputs.back());
    }
    std::optional<ValueId> result;
    gather([&] {
      const OperatorImporter importer = check_operator(node, name);
      if (known) {
        result = importer(NodeReader(node, std::move(inputs), name, builder_));
      }
    });
    define(node.output(0), result);
  }

  OperatorImporter check_operator(const onnx::NodeProto& node, const std::string& name) const {
    const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
    if (standard && node.op_type() == "Softmax" && node.output(0) == proto_.output(0).name()) {
      return import_final_softmax;
    }
    const OperatorImporter importer = standard ? find_operator(node.op_type()) : nullptr;
    if (importer == nullptr) {
      fail(ErrorCode::kUnsupported, "{} {}: {}",
           quote(standard ? node.op_type() : node.domain() + "." + node.op_type()), quote(name),
           standard ? advice(node.op_type()) : "only ONNX's own operators");
    }
    return importer;
  }

  // The value called `name`; nullopt if it depends on something unsupported.
  std::optional<ValueId> lookup(const std::string& name, const std::string& reader) const {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      fail(
          ErrorCode::kFormat,
          "{} reads {}, which no input, initializer or earlier node provides (missing, or a cycle)",
          reader, quote(name));
    }
    return found->second;
  }

  void define(const std::string& name, std::optional<ValueId> id) {
    if (!values_.emplace(name, id).second) {
      fail(ErrorCode::kFormat, "two values are named {}", quote(name));
    }
  }

  // Runs `step` and keeps its kUnsupported error for the list.
  template <typename Step>
  void gather(const Step& step) {
    constexpr std::size_t kMaxListed = 100;
    try {
      step();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUnsupported) {
        throw;
      }
      if (++problem_count_ <= kMaxListed) {
        problems_ += fmt::format("\n  {}", error.what());
      }
    }
  }

  void throw_problems() const {
    if (problem_count_ > 0) {
      fail(ErrorCode::kUnsupported, "{} part{} of the network cannot run encrypted:{}",
           problem_count_, problem_count_ == 1 ? "" : "s", problems_);
    }
  }

  // Drops nodes that do not lead to the output.
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
  std::set<std::string> node_names_;
  std::size_t problem_count_ = 0;
  std::string problems_;
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
