#include "ffconv/model/onnx/image_input.h"

#include <algorithm>

#include "ffconv/base/error.h"
#include "ffconv/model/onnx/tensor.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

Shape read_shape(const onnx::ValueInfoProto& input) {
  const onnx::TypeProto::Tensor& type = input.type().tensor_type();
  if (is_whole_type(type.elem_type())) {
    fail(ErrorCode::kUnsupported, "input {}: expected elements of type float, got type {}",
         quote(input.name()), type.elem_type());
  }
  const auto& dims = type.shape().dim();
  if (dims.size() < 2 || dims.size() > 4) {
    fail(ErrorCode::kUnsupported,
         "input {}: expected [N, channels, rows, columns], [N, rows, columns] or [N, features], "
         "got {} axes",
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

bool is_to_channels_first(const onnx::NodeProto& node) {
  constexpr std::int64_t kPermutation[] = {0, 3, 1, 2};
  return node.op_type() == "Transpose" &&
         std::any_of(node.attribute().begin(), node.attribute().end(), [&](const auto& attribute) {
           return attribute.name() == "perm" &&
                  std::equal(attribute.ints().begin(), attribute.ints().end(),
                             std::begin(kPermutation), std::end(kPermutation));
         });
}

// The first node after `input` that cares for the order of axes; nullptr if there is none.
const onnx::NodeProto* first_reader(const onnx::GraphProto& graph, std::string value) {
  static const std::set<std::string> kPassing{"Add", "Sub", "Mul", "Div",     "Cast",
                                              "Pow", "Neg", "Pad", "Dropout", "Identity"};
  for (const onnx::NodeProto& node : graph.node()) {  // in topological order
    if (std::find(node.input().begin(), node.input().end(), value) == node.input().end()) {
      continue;
    }
    if (!kPassing.contains(node.op_type()) || node.output_size() == 0) {
      return &node;
    }
    value = node.output(0);
  }
  return nullptr;
}

bool is_channels_last(const onnx::GraphProto& graph, const std::string& input, const Shape& shape) {
  static const std::set<std::string> kChannelsFirst{"Conv", "AveragePool", "GlobalAveragePool",
                                                    "BatchNormalization", "MaxPool"};
  const onnx::NodeProto* reader = first_reader(graph, input);
  if (reader != nullptr && is_to_channels_first(*reader)) {
    return true;
  }
  const auto is_colours = [](std::size_t extent) {
    return extent == 1 || extent == 3 || extent == 4;
  };
  return (reader == nullptr || !kChannelsFirst.contains(reader->op_type())) &&
         is_colours(shape.dims[2]) && !is_colours(shape.dims[0]);
}

}  // namespace

ValueId add_image(GraphBuilder& builder, const onnx::GraphProto& graph,
                  const onnx::ValueInfoProto& input) {
  const Shape shape = read_shape(input);
  const auto add = [&](const std::string& name, const Shape& of) {
    const auto id = builder.add_activation(name, of);
    if (!id) {
      fail(ErrorCode::kUnsupported, "input {}: more than {} elements", quote(input.name()),
           kMaxActivationElements);
    }
    return *id;
  };
  const auto& dims = shape.dims;
  const bool is_grey = shape.rank() == 2;
  if (!is_grey && !(shape.rank() == 3 && is_channels_last(graph, input.name(), shape))) {
    builder.graph.input = add(input.name(), shape);
    return builder.graph.input;
  }
  const Shape image{is_grey ? std::vector<std::size_t>{1, dims[0], dims[1]}
                            : std::vector<std::size_t>{dims[2], dims[0], dims[1]}};
  builder.graph.input = add(input.name(), image);
  const std::string name = builder.unique_name(input.name() + "_layout");
  const ValueId value = add(name, shape);
  const Operator op = is_grey ? Operator(Reshape{}) : Operator(Transpose{{1, 2, 0}});
  builder.graph.nodes.push_back({name, op, {builder.graph.input}, value});
  return value;
}

}  // namespace ffconv::model
