// How large a network's values get, and are as a rule: the planner chooses scales and the last
// modulus by the largest, and predicts the precision by root mean squares.
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
// Metadata key of the same form: root mean squares over all elements and images. Where it is absent
// pixels are taken at their largest and outputs at a quarter of it, which is on the high side.
inline constexpr const char* kRmsKey = "ffconv.rms";

struct Range {
  double max_abs = 0;
  double rms = 0;  // root mean square
};

struct Ranges {
  Range input;
  std::vector<Range> layers;  // [network.layers.size()], of each layer's output
};

// Of the square of values of this range; the root mean square is that of Gaussian ones.
Range squared(const Range& range);

// What is seen on these images, without a margin. Images run in parallel.
// Throws kMismatch if the images do not have the network's input shape, kInvalidArgument if there
// are none.
Ranges calibrate(const Network& network, const Dataset& images, const Progress& progress = {});

// The metadata's ranges as they stand there, under nodes' names whichever name they have there.
struct NodeRanges {
  Range input;
  std::map<std::string, Range> layers;  // by node's name, of every one that is_linear()
};

// nullopt without kRangesKey. Throws kFormat for text that is not as described above: a value that
// is not a finite, positive number, a layer that is missing or named twice, or a name that no layer
// has.
std::optional<NodeRanges> node_ranges(const Graph& graph);

// The same, carried over to the graph's normalized network. Also throws kFormat where a bound
// overflows.
std::optional<Ranges> ranges_from_metadata(const Graph& graph, const Network& network);

// For a node whose output becomes scale * output + offset: its entries in the metadata, under the
// node's or the tensor's name, become what follows at most for the new output, under the node's
// name. Nothing happens where there are none.
void rescale_range(std::map<std::string, std::string>& metadata, const std::string& node,
                   const std::string& tensor, double scale, double offset);

}  // namespace ffconv::model
