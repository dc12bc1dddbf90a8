// Pictures of graphs.
#pragma once

#include <string>

#include "ffconv/model/graph.h"

namespace ffconv::model {

// The operator's name in ONNX.
std::string operator_name(const Operator& op);

// The graph in the language of Graphviz: a box a node, with its operator and parameters, an arrow
// an activation, with its shape. Names are cleaned as by quote().
std::string to_dot(const Graph& graph);

}  // namespace ffconv::model
