#include "ffconv/lowrank/observe.h"

#include <algorithm>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/model/float_executor.h"

namespace ffconv::lowrank {
namespace {

std::vector<std::vector<double>> run(const Probe& probe, const std::vector<double>& image) {
  std::vector<std::vector<double>> seen(probe.nodes.size());
  model::run_float(probe.graph, image,
                   [&](const model::Node& node, std::span<const double> output) {
                     for (std::size_t k = 0; k < probe.nodes.size(); ++k) {
                       if (&probe.graph.nodes[probe.nodes[k]] == &node) {
                         seen[k].assign(output.begin(), output.end());
                       }
                     }
                   });
  return seen;
}

}  // namespace

std::size_t output_node(const model::Graph& graph) {
  const auto found = std::ranges::find(graph.nodes, graph.output, &model::Node::output);
  FFCONV_ASSERT(found != graph.nodes.end());
  return static_cast<std::size_t>(found - graph.nodes.begin());
}

void observe(const std::vector<Probe>& probes, const model::Dataset& images, std::size_t count,
             const Stage& stage,
             const std::function<void(std::size_t image, const Observation& seen)>& consume) {
  FFCONV_ASSERT(count <= images.size());
  for (const Probe& probe : probes) {
    if (images.shape != probe.graph.input_shape()) {
      fail(ErrorCode::kMismatch, "calibration images: expected {}, got {}",
           to_string(probe.graph.input_shape()), to_string(images.shape));
    }
  }
  // A few images a thread: enough to keep all busy, and memory stays small.
  const std::size_t batch = 4 * static_cast<std::size_t>(thread_count());
  std::vector<Observation> seen(batch);
  for (std::size_t first = 0; first < count; first += batch) {
    const std::size_t size = std::min(batch, count - first);
    parallel_for(size, [&](std::size_t k) {
      seen[k].clear();
      const std::vector<double> image = images.image(first + k);
      for (const Probe& probe : probes) {
        seen[k].push_back(run(probe, image));
      }
    });
    for (std::size_t k = 0; k < size; ++k) {
      consume(first + k, seen[k]);
      if (stage.progress) {
        stage.progress(stage.name, first + k + 1, count);
      }
    }
  }
}

}  // namespace ffconv::lowrank
