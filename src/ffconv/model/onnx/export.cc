#include "ffconv/model/onnx/export.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include <onnx/onnx_pb.h>
#include <Eigen/Core>

#include "ffconv/base/error.h"
#include "ffconv/base/posix_file.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

struct Version {
  std::int64_t ir, operator_set;
};
constexpr Version kVersion{7, 13};
constexpr Version kVersionOfDilatedPooling{9, 19};
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;
constexpr double kLargestHalf = 65504;

void set_value_info(onnx::ValueInfoProto& info, const std::string& name, const Shape& shape) {
  info.set_name(name);
  auto* type = info.mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  type->mutable_shape()->add_dim()->set_dim_param("N");
  for (const std::size_t dim : shape.dims) {
    type->mutable_shape()->add_dim()->set_dim_value(static_cast<std::int64_t>(dim));
  }
}

onnx::AttributeProto& add_attribute(onnx::NodeProto& node, const char* name,
                                    onnx::AttributeProto::AttributeType type) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

void add_integer(onnx::NodeProto& node, const char* name, std::int64_t value) {
  add_attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}

template <typename Range>
void add_integers(onnx::NodeProto& node, const char* name, const Range& values) {
  auto& attribute = add_attribute(node, name, onnx::AttributeProto::INTS);
  for (const std::size_t value : values) {
    attribute.add_ints(static_cast<std::int64_t>(value));
  }
}

template <typename T>
void append_raw(onnx::TensorProto& tensor, T element) {
  tensor.mutable_raw_data()->append(reinterpret_cast<const char*>(&element), sizeof(T));
}

// Fills in the model node by node; a node's constants come before it.
class Exporter {
 public:
  Exporter(const Graph& graph, const ExportOptions& options)
      : graph_(graph), options_(options), names_(graph.values.size()) {}

  onnx::ModelProto run() {
    const Version version = needed_version();
    model_.set_ir_version(version.ir);
    model_.set_producer_name("ffconv");
    model_.add_opset_import()->set_version(version.operator_set);
    proto().set_name(graph_.name);
    for (const auto& [key, value] : graph_.metadata) {
      auto& entry = *model_.add_metadata_props();
      entry.set_key(key);
      entry.set_value(value);
    }
    // Activations first: metadata may know them by name.
    name_activation(graph_.input);
    for (const Node& node : graph_.nodes) {
      name_activation(node.output);
      taken_nodes_.insert(node.name);
    }
    set_value_info(*proto().add_input(), names_[graph_.input], graph_.input_shape());
    for (const Node& node : graph_.nodes) {
      write(node);
    }
    set_value_info(*proto().add_output(), names_[graph_.output],
                   graph_.values[graph_.output].shape);
    return std::move(model_);
  }

 private:
  onnx::GraphProto& proto() { return *model_.mutable_graph(); }

  Version needed_version() const {
    const bool is_dilated = std::ranges::any_of(graph_.nodes, [](const Node& node) {
      const auto* pool = std::get_if<AveragePool>(&node.op);
      return pool != nullptr && pool->geometry.dilations != ConvGeometry{}.dilations;
    });
    return is_dilated ? kVersionOfDilatedPooling : kVersion;
  }

  static std::string unique(std::string name, std::set<std::string>& taken) {
    name = name.empty() ? "unnamed" : name;
    while (!taken.insert(name).second) {
      name += '_';
    }
    return name;
  }

  void name_activation(ValueId id) { names_[id] = unique(graph_.values[id].name, taken_); }

  void write(const Node& node) {
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      if (const Value& value = graph_.values[node.inputs[k]]; value.is_constant) {
        define_constant(node.inputs[k], value, is_linear(node) && k == 1);
      }
    }
    onnx::NodeProto written;
    written.set_name(node.name);
    for (const ValueId input : node.inputs) {
      written.add_input(names_[input]);
    }
    written.add_output(names_[node.output]);
    std::visit([&](const auto& op) { describe(op, node, written); }, node.op);
    *proto().add_node() = std::move(written);
  }

  // Operators: type, attributes, and inputs that the graph holds in the operator.
  void describe(const Conv& conv, const Node&, onnx::NodeProto& written) {
    written.set_op_type("Conv");
    add_integers(written, "kernel_shape", conv.geometry.kernel);
    add_integers(written, "strides", conv.geometry.strides);
    add_integers(written, "dilations", conv.geometry.dilations);
    add_integers(written, "pads", conv.geometry.pads);
    add_integer(written, "group", static_cast<std::int64_t>(conv.geometry.groups));
  }
  void describe(const Gemm& gemm, const Node&, onnx::NodeProto& written) {
    written.set_op_type("Gemm");
    add_attribute(written, "alpha", onnx::AttributeProto::FLOAT)
        .set_f(static_cast<float>(gemm.alpha));
    add_attribute(written, "beta", onnx::AttributeProto::FLOAT)
        .set_f(static_cast<float>(gemm.beta));
    add_integer(written, "transB", gemm.transpose_b ? 1 : 0);
  }
  void describe(const MatMul&, const Node&, onnx::NodeProto& written) {
    written.set_op_type("MatMul");
  }
  void describe(const Add&, const Node&, onnx::NodeProto& written) { written.set_op_type("Add"); }
  void describe(const Sub&, const Node&, onnx::NodeProto& written) { written.set_op_type("Sub"); }
  void describe(const Mul&, const Node&, onnx::NodeProto& written) { written.set_op_type("Mul"); }
  void describe(const Pow& pow, const Node& node, onnx::NodeProto& written) {
    written.set_op_type("Pow");
    auto& exponent = add_initializer(node.name + "_exponent", {}, onnx::TensorProto::FLOAT);
    append_raw(exponent, static_cast<float>(pow.exponent));
    written.add_input(exponent.name());
  }
  void describe(const Reshape&, const Node& node, onnx::NodeProto& written) {
    const Shape& shape = graph_.values[node.output].shape;
    if (shape.rank() == 1) {
      written.set_op_type("Flatten");
      add_integer(written, "axis", 1);
      return;
    }
    written.set_op_type("Reshape");
    std::vector<std::int64_t> dims{-1};  // the batch axis
    dims.insert(dims.end(), shape.dims.begin(), shape.dims.end());
    written.add_input(add_integer_constant(node.name + "_shape", dims));
  }
  void describe(const Pad& pad, const Node& node, onnx::NodeProto& written) {
    written.set_op_type("Pad");
    std::vector<std::int64_t> amounts;
    for (const auto* side : {&pad.before, &pad.after}) {
      amounts.push_back(0);  // the batch axis
      amounts.insert(amounts.end(), side->begin(), side->end());
    }
    written.add_input(add_integer_constant(node.name + "_pads", amounts));
  }

  void describe(const Transpose& transpose, const Node&, onnx::NodeProto& written) {
    written.set_op_type("Transpose");
    std::vector<std::size_t> permutation{0};  // the batch axis
    for (const std::size_t axis : transpose.permutation) {
      permutation.push_back(axis + 1);
    }
    add_integers(written, "perm", permutation);
  }
  void describe(const Concat& concat, const Node&, onnx::NodeProto& written) {
    written.set_op_type("Concat");
    add_integer(written, "axis", static_cast<std::int64_t>(concat.axis) + 1);
  }
  void describe(const AveragePool& pool, const Node&, onnx::NodeProto& written) {
    written.set_op_type("AveragePool");
    add_integers(written, "kernel_shape", pool.geometry.kernel);
    add_integers(written, "strides", pool.geometry.strides);
    add_integers(written, "pads", pool.geometry.pads);
    if (needed_version().operator_set >= kVersionOfDilatedPooling.operator_set) {
      add_integers(written, "dilations", pool.geometry.dilations);
    }
    add_integer(written, "count_include_pad", pool.count_padding ? 1 : 0);
  }
  void describe(const BatchNormalization& normalization, const Node&, onnx::NodeProto& written) {
    written.set_op_type("BatchNormalization");
    // The default is no float32 number.
    if (normalization.epsilon != BatchNormalization{}.epsilon) {
      add_attribute(written, "epsilon", onnx::AttributeProto::FLOAT)
          .set_f(static_cast<float>(normalization.epsilon));
    }
  }

  onnx::TensorProto& add_initializer(const std::string& name, const Shape& shape,
                                     onnx::TensorProto::DataType type) {
    auto& tensor = *proto().add_initializer();
    tensor.set_name(unique(name, taken_));
    tensor.set_data_type(type);
    for (const std::size_t dim : shape.dims) {
      tensor.add_dims(static_cast<std::int64_t>(dim));
    }
    tensor.mutable_raw_data();
    return tensor;
  }

  std::string add_integer_constant(const std::string& name,
                                   const std::vector<std::int64_t>& values) {
    auto& tensor = add_initializer(name, Shape{{values.size()}}, onnx::TensorProto::INT64);
    for (const std::int64_t value : values) {
      append_raw(tensor, value);
    }
    return tensor.name();
  }

  // Nodes may share a constant: it is written where it is met first.
  void define_constant(ValueId id, const Value& value, bool is_weight) {
    if (!names_[id].empty()) {
      return;
    }
    const bool fits_half =
        std::ranges::all_of(value.data, [](double x) { return std::abs(x) <= kLargestHalf; });
    if (is_weight && options_.half_precision && fits_half) {
      names_[id] = unique(value.name, taken_);
      auto& tensor = add_initializer(value.name + "_half", value.shape, onnx::TensorProto::FLOAT16);
      for (const double x : value.data) {
        append_raw(tensor, Eigen::half(static_cast<float>(x)).x);
      }
      add_cast(tensor.name(), names_[id]);
      return;
    }
    auto& tensor = add_initializer(value.name, value.shape, onnx::TensorProto::FLOAT);
    for (const double x : value.data) {
      if (std::abs(x) > std::numeric_limits<float>::max()) {
        fail(ErrorCode::kUnsupported, "tensor {}: {} does not fit a float32", quote(value.name), x);
      }
      append_raw(tensor, static_cast<float>(x));
    }
    names_[id] = tensor.name();
  }

  void add_cast(const std::string& from, const std::string& to) {
    auto& cast = *proto().add_node();
    cast.set_name(unique(to + "_cast", taken_nodes_));
    cast.set_op_type("Cast");
    cast.add_input(from);
    cast.add_output(to);
    add_integer(cast, "to", onnx::TensorProto::FLOAT);
  }

  const Graph& graph_;
  const ExportOptions& options_;
  onnx::ModelProto model_;
  std::vector<std::string> names_;  // in the file, by value; empty: not written yet
  std::set<std::string> taken_, taken_nodes_;
};

}  // namespace

std::vector<std::uint8_t> export_onnx(const Graph& graph, const ExportOptions& options) {
  const onnx::ModelProto model = Exporter(graph, options).run();
  const std::size_t size = model.ByteSizeLong();
  if (size > kMaxFileBytes) {
    fail(ErrorCode::kUnsupported, "network {}: {} bytes as an ONNX file; at most {} can be read",
         quote(graph.name), size, kMaxFileBytes);
  }
  std::vector<std::uint8_t> bytes(size);
  model.SerializeToArray(bytes.data(), static_cast<int>(size));
  return bytes;
}

void export_onnx_file(const Graph& graph, const std::filesystem::path& path,
                      const ExportOptions& options) {
  write_file(path, export_onnx(graph, options));
}

}  // namespace ffconv::model
