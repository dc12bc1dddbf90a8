// Nodes whose inputs are all constants: the shape arithmetic that exporters leave around Reshape,
// Pad and Flatten, and weights that the file holds in another form. They are evaluated while the
// file is read and leave no node.
//
// Elements are doubles, whole numbers exact to 2^53; division of whole numbers truncates. Results
// are bounded by what the file's own constants justify (NodeReader::check_folded).
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "ffconv/model/onnx/node_reader.h"

namespace ffconv::model {

// Returns the constant that the node computes. Every input that the node has must be a constant.
// Throws kFormat where inputs contradict each other or an element is not finite.
using ConstantEvaluator = ValueId (*)(const NodeReader& node);

// nullptr for operators that are not evaluated.
ConstantEvaluator find_evaluator(std::string_view op_type);

// Of which find_evaluator is made: what computes, what gives elements another shape or order, and
// what takes and joins some.
using ConstantEvaluators = std::map<std::string_view, ConstantEvaluator>;
const ConstantEvaluators& arithmetic_evaluators();
const ConstantEvaluators& view_evaluators();
const ConstantEvaluators& selection_evaluators();

using Dims = std::vector<std::size_t>;

// dims[first] * ... * dims[last - 1].
std::size_t product(const Dims& dims, std::size_t first, std::size_t last);

}  // namespace ffconv::model
