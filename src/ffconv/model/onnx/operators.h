// The operators that the importer knows, and what to use instead of the others.
#pragma once

#include <string_view>

#include "ffconv/model/onnx/node_reader.h"

namespace ffconv::model {

// Adds one node to the graph and returns the value of its first output.
using OperatorImporter = ValueId (*)(const NodeReader& node);

// How the operator is imported where an input depends on the image; nullptr for one that FFConv
// does not know. Softmax is not among them: its place in the graph decides.
OperatorImporter find_operator(std::string_view op_type);

// A Softmax or LogSoftmax whose output is the network's: left out. Throws kUnsupported unless it is
// over the classes.
ValueId import_final_softmax(const NodeReader& node);

// What to use instead of an operator that find_operator does not know; never empty.
std::string_view advice(std::string_view op_type);

}  // namespace ffconv::model
