// Node outputs of one or more graphs on the same images.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "ffconv/base/progress.h"
#include "ffconv/model/dataset.h"
#include "ffconv/model/graph.h"

namespace ffconv::lowrank {

// What to see of a graph: the outputs of these nodes (indices into Graph::nodes). The graph must
// outlive the call.
struct Probe {
  const model::Graph& graph;
  std::vector<std::size_t> nodes;
};

// The node that computes the class scores. The graph has nodes.
std::size_t output_node(const model::Graph& graph);

// [probe][node of the probe][element]
using Observation = std::vector<std::vector<std::vector<double>>>;

struct Stage {
  std::string_view name;
  const Progress& progress;
};

// Runs the graphs on the first `count` images, in parallel, and hands what was seen to `consume`,
// one image after the other in their order, whatever the number of threads.
// Throws kMismatch if the images do not have the graphs' input shape.
void observe(const std::vector<Probe>& probes, const model::Dataset& images, std::size_t count,
             const Stage& stage,
             const std::function<void(std::size_t image, const Observation& seen)>& consume);

}  // namespace ffconv::lowrank
