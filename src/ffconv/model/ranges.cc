#include "ffconv/model/ranges.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numeric>

#include <nlohmann/json.hpp>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/model/polynomial.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

// Outputs of layers are taken at this part of their bound where nothing else is known.
constexpr double kUsualPart = 0.25;

using Numbers = std::map<std::string, double>;

// A metadata entry's numbers: the input's, and by nodes' names.
struct NodeNumbers {
  double input = 0;
  Numbers nodes;
};

// A metadata entry's numbers, finite and positive, by name.
Numbers parse_numbers(const char* key, const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) {
    fail(ErrorCode::kFormat, "metadata {}: expected a JSON object of numbers", key);
  }
  Numbers numbers;
  for (const auto& [name, value] : json.items()) {
    const double number = value.is_number() ? value.get<double>() : std::nan("");
    if (!std::isfinite(number) || number <= 0) {
      fail(ErrorCode::kFormat, "metadata {}: {}: expected a finite number above 0, got {}", key,
           quote(name), value.type_name());
    }
    numbers[name] = number;
  }
  return numbers;
}

// Removes and returns the number under one of the names.
double take(const char* key, Numbers& numbers, const std::string& name,
            const std::string& other_name) {
  const bool both = name != other_name && numbers.contains(name) && numbers.contains(other_name);
  const auto found = numbers.contains(name) ? numbers.find(name) : numbers.find(other_name);
  if (found == numbers.end() || both) {
    fail(ErrorCode::kFormat, "metadata {}: {} {}", key, quote(name),
         both ? "is there twice, by the node's and by its output's name" : "is missing");
  }
  const double number = found->second;
  numbers.erase(found);
  return number;
}

// nullopt without the key.
std::optional<NodeNumbers> node_numbers(const Graph& graph, const char* key) {
  const auto entry = graph.metadata.find(key);
  if (entry == graph.metadata.end()) {
    return std::nullopt;
  }
  Numbers numbers = parse_numbers(key, entry->second);
  NodeNumbers result{take(key, numbers, "input", "input"), {}};
  for (const Node& node : graph.nodes) {
    if (is_linear(node)) {
      result.nodes[node.name] = take(key, numbers, node.name, graph.values[node.output].name);
    }
  }
  if (!numbers.empty()) {
    fail(ErrorCode::kFormat, "metadata {}: no linear layer is named {}", key,
         quote(numbers.begin()->first));
  }
  return result;
}

// Of the outputs of a layer whose inputs have this range: exactly that for the bound. The inputs'
// root mean square is taken as that of every one, independent of the others.
Range output_range(const Linear& linear, const Range& input) {
  std::vector<double> largest = linear.bias;
  double squares = 0;
  for (double& bias : largest) {
    squares += bias * bias;
    bias = std::abs(bias);
  }
  for_each_weight(linear, [&](std::size_t out, std::size_t, double weight) {
    largest[out] += std::abs(weight) * input.max_abs;
    squares += weight * weight * input.rms * input.rms;
  });
  return {max_abs(largest), std::sqrt(squares / static_cast<double>(largest.size()))};
}

Range range_of(const std::vector<double>& values) {
  const double squares = std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
  return {max_abs(values), std::sqrt(squares / static_cast<double>(values.size()))};
}

}  // namespace

Range squared(const Range& range) {
  constexpr double kFourthMoment = 3;  // of a Gaussian of variance 1
  return {range.max_abs * range.max_abs, std::sqrt(kFourthMoment) * range.rms * range.rms};
}

Ranges calibrate(const Network& network, const Dataset& images, const Progress& progress) {
  if (images.shape != network.input) {
    fail(ErrorCode::kMismatch, "calibration images: expected {}, got {}", to_string(network.input),
         to_string(images.shape));
  }
  if (images.size() == 0) {
    fail(ErrorCode::kInvalidArgument, "calibration needs at least one image");
  }
  // By image, so that sums do not depend on which one is finished first.
  std::vector<std::vector<Range>> seen(images.size());  // the input's, then every layer's
  std::mutex mutex;
  std::size_t done = 0;
  parallel_for(images.size(), [&](std::size_t i) {
    const std::vector<double> image = images.image(i);
    seen[i].push_back(range_of(image));
    run_layers(network, image, [&](std::size_t, const std::vector<double>& values) {
      seen[i].push_back(range_of(values));
    });
    if (progress) {
      const std::lock_guard lock(mutex);
      progress("calibrate", ++done, images.size());
    }
  });
  const auto united = [&](std::size_t place) {
    Range range;
    double mean_square = 0;
    for (const std::vector<Range>& image : seen) {
      range.max_abs = std::max(range.max_abs, image[place].max_abs);
      mean_square += image[place].rms * image[place].rms / static_cast<double>(seen.size());
    }
    range.rms = std::sqrt(mean_square);
    return range;
  };
  Ranges ranges{united(0), {}};
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    ranges.layers.push_back(united(1 + k));
  }
  return ranges;
}

std::optional<NodeRanges> node_ranges(const Graph& graph) {
  const std::optional<NodeNumbers> bounds = node_numbers(graph, kRangesKey);
  const std::optional<NodeNumbers> rms = node_numbers(graph, kRmsKey);
  if (!bounds) {
    return std::nullopt;
  }
  NodeRanges ranges{{bounds->input, rms ? rms->input : bounds->input}, {}};
  for (const auto& [name, bound] : bounds->nodes) {
    ranges.layers[name] = {bound, rms ? rms->nodes.at(name) : kUsualPart * bound};
  }
  return ranges;
}

std::optional<Ranges> ranges_from_metadata(const Graph& graph, const Network& network) {
  const std::optional<NodeRanges> nodes = node_ranges(graph);
  if (!nodes) {
    return std::nullopt;
  }
  Ranges ranges{nodes->input, {}};
  const auto tensor = [&](std::size_t number) -> const Range& {
    return number == 0 ? ranges.input : ranges.layers[number - 1];
  };
  const auto range_after = [&](const Linear& linear, const Range& in) {
    const Origin& origin = linear.origin;
    if (origin.node.empty()) {
      return output_range(linear, in);
    }
    const Range& node = nodes->layers.at(origin.node);
    return Range{origin.scale * node.max_abs + origin.shift,
                 origin.scale * node.rms + origin.shift};
  };
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const auto* linear = std::get_if<Linear>(&network.layers[k]);
    Range last = linear != nullptr ? range_after(*linear, tensor(k)) : squared(tensor(k));
    for (const Shortcut& shortcut : shortcuts_to(network, k)) {
      const Range other = range_after(shortcut.map, tensor(shortcut.from));
      last = {last.max_abs + other.max_abs, std::hypot(last.rms, other.rms)};
    }
    if (!std::isfinite(last.max_abs) || !std::isfinite(last.rms)) {
      fail(ErrorCode::kFormat, "metadata {}: a bound overflows", kRangesKey);
    }
    ranges.layers.push_back(last);
  }
  return ranges;
}

void rescale_range(std::map<std::string, std::string>& metadata, const std::string& node,
                   const std::string& tensor, double scale, double offset) {
  for (const char* key : {kRangesKey, kRmsKey}) {
    const auto entry = metadata.find(key);
    if (entry == metadata.end()) {
      continue;
    }
    auto json = nlohmann::json::parse(entry->second, nullptr, false);
    for (const std::string& name : {node, tensor}) {
      if (json.is_object() && json.contains(name) && json[name].is_number()) {
        const double number = scale * json[name].get<double>() + offset;
        json.erase(name);
        json[node] = number;
        break;
      }
    }
    if (!json.is_discarded()) {
      // Names need not be UTF-8.
      entry->second = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
  }
}

}  // namespace ffconv::model
