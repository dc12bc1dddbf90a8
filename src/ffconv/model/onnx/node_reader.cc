#include "ffconv/model/onnx/node_reader.h"

#include <algorithm>
#include <cmath>

#include "ffconv/base/error.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {

std::optional<ValueId> GraphBuilder::add_activation(const std::string& name, Shape shape) {
  // Every product stays within the limit, so nothing overflows.
  std::size_t left = kMaxActivationElements - activation_elements;
  for (const std::size_t dim : shape.dims) {
    left /= dim;
  }
  if (left == 0) {
    return std::nullopt;
  }
  activation_elements += shape.size();
  graph.values.push_back({name, std::move(shape), false, {}});
  return graph.values.size() - 1;
}

ValueId GraphBuilder::add_constant(Value value, bool is_whole) {
  graph.values.push_back(std::move(value));
  const ValueId id = graph.values.size() - 1;
  if (is_whole) {
    whole.insert(id);
  }
  return id;
}

std::string GraphBuilder::unique_name(std::string name) {
  while (!node_names.insert(name).second) {
    name += '_';
  }
  return name;
}

const onnx::AttributeProto* NodeReader::find(std::string_view name) const {
  for (const onnx::AttributeProto& attribute : proto_.attribute()) {
    if (attribute.name() == name) {
      return &attribute;
    }
  }
  return nullptr;
}

const onnx::AttributeProto* NodeReader::find(std::string_view name,
                                             onnx::AttributeProto::AttributeType type) const {
  const onnx::AttributeProto* attribute = find(name);
  if (attribute != nullptr && attribute->type() != type) {
    malformed(fmt::format("attribute {}: expected type {}, got {}", name, static_cast<int>(type),
                          static_cast<int>(attribute->type())));
  }
  return attribute;
}

int computed_output(const onnx::NodeProto& node) {
  return node.domain() == "ai.onnx.ml" && node.op_type() == "LinearClassifier" ? 1 : 0;
}

std::int64_t NodeReader::integer(std::string_view name, std::int64_t otherwise) const {
  const auto* attribute = find(name, onnx::AttributeProto::INT);
  return attribute == nullptr ? otherwise : attribute->i();
}

double NodeReader::number(std::string_view name, double otherwise) const {
  const auto* attribute = find(name, onnx::AttributeProto::FLOAT);
  const double value = attribute == nullptr ? otherwise : static_cast<double>(attribute->f());
  if (!std::isfinite(value)) {
    malformed(fmt::format("attribute {} is not a finite number", name));
  }
  return value;
}

std::string NodeReader::text(std::string_view name, std::string_view otherwise) const {
  const auto* attribute = find(name, onnx::AttributeProto::STRING);
  return attribute == nullptr ? std::string(otherwise) : attribute->s();
}

std::vector<std::int64_t> NodeReader::integers(std::string_view name) const {
  const auto* attribute = find(name, onnx::AttributeProto::INTS);
  if (attribute == nullptr) {
    return {};
  }
  return {attribute->ints().begin(), attribute->ints().end()};
}

std::vector<double> NodeReader::numbers(std::string_view name) const {
  const auto* attribute = find(name, onnx::AttributeProto::FLOATS);
  if (attribute == nullptr) {
    return {};
  }
  for (const float x : attribute->floats()) {
    if (!std::isfinite(x)) {
      malformed(fmt::format("attribute {} has an element that is not a finite number", name));
    }
  }
  return {attribute->floats().begin(), attribute->floats().end()};
}

const onnx::TensorProto& NodeReader::tensor(std::string_view name) const {
  const auto* attribute = find(name, onnx::AttributeProto::TENSOR);
  if (attribute == nullptr) {
    malformed(fmt::format("attribute {} is missing", name));
  }
  return attribute->t();
}

ValueId NodeReader::input(std::size_t i) const {
  if (!has_input(i)) {
    malformed(fmt::format("input {} is missing", i));
  }
  return *inputs_[i];
}

const Value& NodeReader::activation(std::size_t i) const {
  const Value& value = this->value(i);
  if (value.is_constant) {
    unsupported(fmt::format("input {} ({}) is a constant where the image's data is expected", i,
                            quote(value.name)));
  }
  return value;
}

const Value& NodeReader::constant(std::size_t i) const {
  const Value& value = this->value(i);
  if (!value.is_constant) {
    unsupported(fmt::format("input {} ({}) is computed from the image; it must be a constant", i,
                            quote(value.name)));
  }
  if (value.data.empty()) {
    unsupported(fmt::format("input {} ({}) has no elements", i, quote(value.name)));
  }
  return value;
}

std::vector<std::int64_t> NodeReader::constant_integers(std::size_t i) const {
  constexpr double kExactBelow = 0x1p53;
  const Value& value = constant(i);
  std::vector<std::int64_t> result;
  result.reserve(value.data.size());
  for (const double x : value.data) {
    if (x != std::floor(x) || std::abs(x) > kExactBelow) {
      malformed(
          fmt::format("input {} ({}): expected whole numbers, got {}", i, quote(value.name), x));
    }
    result.push_back(static_cast<std::int64_t>(x));
  }
  return result;
}

bool NodeReader::all_constant() const {
  return std::all_of(inputs_.begin(), inputs_.end(),
                     [&](const auto& id) { return !id || builder_.graph.values[*id].is_constant; });
}

std::size_t NodeReader::checked_axis(std::int64_t axis, std::size_t rank) const {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    malformed(fmt::format("axis {} of {}", axis, rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

std::optional<std::vector<std::size_t>> NodeReader::axes(std::size_t i, std::size_t rank) const {
  if (!has_attribute("axes") && !has_input(i)) {
    return std::nullopt;
  }
  std::vector<std::size_t> result;
  for (const std::int64_t axis : has_attribute("axes") ? integers("axes") : constant_integers(i)) {
    const std::size_t index = checked_axis(axis, rank);
    if (std::find(result.begin(), result.end(), index) != result.end()) {
      malformed(fmt::format("axes: {} is there twice", axis));
    }
    result.push_back(index);
  }
  return result;
}

ValueId NodeReader::emit(Operator op, std::vector<ValueId> inputs, Shape out) const {
  return emit_named(name_, output_name(), std::move(op), std::move(inputs), std::move(out));
}

ValueId NodeReader::emit_step(std::string_view suffix, Operator op, std::vector<ValueId> inputs,
                              Shape out) const {
  const std::string name = builder_.unique_name(fmt::format("{}_{}", name_, suffix));
  return emit_named(name, name, std::move(op), std::move(inputs), std::move(out));
}

ValueId NodeReader::emit_named(const std::string& name, const std::string& output, Operator op,
                               std::vector<ValueId> inputs, Shape out) const {
  constexpr std::size_t kMaxRank = 8;
  if (out.rank() > kMaxRank) {
    unsupported(fmt::format("an output of {} axes", out.rank() + 1));
  }
  const std::string shape = to_string(out);
  const auto id = builder_.add_activation(output, std::move(out));
  if (!id) {
    unsupported(fmt::format("with its output of {} all activations exceed {} elements", shape,
                            kMaxActivationElements));
  }
  builder_.graph.nodes.push_back({name, std::move(op), std::move(inputs), *id});
  return *id;
}

void NodeReader::reserve_elements(std::size_t count) const {
  if (count > kMaxActivationElements - builder_.activation_elements) {
    unsupported(fmt::format("a window of so many elements; all activations exceed {}",
                            kMaxActivationElements));
  }
  builder_.activation_elements += count;
}

ValueId NodeReader::emit_folded(Shape shape, std::vector<double> data, bool is_whole) const {
  for (const double x : data) {
    if (!std::isfinite(x)) {
      malformed("an element of its constant result is not a finite number");
    }
  }
  builder_.folded_elements += data.size();
  return builder_.add_constant({output_name(), std::move(shape), true, std::move(data)}, is_whole);
}

void NodeReader::check_folded(const std::vector<std::size_t>& dims) const {
  constexpr std::size_t kMaxCopies = 16;
  std::size_t left = builder_.foldable_elements;
  for (const std::size_t dim : dims) {
    left /= std::max<std::size_t>(dim, 1);
  }
  if (left == 0 || builder_.folded_elements > kMaxCopies * builder_.foldable_elements) {
    unsupported("constants computed from the file's are far larger than those themselves");
  }
}

void NodeReader::unsupported(std::string_view problem) const {
  fail(ErrorCode::kUnsupported, "{} {}: {}", op_type(), quote(name_), problem);
}

void NodeReader::malformed(std::string_view problem) const {
  fail(ErrorCode::kFormat, "{} {}: {}", op_type(), quote(name_), problem);
}

}  // namespace ffconv::model
