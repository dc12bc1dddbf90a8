// One NodeProto as the operator importers see it: attributes by name and type, inputs by position,
// and the graph under construction.
//
// Problems that lie in the network (an input that is not constant, a mode that FFConv does not
// know) are kUnsupported errors, which the importer gathers; contradictions in the file are
// kFormat.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ffconv/model/graph.h"

namespace ffconv::model {

// Kernel extents, strides, dilations and pads beyond it are refused; sums of products of two of
// them fit 64 bits with room to spare.
inline constexpr std::int64_t kMaxExtent = 1 << 16;

// The graph under construction.
struct GraphBuilder {
  Graph graph;
  int operator_set = 0;
  std::size_t activation_elements = 0;  // of all activations so far; <= kMaxActivationElements
  std::set<std::string> node_names;     // in use
  std::unordered_set<ValueId> whole;    // constants whose arithmetic is on whole numbers
  std::size_t foldable_elements = 512;  // that one computed constant may have: the file's and some
  std::size_t folded_elements = 0;      // of all computed constants so far

  // Appends an activation; nullopt if the limit would be exceeded. Every dimension >= 1.
  std::optional<ValueId> add_activation(const std::string& name, Shape shape);
  ValueId add_constant(Value value, bool is_whole);
  // `name`, with underscores where a node has it already.
  std::string unique_name(std::string name);
};

// Which output of a node is computed: the first one, but for a classifier of ai.onnx.ml the second,
// its scores; the first is the label.
int computed_output(const onnx::NodeProto& node);

class NodeReader {
 public:
  // `inputs` are the values of proto's inputs; nullopt where one is left out.
  NodeReader(const onnx::NodeProto& proto, std::vector<std::optional<ValueId>> inputs,
             std::string name, GraphBuilder& builder)
      : proto_(proto), inputs_(std::move(inputs)), name_(std::move(name)), builder_(builder) {}

  const std::string& name() const { return name_; }
  const std::string& op_type() const { return proto_.op_type(); }
  const std::string& output_name() const { return proto_.output(computed_output(proto_)); }
  int operator_set() const { return builder_.operator_set; }
  std::size_t input_count() const { return inputs_.size(); }

  // Attributes. Throw kFormat if the attribute is there with another type.
  bool has_attribute(std::string_view name) const { return find(name) != nullptr; }
  std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
  double number(std::string_view name, double otherwise) const;
  std::string text(std::string_view name, std::string_view otherwise) const;
  std::vector<std::int64_t> integers(std::string_view name) const;  // empty where absent
  std::vector<double> numbers(std::string_view name) const;         // empty where absent
  const onnx::TensorProto& tensor(std::string_view name) const;     // must be there

  // Inputs. Throw kFormat where a mandatory one is missing.
  bool has_input(std::size_t i) const { return i < inputs_.size() && inputs_[i].has_value(); }
  ValueId input(std::size_t i) const;
  const Value& value(std::size_t i) const { return builder_.graph.values[input(i)]; }
  bool is_constant(std::size_t i) const { return value(i).is_constant; }
  bool all_constant() const;  // every input that is there
  bool is_whole(std::size_t i) const { return builder_.whole.contains(input(i)); }
  const Value& activation(std::size_t i) const;  // throws kUnsupported for a constant
  const Value& constant(
      std::size_t i) const;  // throws kUnsupported for an activation or no elements
  // The constant's elements as whole numbers; throws kFormat where one is not (or above 2^53).
  std::vector<std::int64_t> constant_integers(std::size_t i) const;
  // Axes, from the attribute `axes` or, in newer operator sets, from input i: each in [0, rank) and
  // there once, in the file's order. nullopt where neither is there.
  std::optional<std::vector<std::size_t>> axes(std::size_t i, std::size_t rank) const;
  std::size_t checked_axis(std::int64_t axis, std::size_t rank) const;

  // Appends the node with these inputs; returns its output, an activation of shape `out`, named as
  // in the file. Throws kUnsupported beyond kMaxActivationElements in all or more than 8 axes.
  ValueId emit(Operator op, std::vector<ValueId> inputs, Shape out) const;
  // The same for a step on the way there; node and output are called by the node's name and
  // `suffix`.
  ValueId emit_step(std::string_view suffix, Operator op, std::vector<ValueId> inputs,
                    Shape out) const;
  // Counts elements that evaluation needs beside the activations, with the same limit.
  void reserve_elements(std::size_t count) const;

  // A constant that the file holds.
  ValueId emit_constant(Value value, bool is_whole = false) const {
    builder_.foldable_elements += value.data.size();
    return builder_.add_constant(std::move(value), is_whole);
  }
  // A constant computed from others. `shape` must have passed check_folded.
  ValueId emit_folded(Shape shape, std::vector<double> data, bool is_whole) const;
  // Throws kUnsupported if constants of that size would exceed what the file's own constants
  // justify. To be called before memory is taken.
  void check_folded(const std::vector<std::size_t>& dims) const;

  // Throw with the node's name and operator in front of `problem`.
  [[noreturn]] void unsupported(std::string_view problem) const;
  [[noreturn]] void malformed(std::string_view problem) const;

 private:
  ValueId emit_named(const std::string& name, const std::string& output, Operator op,
                     std::vector<ValueId> inputs, Shape out) const;
  const onnx::AttributeProto* find(std::string_view name) const;
  const onnx::AttributeProto* find(std::string_view name,
                                   onnx::AttributeProto::AttributeType type) const;

  const onnx::NodeProto& proto_;
  std::vector<std::optional<ValueId>> inputs_;
  std::string name_;
  GraphBuilder& builder_;
};

}  // namespace ffconv::model
