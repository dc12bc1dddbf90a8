// How large a network's values get: the planner chooses scales and the last modulus by it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ffconv/base/progress.h"
#include "ffconv/model/dataset.h"
#include "ffconv/model/graph.h"
#include "ffconv/model/network.h"

namespace ffconv::model {

// Metadata key: JSON {"input": x, NAME: x, ...}, the largest |pixel| and, for every linear layer
// under its node's or its output tensor's name, the largest absolute value of that output as in the
// graph, margins included.
inline constexpr const char* kRangesKey = "ffconv.ranges";

struct Ranges {
  double input_max_abs = 0;
  std::vector<double> max_abs;  // [network.layers.size()], of each layer's output
};

// The largest values seen on these images, without a margin. Images run in parallel.
// Throws kMismatch if the images do not have the network's input shape, kInvalidArgument if there
// are none.
Ranges calibrate(const Network& network, const Dataset& images, const Progress& progress = {});

// The metadata's bounds as they stand there, under nodes' names whichever name they have there.
struct NodeRanges {
  double input_max_abs = 0;
  std::map<std::string, double> max_abs;  // by node's name, of every one that is_linear()
};

// nullopt without the key. Throws kFormat for text that is not as described above: a value that is
// not a finite, positive number, a layer that is missing or named twice, or a name that no layer
// has.
std::optional<NodeRanges> node_ranges(const Graph& graph);

// The same, carried over to the graph's normalized network. Also throws kFormat where a bound
// overflows.
std::optional<Ranges> ranges_from_metadata(const Graph& graph, const Network& network);

// For a node whose output becomes scale * output + offset: its bound in the metadata, under the
// node's or the tensor's name, becomes what follows for the new output, under the node's name.
// Nothing happens where there is none.
void rescale_bound(std::map<std::string, std::string>& metadata, const std::string& node,
                   const std::string& tensor, double scale, double offset);

}  // namespace ffconv::model
