#include "ffconv/lowrank/measure.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "ffconv/base/assert.h"

namespace ffconv::lowrank {
namespace {

std::size_t best_class(const std::vector<double>& scores) {
  return static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
}

// Of differences relative to what they differ from, over many vectors.
struct RelativeError {
  double difference = 0, reference = 0;  // sums of squares

  void add(const std::vector<double>& expected, const std::vector<double>& got) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      difference += (expected[i] - got[i]) * (expected[i] - got[i]);
      reference += expected[i] * expected[i];
    }
  }
  double squared() const { return difference == 0 ? 0 : difference / reference; }
};

// Of each layer, the node of `factorized` that has its output.
std::vector<std::size_t> counterparts(const model::Graph& original, const model::Graph& factorized,
                                      const std::vector<Layer>& layers) {
  std::map<model::ValueId, std::size_t> writers;
  for (std::size_t k = 0; k < factorized.nodes.size(); ++k) {
    writers[factorized.nodes[k].output] = k;
  }
  std::vector<std::size_t> nodes;
  for (const Layer& layer : layers) {
    nodes.push_back(writers.at(original.nodes[layer.node].output));
  }
  return nodes;
}

}  // namespace

std::vector<std::size_t> predictions(const model::Graph& graph, const model::Dataset& images,
                                     std::size_t count, const Stage& stage) {
  std::vector<std::size_t> classes;
  observe({{graph, {output_node(graph)}}}, images, count, stage,
          [&](std::size_t, const Observation& seen) { classes.push_back(best_class(seen[0][0])); });
  return classes;
}

double loss(std::span<const std::size_t> before, std::span<const std::size_t> after,
            std::span<const std::uint8_t> labels) {
  FFCONV_ASSERT(before.size() == after.size() && !before.empty());
  double lost = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (labels.empty()) {
      lost += before[i] != after[i] ? 1 : 0;
    } else {
      lost += (before[i] == labels[i] ? 1 : 0) - (after[i] == labels[i] ? 1 : 0);
    }
  }
  return lost / static_cast<double>(before.size());
}

Measurement measure(const model::Graph& original, const model::Graph& factorized,
                    const std::vector<Layer>& layers, const model::Dataset& images,
                    std::size_t count, const Stage& stage) {
  std::vector<Probe> probes{{original, {}},
                            {factorized, counterparts(original, factorized, layers)}};
  for (const Layer& layer : layers) {
    probes[0].nodes.push_back(layer.node);
  }
  for (Probe& probe : probes) {
    probe.nodes.push_back(output_node(probe.graph));
  }
  std::vector<RelativeError> errors(layers.size() + 1);  // the last are the scores'
  Measurement result;
  observe(probes, images, count, stage, [&](std::size_t, const Observation& seen) {
    for (std::size_t k = 0; k < errors.size(); ++k) {
      errors[k].add(seen[0][k], seen[1][k]);
    }
    result.before.push_back(best_class(seen[0].back()));
    result.after.push_back(best_class(seen[1].back()));
  });
  for (const RelativeError& error : errors) {
    result.output_errors.push_back(std::sqrt(error.squared()));
  }
  result.score_error = result.output_errors.back();
  result.output_errors.pop_back();
  return result;
}

std::vector<double> sensitivities(const model::Graph& graph, const std::vector<Layer>& layers,
                                  const std::vector<Components>& components,
                                  const model::Dataset& images, std::size_t count,
                                  const Progress& progress) {
  constexpr double kEnergy = 0.9;
  std::vector<double> result;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    std::size_t rank = 1;
    while (kept_energy(components[l], rank + 1) < 1 && kept_energy(components[l], rank) < kEnergy) {
      ++rank;
    }
    const double lost = 1 - kept_energy(components[l], rank);
    Ranks ranks(layers.size(), kWhole);
    ranks[l] = rank;
    const model::Graph probe = factorize(graph, layers, components, ranks);
    // Stages of several layers are one task to whoever watches.
    const Progress stage = [&](std::string_view name, std::size_t done, std::size_t) {
      if (progress) {
        progress(name, l * count + done, layers.size() * count);
      }
    };
    const double error =
        measure(graph, probe, {}, images, count, {"sensitivity", stage}).score_error;
    result.push_back(lost > 0 ? error * error / lost : 1.0);
  }
  return result;
}

}  // namespace ffconv::lowrank
