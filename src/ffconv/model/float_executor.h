// The reference for everything else: a graph evaluated operator by operator in double precision.
#pragma once

#include <span>
#include <vector>

#include "ffconv/model/graph.h"

namespace ffconv::model {

// The class scores of one image. input.size() == graph.input_shape().size(), else kInvalidArgument.
// Holds every activation at once: at most kMaxActivationElements.
std::vector<double> run_float(const Graph& graph, std::span<const double> input);

}  // namespace ffconv::model
