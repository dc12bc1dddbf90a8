#include "rank_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "ffconv/base/error.h"
#include "terminal.h"

namespace ffconv::cli {
namespace {

std::optional<double> plain_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(value) && value >= 0 ? std::optional(value) : std::nullopt;
}

bool is_part(std::string_view text) {
  return text.ends_with('%') || text.find_first_of("/.") != std::string_view::npos;
}

std::string names_of(const std::vector<lowrank::Layer>& layers) {
  std::string names;
  for (const lowrank::Layer& layer : layers) {
    names += (names.empty() ? "" : ", ") + printable(layer.name);
  }
  return names;
}

std::size_t find_layer(const std::vector<lowrank::Layer>& layers, std::string_view name) {
  const auto found = std::ranges::find(layers, name, &lowrank::Layer::name);
  if (found == layers.end()) {
    fail(ErrorCode::kInvalidArgument, "no layer '{}' to factorize; there are {}", printable(name),
         names_of(layers));
  }
  return static_cast<std::size_t>(found - layers.begin());
}

// A rank of `layer` from "32", "1/2", "0.5" or "50%".
std::size_t parse_rank(std::string_view text, const lowrank::Layer& layer) {
  const double value = parse_number(text, "--rank");
  const auto full = static_cast<double>(layer.full_rank());
  const double rank = is_part(text) ? std::max(1.0, std::round(value * full)) : value;
  if (rank != std::floor(rank) || rank < 1 || rank > full || (is_part(text) && value == 0)) {
    fail(ErrorCode::kInvalidArgument, "--rank: {}: expected 1 to {}, or a part of that, got {}",
         printable(layer.name), layer.full_rank(), printable(text));
  }
  return static_cast<std::size_t>(rank);
}

}  // namespace

double parse_number(std::string_view text, std::string_view option) {
  std::optional<double> value;
  if (text.ends_with('%')) {
    value = plain_number(text.substr(0, text.size() - 1));
    value = value ? std::optional(*value / 100) : value;
  } else if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const auto above = plain_number(text.substr(0, slash));
    const auto below = plain_number(text.substr(slash + 1));
    value = above && below && *below > 0 ? std::optional(*above / *below) : std::nullopt;
  } else {
    value = plain_number(text);
  }
  if (!value) {
    fail(ErrorCode::kInvalidArgument, "{}: expected a number, as 0.5, 50% or 1/2, got '{}'", option,
         printable(text));
  }
  return *value;
}

lowrank::Ranks parse_ranks(const std::vector<std::string>& items,
                           const std::vector<lowrank::Layer>& layers) {
  lowrank::Ranks ranks(layers.size(), lowrank::kWhole);
  for (const std::string& item : items) {
    if (item.find('=') == std::string::npos) {
      if (!is_part(item)) {
        fail(ErrorCode::kInvalidArgument,
             "--rank: {}: expected a part of all layers' ranks, as 1/2, or LAYER=RANK",
             printable(item));
      }
      std::ranges::transform(layers, ranks.begin(),
                             [&](const lowrank::Layer& layer) { return parse_rank(item, layer); });
    }
  }
  for (const std::string& item : items) {
    // Names of nodes may hold the sign too.
    if (const std::size_t sign = item.rfind('='); sign != std::string::npos) {
      const std::size_t layer = find_layer(layers, std::string_view(item).substr(0, sign));
      ranks[layer] = parse_rank(std::string_view(item).substr(sign + 1), layers[layer]);
    }
  }
  return ranks;
}

std::vector<lowrank::Layer> without(std::vector<lowrank::Layer> layers,
                                    const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    layers.erase(layers.begin() + static_cast<std::ptrdiff_t>(find_layer(layers, name)));
  }
  return layers;
}

}  // namespace ffconv::cli
