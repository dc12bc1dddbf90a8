// The reference for everything else: a graph evaluated operator by operator in double precision,
// whatever the file's element type is. Sums are of doubles in a fixed order, so equal inputs give
// equal bits on one machine, for any number of threads; a dot product of n terms has a relative
// error of at most n 2^-53 of the sum of its terms' absolute values.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ffconv/model/graph.h"

namespace ffconv::model {

// The class scores of one image. input.size() == graph.input_shape().size(), else kInvalidArgument.
// Holds activations until their last reader is done: at most kMaxActivationElements, and a block of
// one convolution's patches. Runs on the caller's thread: many images belong in a parallel_for.
std::vector<double> run_float(const Graph& graph, std::span<const double> input);

// The same; every node's output is shown to `observe` once it is computed, node by node.
using NodeObserver = std::function<void(const Node& node, std::span<const double> output)>;
std::vector<double> run_float(const Graph& graph, std::span<const double> input,
                              const NodeObserver& observe);

}  // namespace ffconv::model
