#include "ffconv/lowrank/ranges.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ffconv/base/error.h"
#include "ffconv/lowrank/observe.h"
#include "ffconv/model/extremes.h"
#include "ffconv/model/polynomial.h"
#include "ffconv/model/ranges.h"

namespace ffconv::lowrank {
namespace {

constexpr double kMargin = 1.25;
constexpr double kLeast = 1e-6;  // what the metadata says is above 0
constexpr double kLargestPixel = 255;

std::vector<std::size_t> linear_nodes(const model::Graph& graph) {
  std::vector<std::size_t> nodes;
  for (std::size_t k = 0; k < graph.nodes.size(); ++k) {
    if (model::is_linear(graph.nodes[k])) {
      nodes.push_back(k);
    }
  }
  return nodes;
}

// Raises `largest`, one a node of the probe, to what was seen.
void raise(std::vector<double>& largest, const Observation& seen, std::size_t probe) {
  for (std::size_t k = 0; k < largest.size(); ++k) {
    largest[k] = std::max(largest[k], model::max_abs(seen[probe][k]));
  }
}

double mean_square(const std::vector<double>& values) {
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.0) /
         static_cast<double>(values.size());
}

// Four digits are plenty.
double four_digits(double value) {
  return std::stod(fmt::format("{:.4g}", std::max(value, kLeast)));
}

bool within(const model::Graph& graph, const std::vector<std::size_t>& nodes,
            const model::NodeRanges& ranges, const std::vector<std::vector<double>>& outputs) {
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    if (model::max_abs(outputs[k]) > ranges.layers.at(graph.nodes[nodes[k]].name).max_abs) {
      return false;
    }
  }
  return true;
}

// By node of the factorized graph: whether its output is no longer the original's.
std::vector<bool> changed_nodes(const model::Graph& original, const model::Graph& factorized) {
  std::set<std::string> kept;
  for (const model::Node& node : original.nodes) {
    kept.insert(node.name);
  }
  std::vector<bool> changed_values(factorized.values.size(), false);
  std::vector<bool> changed;
  for (const model::Node& node : factorized.nodes) {
    const bool is_new = !kept.contains(node.name);
    const bool reads_changed = std::ranges::any_of(
        node.inputs, [&](model::ValueId input) { return changed_values[input]; });
    changed.push_back(is_new || reads_changed);
    changed_values[node.output] = changed.back();
  }
  return changed;
}

}  // namespace

void measure_ranges(const model::Graph& original, model::Graph& factorized,
                    const model::Dataset& images, std::size_t count, const Progress& progress) {
  if (count == 0) {
    fail(ErrorCode::kInvalidArgument, "value ranges need at least one image");
  }
  const std::optional<model::NodeRanges> old = model::node_ranges(original);
  const std::vector<std::size_t> nodes = linear_nodes(factorized);
  std::vector<double> largest(nodes.size(), 0.0), mean_squares(nodes.size(), 0.0);
  double input_mean_square = 0;
  observe({{factorized, nodes}}, images, count, {"ranges", progress},
          [&](std::size_t image, const Observation& seen) {
            raise(largest, seen, 0);
            const double share = 1 / static_cast<double>(count);
            input_mean_square += share * mean_square(images.image(image));
            for (std::size_t k = 0; k < nodes.size(); ++k) {
              mean_squares[k] += share * mean_square(seen[0][k]);
            }
          });

  std::map<model::ValueId, double> old_by_output;
  if (old) {
    const std::vector<std::size_t> old_nodes = linear_nodes(original);
    for (const std::size_t k : old_nodes) {
      old_by_output[original.nodes[k].output] = old->layers.at(original.nodes[k].name).max_abs;
    }
    const model::Dataset extremes = model::extreme_images(original.input_shape());
    observe({{original, old_nodes}, {factorized, nodes}}, extremes, extremes.size(), {"ranges", {}},
            [&](std::size_t, const Observation& seen) {
              if (within(original, old_nodes, *old, seen[0])) {
                raise(largest, seen, 1);
              }
            });
  }

  const std::vector<bool> changed = changed_nodes(original, factorized);
  nlohmann::ordered_json bounds, rms;
  bounds["input"] = old ? old->input.max_abs : kLargestPixel;
  rms["input"] = four_digits(std::sqrt(input_mean_square));
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    const model::Node& node = factorized.nodes[nodes[k]];
    const auto before = old_by_output.find(node.output);
    double bound = four_digits(kMargin * largest[k]);
    if (before != old_by_output.end()) {
      bound = changed[nodes[k]] ? std::max(bound, before->second) : before->second;
    }
    bounds[node.name] = bound;
    rms[node.name] = four_digits(std::sqrt(mean_squares[k]));
  }
  // Names need not be UTF-8.
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  factorized.metadata[model::kRangesKey] = bounds.dump(-1, ' ', false, kReplace);
  factorized.metadata[model::kRmsKey] = rms.dump(-1, ' ', false, kReplace);
}

}  // namespace ffconv::lowrank
