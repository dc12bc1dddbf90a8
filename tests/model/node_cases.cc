#include "model/node_cases.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <optional>
#include <set>

#include "ffconv/base/error.h"
#include "ffconv/model/float_executor.h"
#include "ffconv/model/onnx/fold.h"
#include "ffconv/model/onnx/import.h"
#include "ffconv/model/onnx/operators.h"
#include "ffconv/model/onnx/tensor.h"
#include "support/file_image.h"

namespace ffconv::testing {
namespace {

using model::Graph;
using model::Value;
using onnx::TensorProto;

template <typename Message>
bool parse(const std::filesystem::path& path, Message& message) {
  std::ifstream file(path, std::ios::binary);
  return file && message.ParseFromIstream(&file);
}

std::optional<NodeCase> load(const std::filesystem::path& folder) {
  NodeCase node_case{folder.filename().string(), {}, {}, {}};
  const std::filesystem::path data = folder / "test_data_set_0";
  if (!parse(folder / "model.onnx", node_case.model) ||
      !parse(data / "output_0.pb", node_case.output)) {
    return std::nullopt;
  }
  for (const auto& output : node_case.model.graph().output()) {
    if (!output.type().has_tensor_type()) {
      return std::nullopt;
    }
  }
  // Older than what is imported, but the same since.
  const auto& nodes = node_case.model.graph().node();
  if (nodes.size() == 1 && nodes[0].op_type() == "GlobalAveragePool") {
    node_case.model.mutable_opset_import(0)->set_version(9);
  }
  for (int i = 0; i < node_case.model.graph().input_size(); ++i) {
    const auto& type = node_case.model.graph().input(i).type();
    if (!type.has_tensor_type() ||
        !parse(data / ("input_" + std::to_string(i) + ".pb"), node_case.inputs.emplace_back())) {
      return std::nullopt;
    }
  }
  return node_case;
}

// The model with all inputs but `image` (or all: -1) made constants.
onnx::ModelProto with_constants(const NodeCase& node_case, int image) {
  onnx::ModelProto model = node_case.model;
  onnx::GraphProto& graph = *model.mutable_graph();
  for (int i = 0; i < graph.input_size(); ++i) {
    if (i != image) {
      *graph.add_initializer() = node_case.inputs[static_cast<std::size_t>(i)];
      graph.mutable_initializer(graph.initializer_size() - 1)->set_name(graph.input(i).name());
    }
  }
  return model;
}

void set_dims(onnx::ValueInfoProto& input, const std::vector<std::int64_t>& dims) {
  auto* type = input.mutable_type()->mutable_tensor_type();
  type->clear_shape();
  for (const std::int64_t dim : dims) {
    type->mutable_shape()->add_dim()->set_dim_value(dim);
  }
}

Graph import_model(const onnx::ModelProto& model) {
  const std::string text = model.SerializeAsString();
  return model::import_onnx(
      std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), "node case");
}

// What remains to be done with scores that are left without their last operator.
std::vector<double> finish(const NodeCase& node_case, std::vector<double> scores) {
  const auto& nodes = node_case.model.graph().node();
  const std::string last = nodes.empty() ? "" : nodes[nodes.size() - 1].op_type();
  if (last != "Softmax" && last != "LogSoftmax") {
    return scores;
  }
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores) {
    sum += std::exp(score - largest);
  }
  for (double& score : scores) {
    score = last == "Softmax" ? std::exp(score - largest) / sum : score - largest - std::log(sum);
  }
  return scores;
}

// The relative precision of what the case expects.
double tolerance(const TensorProto& expected) {
  return expected.data_type() == TensorProto::BFLOAT16  ? 1e-2
         : expected.data_type() == TensorProto::FLOAT16 ? 1e-3
                                                        : 1e-5;
}

bool agree(const std::vector<double>& got, std::span<const double> expected, double relative) {
  return got.size() == expected.size() &&
         std::equal(got.begin(), got.end(), expected.begin(), [&](double a, double b) {
           return std::abs(a - b) <= relative * std::max(1.0, std::abs(b));
         });
}

// The images of input `image` one after the other; each gives an equal part of the output.
bool run_batch(const NodeCase& node_case, int image, bool add_axis) {
  const TensorProto& tensor = node_case.inputs[static_cast<std::size_t>(image)];
  onnx::ModelProto model = with_constants(node_case, image);
  std::vector<std::int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  if (add_axis) {
    dims.insert(dims.begin(), 1);
  }
  const auto batch = static_cast<std::size_t>(dims.empty() ? 1 : dims[0]);
  if (!dims.empty()) {
    dims[0] = 1;
  }
  set_dims(*model.mutable_graph()->mutable_input(image), dims);
  const Graph graph = import_model(model);

  const std::vector<double> input = model::read_tensor(tensor, "input").data;
  const std::vector<double> output = model::read_tensor(node_case.output, "output").data;
  const std::size_t size = input.size() / batch;
  const std::size_t classes = output.size() / batch;
  for (std::size_t b = 0; b < batch; ++b) {
    const auto first = input.begin() + static_cast<std::ptrdiff_t>(b * size);
    const auto scores = model::run_float(
        graph, graph_image(graph, {first, first + static_cast<std::ptrdiff_t>(size)}));
    if (!agree(finish(node_case, scores), std::span(output).subspan(b * classes, classes),
               tolerance(node_case.output))) {
      return false;
    }
  }
  return true;
}

// All inputs are constants: the output's elements and its shape, added to an image of zeros.
bool run_folded(const NodeCase& node_case) {
  onnx::ModelProto model = with_constants(node_case, -1);
  onnx::GraphProto& graph = *model.mutable_graph();
  const std::string output = graph.output(0).name();
  const Value expected = model::read_tensor(node_case.output, "output");
  std::vector<double> all = expected.data;
  all.insert(all.end(), expected.shape.dims.begin(), expected.shape.dims.end());

  TensorProto* flat = graph.add_initializer();
  flat->set_name("test/flat");
  flat->set_data_type(TensorProto::INT64);
  flat->add_dims(1);
  flat->add_int64_data(-1);
  const auto add_node = [&](const std::string& op, const std::vector<std::string>& inputs,
                            const std::string& result) {
    auto* node = graph.add_node();
    node->set_op_type(op);
    for (const std::string& input : inputs) {
      node->add_input(input);
    }
    node->add_output(result);
    return node;
  };
  add_node("Reshape", {output, "test/flat"}, "test/elements");
  add_node("Shape", {output}, "test/shape");
  auto* axis = add_node("Concat", {"test/elements", "test/shape"}, "test/both")->add_attribute();
  axis->set_name("axis");
  axis->set_type(onnx::AttributeProto::INT);
  axis->set_i(0);
  add_node("Add", {"test/zeros", "test/both"}, "test/sum");
  onnx::ValueInfoProto* zeros = graph.add_input();
  zeros->set_name("test/zeros");
  zeros->mutable_type()->mutable_tensor_type()->set_elem_type(TensorProto::FLOAT);
  set_dims(*zeros, {1, static_cast<std::int64_t>(all.size())});
  graph.clear_output();
  graph.add_output()->set_name("test/sum");
  return agree(model::run_float(import_model(model), std::vector<double>(all.size(), 0.0)), all,
               tolerance(node_case.output));
}

bool is_elementwise(const NodeCase& node_case) {
  static const std::set<std::string> kElementwise{"Add", "Sub",      "Mul",  "Div",    "Pow",
                                                  "Neg", "Identity", "Cast", "Dropout"};
  const auto& nodes = node_case.model.graph().node();
  return std::all_of(nodes.begin(), nodes.end(),
                     [](const auto& node) { return kElementwise.contains(node.op_type()); });
}

}  // namespace

std::vector<NodeCase> load_node_cases(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  std::vector<NodeCase> cases;
  for (const auto& folder : folders) {
    if (auto node_case = load(folder)) {
      cases.push_back(std::move(*node_case));
    }
  }
  return cases;
}

NodeResult run_node_case(const NodeCase& node_case) {
  bool differed = false;
  std::string refusal;
  const auto agrees = [&](const auto& run) {
    try {
      const bool agreed = run();
      differed = differed || !agreed;
      return agreed;
    } catch (const Error& error) {
      refusal = refusal.empty() ? error.what() : refusal;
      return false;
    }
  };
  bool by_image = false;
  for (int image = 0; image < node_case.model.graph().input_size(); ++image) {
    by_image |= agrees([&] { return run_batch(node_case, image, false); });
    by_image |=
        is_elementwise(node_case) && agrees([&] { return run_batch(node_case, image, true); });
  }
  const bool by_constants = agrees([&] { return run_folded(node_case); });
  return {differed       ? Outcome::kDiffers
          : by_image     ? Outcome::kAgrees
          : by_constants ? Outcome::kAgreesOnConstants
                         : Outcome::kRefused,
          refusal};
}

bool has_operators(const NodeCase& node_case) {
  const auto& nodes = node_case.model.graph().node();
  return std::all_of(nodes.begin(), nodes.end(), [](const onnx::NodeProto& node) {
    return model::find_operator(node.op_type()) != nullptr ||
           model::find_evaluator(node.op_type()) != nullptr || node.op_type() == "Softmax" ||
           node.op_type() == "LogSoftmax";
  });
}

}  // namespace ffconv::testing
