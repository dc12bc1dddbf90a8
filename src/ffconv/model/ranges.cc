#include "ffconv/model/ranges.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include <nlohmann/json.hpp>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/model/polynomial.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

// The metadata's entries: finite, positive numbers by name.
std::map<std::string, double> parse_bounds(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) {
    fail(ErrorCode::kFormat, "metadata {}: expected a JSON object of numbers", kRangesKey);
  }
  std::map<std::string, double> bounds;
  for (const auto& [name, value] : json.items()) {
    const double bound = value.is_number() ? value.get<double>() : std::nan("");
    if (!std::isfinite(bound) || bound <= 0) {
      fail(ErrorCode::kFormat, "metadata {}: {}: expected a finite number above 0, got {}",
           kRangesKey, quote(name), value.type_name());
    }
    bounds[name] = bound;
  }
  return bounds;
}

// Removes and returns the bound under one of the names.
double take_bound(std::map<std::string, double>& bounds, const std::string& name,
                  const std::string& other_name) {
  const bool both = name != other_name && bounds.contains(name) && bounds.contains(other_name);
  const auto found = bounds.contains(name) ? bounds.find(name) : bounds.find(other_name);
  if (found == bounds.end() || both) {
    fail(ErrorCode::kFormat, "metadata {}: {} {}", kRangesKey, quote(name),
         both ? "is there twice, by the node's and by its output's name" : "is missing");
  }
  const double bound = found->second;
  bounds.erase(found);
  return bound;
}

// The largest |output| of a layer whose inputs are at most `bound`.
double largest_output(const Linear& linear, double bound) {
  std::vector<double> largest = linear.bias;
  std::transform(largest.begin(), largest.end(), largest.begin(),
                 [](double b) { return std::abs(b); });
  for_each_weight(linear, [&](std::size_t out, std::size_t, double weight) {
    largest[out] += std::abs(weight) * bound;
  });
  return max_abs(largest);
}

}  // namespace

Ranges calibrate(const Network& network, const Dataset& images, const Progress& progress) {
  if (images.shape != network.input) {
    fail(ErrorCode::kMismatch, "calibration images: expected {}, got {}", to_string(network.input),
         to_string(images.shape));
  }
  if (images.size() == 0) {
    fail(ErrorCode::kInvalidArgument, "calibration needs at least one image");
  }
  Ranges ranges{0, std::vector<double>(network.layers.size(), 0.0)};
  std::mutex mutex;
  std::size_t done = 0;
  parallel_for(images.size(), [&](std::size_t i) {
    Ranges seen;
    std::vector<double> values = images.image(i);
    seen.input_max_abs = max_abs(values);
    for (const Layer& layer : network.layers) {
      values = run_layer(layer, values);
      seen.max_abs.push_back(max_abs(values));
    }
    const std::lock_guard lock(mutex);
    ranges.input_max_abs = std::max(ranges.input_max_abs, seen.input_max_abs);
    for (std::size_t k = 0; k < seen.max_abs.size(); ++k) {
      ranges.max_abs[k] = std::max(ranges.max_abs[k], seen.max_abs[k]);
    }
    if (progress) {
      progress("calibrate", ++done, images.size());
    }
  });
  return ranges;
}

std::optional<NodeRanges> node_ranges(const Graph& graph) {
  const auto entry = graph.metadata.find(kRangesKey);
  if (entry == graph.metadata.end()) {
    return std::nullopt;
  }
  std::map<std::string, double> bounds = parse_bounds(entry->second);
  NodeRanges ranges{take_bound(bounds, "input", "input"), {}};
  for (const Node& node : graph.nodes) {
    if (is_linear(node)) {
      ranges.max_abs[node.name] = take_bound(bounds, node.name, graph.values[node.output].name);
    }
  }
  if (!bounds.empty()) {
    fail(ErrorCode::kFormat, "metadata {}: no linear layer is named {}", kRangesKey,
         quote(bounds.begin()->first));
  }
  return ranges;
}

std::optional<Ranges> ranges_from_metadata(const Graph& graph, const Network& network) {
  const std::optional<NodeRanges> nodes = node_ranges(graph);
  if (!nodes) {
    return std::nullopt;
  }
  Ranges ranges{nodes->input_max_abs, {}};
  double last = ranges.input_max_abs;
  for (const Layer& layer : network.layers) {
    if (const auto* linear = std::get_if<Linear>(&layer)) {
      const Origin& origin = linear->origin;
      last = origin.node.empty() ? largest_output(*linear, last)
                                 : origin.scale * nodes->max_abs.at(origin.node) + origin.shift;
    } else {
      last *= last;
    }
    if (!std::isfinite(last)) {
      fail(ErrorCode::kFormat, "metadata {}: a bound overflows", kRangesKey);
    }
    ranges.max_abs.push_back(last);
  }
  return ranges;
}

void rescale_bound(std::map<std::string, std::string>& metadata, const std::string& node,
                   const std::string& tensor, double scale, double offset) {
  const auto entry = metadata.find(kRangesKey);
  if (entry == metadata.end()) {
    return;
  }
  auto json = nlohmann::json::parse(entry->second, nullptr, false);
  for (const std::string& name : {node, tensor}) {
    if (json.is_object() && json.contains(name) && json[name].is_number()) {
      const double bound = scale * json[name].get<double>() + offset;
      json.erase(name);
      json[node] = bound;
      break;
    }
  }
  if (!json.is_discarded()) {
    // Names need not be UTF-8.
    entry->second = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

}  // namespace ffconv::model
