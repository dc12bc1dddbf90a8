// Builds small ONNX models in memory, node by node. Names are given out in order: "c0", "c1", ...
// for constants, "t0", "t1", ... for the outputs of nodes; the image is "image".
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ffconv/model/graph.h"
#include "ffconv/model/onnx/import.h"

namespace ffconv::testing {

using Dims = std::vector<std::int64_t>;
using AttributeValue = std::variant<std::int64_t, double, std::string, Dims>;
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

class OnnxBuilder {
 public:
  // `input` without the batch axis, which is symbolic.
  explicit OnnxBuilder(const Dims& input, int operator_set = 13) {
    model_.set_ir_version(7);
    auto* import = model_.add_opset_import();
    import->set_version(operator_set);
    graph().set_name("test");
    auto* value = graph().add_input();
    value->set_name("image");
    auto* type = value->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    type->mutable_shape()->add_dim()->set_dim_param("N");
    for (const std::int64_t dim : input) {
      type->mutable_shape()->add_dim()->set_dim_value(dim);
    }
  }

  // An initializer in double precision. data.size() is the product of dims.
  std::string constant(const Dims& dims, const std::vector<double>& data) {
    auto* tensor = graph().add_initializer();
    tensor->set_name("c" + std::to_string(graph().initializer_size() - 1));
    tensor->set_data_type(onnx::TensorProto::DOUBLE);
    tensor->mutable_dims()->Add(dims.begin(), dims.end());
    tensor->mutable_double_data()->Add(data.begin(), data.end());
    return tensor->name();
  }
  // The same in the precision of most files: every element must be a float.
  std::string float_constant(const Dims& dims, const std::vector<double>& data) {
    const std::string name = constant(dims, {});
    auto* tensor = graph().mutable_initializer(graph().initializer_size() - 1);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    for (const double x : data) {
      tensor->add_float_data(static_cast<float>(x));
    }
    return name;
  }
  std::string scalar(double x) { return constant({}, {x}); }
  std::string integers(const Dims& values) {
    auto* tensor = graph().add_initializer();
    tensor->set_name("c" + std::to_string(graph().initializer_size() - 1));
    tensor->set_data_type(onnx::TensorProto::INT64);
    tensor->add_dims(static_cast<std::int64_t>(values.size()));
    tensor->mutable_int64_data()->Add(values.begin(), values.end());
    return tensor->name();
  }

  // Appends a node; returns its output.
  std::string node(const std::string& op_type, const std::vector<std::string>& inputs,
                   const Attributes& attributes = {}) {
    auto* node = graph().add_node();
    node->set_op_type(op_type);
    for (const std::string& input : inputs) {
      node->add_input(input);
    }
    node->add_output("t" + std::to_string(graph().node_size() - 1));
    for (const auto& [name, value] : attributes) {
      set_attribute(*node->add_attribute(), name, value);
    }
    return node->output(0);
  }

  // The serialized model with that output.
  std::vector<std::uint8_t> bytes(const std::string& output) {
    graph().clear_output();
    graph().add_output()->set_name(output);
    const std::string text = model_.SerializeAsString();
    return {text.begin(), text.end()};
  }
  model::Graph import(const std::string& output) {
    return model::import_onnx(bytes(output), "test model");
  }

  onnx::ModelProto& model() { return model_; }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

 private:
  static void set_attribute(onnx::AttributeProto& attribute, const std::string& name,
                            const AttributeValue& value) {
    attribute.set_name(name);
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      attribute.set_type(onnx::AttributeProto::INT);
      attribute.set_i(*integer);
    } else if (const auto* number = std::get_if<double>(&value)) {
      attribute.set_type(onnx::AttributeProto::FLOAT);
      attribute.set_f(static_cast<float>(*number));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      attribute.set_type(onnx::AttributeProto::STRING);
      attribute.set_s(*text);
    } else {
      const Dims& dims = std::get<Dims>(value);
      attribute.set_type(onnx::AttributeProto::INTS);
      attribute.mutable_ints()->Add(dims.begin(), dims.end());
    }
  }

  onnx::ModelProto model_;
};

}  // namespace ffconv::testing
