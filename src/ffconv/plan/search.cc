#include "ffconv/plan/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "ffconv/base/assert.h"
#include "ffconv/plan/linear_map.h"

namespace ffconv::plan {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Beyond this many prepared inputs a client's upload outweighs anything.
constexpr std::size_t kMaxOffsetInputs = 64;
// Layouts without bits are tried for layers of at most this many multiplications, all of which are
// then looked at.
constexpr double kMostWeightsSeen = 1 << 19;
// Links that each candidate keeps at least, and what a rotation costs in products, roughly.
constexpr std::size_t kLinksOfACandidate = 4;
constexpr double kRotationInProducts = 32;
// A layer between two candidates, by the number of its diagonals.
struct Trial {
  std::size_t from, to, diagonals;
  std::size_t outputs;  // ciphertexts

  // About what it will cost, in products: balanced baby and giant steps, squares and folds.
  double estimate() const {
    const auto terms = static_cast<double>(diagonals);
    return terms + kRotationInProducts * (std::sqrt(terms) + 2 * static_cast<double>(outputs));
  }
};

// Those that are among the cheapest of their input's or of their output's candidate.
std::vector<Trial> most_promising(std::vector<Trial> trials) {
  std::ranges::stable_sort(trials, {}, &Trial::estimate);
  std::map<std::size_t, std::size_t> of_input, of_output;
  std::erase_if(trials, [&](const Trial& trial) {
    const std::size_t of_from = of_input[trial.from]++, of_to = of_output[trial.to]++;
    return std::min(of_from, of_to) >= kLinksOfACandidate;
  });
  return trials;
}

}  // namespace

Edge make_edge(std::span<const Diagonal> diagonals, const Layout& in, const Layout& out) {
  const auto [shorter, longer] = std::minmax({in.period(), out.period()});
  return {split_options(diagonals, shorter), longer / out.period(), out.ciphertexts.size()};
}

namespace {

bool square_follows(const Lowering& lowering, std::size_t layer) {
  const auto& layers = lowering.network.layers;
  return layer + 1 < layers.size() && std::holds_alternative<model::Square>(layers[layer + 1]);
}

int input_level(const Lowering& lowering, std::size_t layer) {
  return static_cast<int>(lowering.network.layers.size() - layer);
}

}  // namespace

double edge_us(const Lowering& lowering, std::size_t layer, const Edge& edge) {
  const int level = input_level(lowering, layer);
  const double us = plan_linear(edge.options, edge.fold, edge.outputs, lowering, level).us;
  return square_follows(lowering, layer)
             ? us + static_cast<double>(edge.outputs) * square_us(lowering, level - 1)
             : us;
}

ShortcutPrice::ShortcutPrice(const model::Network& network, const std::vector<Layout>& layouts) {
  // A square keeps the layout: tensor t has that of the linear layers up to it.
  std::vector<std::size_t> layout_of{0};
  for (const model::Layer& layer : network.layers) {
    const bool linear = std::holds_alternative<model::Linear>(layer);
    layout_of.push_back(layout_of.back() + (linear ? 1 : 0));
  }
  for (const model::Shortcut& shortcut : network.shortcuts) {
    const Layout& in = layouts[layout_of[shortcut.from]];
    const Layout& out = layouts[layout_of[shortcut.to + 1]];
    maps_.push_back({shortcut.from, shortcut.to, in.ciphertexts.size(),
                     make_edge(LinearMap(shortcut.map, in, out).diagonals(), in, out)});
  }
}

double ShortcutPrice::us(const Lowering& lowering) const {
  double us = 0;
  for (const Map& map : maps_) {
    const int level = input_level(lowering, map.to);
    us += static_cast<double>(map.inputs) *
              descend_us(lowering, input_level(lowering, map.from), level) +
          plan_linear(map.edge.options, map.edge.fold, map.edge.outputs, lowering, level).us;
  }
  return us;
}

ChainPrice::ChainPrice(const model::Network& network, const std::vector<Layout>& layouts)
    : shortcuts_(network, layouts) {
  std::size_t next = 1;
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    if (const auto* linear = std::get_if<model::Linear>(&network.layers[k])) {
      const LinearMap map(*linear, layouts[next - 1], layouts[next]);
      edges_.emplace_back(k, make_edge(map.diagonals(), layouts[next - 1], layouts[next]));
      ++next;
    }
  }
}

double ChainPrice::us(const Lowering& lowering) const {
  double us = shortcuts_.us(lowering);
  for (const auto& [layer, edge] : edges_) {
    us += edge_us(lowering, layer, edge);
  }
  return us;
}

LayoutSearch::LayoutSearch(const model::Network& network, std::size_t slot_count,
                           const Progress& progress)
    : network_(network), slot_count_(slot_count) {
  auto candidates = tensor_candidates(network, slot_count);
  inputs_ = std::move(candidates.front());
  stages_.reserve(candidates.size() - 1);  // `in` points into it
  const std::vector<Candidate>* in = &inputs_;
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    if (const auto* linear = std::get_if<model::Linear>(&network.layers[k])) {
      stages_.push_back({k, std::move(candidates[stages_.size() + 1]), {}});
      add_links(*linear, *in, stages_.back());
      if (progress) {
        progress(fmt::format("layouts, {} slots", slot_count), stages_.size(),
                 candidates.size() - 1);
      }
      in = &stages_.back().out;
    }
  }
  add_offset_inputs();
}

void LayoutSearch::add_links(const model::Linear& linear, const std::vector<Candidate>& in,
                             Stage& stage) {
  const bool small = static_cast<double>(linear.out.size() * tap_count(linear)) <= kMostWeightsSeen;
  std::optional<ConvolutionDiagonals> convolution;
  if (linear.convolution() != nullptr) {
    convolution.emplace(linear);
  }
  const auto by_bits = [&](const Candidate& source, const Candidate& target) {
    return convolution && source.bits && target.bits;
  };
  std::vector<Trial> trials;
  for (std::size_t to = 0; to < stage.out.size(); ++to) {
    for (std::size_t from = 0; from < in.size(); ++from) {
      const Candidate &source = in[from], &target = stage.out[to];
      if (by_bits(source, target) || small) {
        const std::size_t count =
            by_bits(source, target)
                ? convolution->count(*source.bits, *target.bits)
                : LinearMap(linear, source.layout, target.layout).diagonals().size();
        trials.push_back({from, to, count, target.layout.ciphertexts.size()});
      }
    }
  }
  for (const Trial& trial : most_promising(std::move(trials))) {
    const Candidate &source = in[trial.from], &target = stage.out[trial.to];
    const auto diagonals = by_bits(source, target)
                               ? convolution->find(*source.bits, *target.bits)
                               : LinearMap(linear, source.layout, target.layout).diagonals();
    stage.links.push_back(
        {trial.from, trial.to, make_edge(diagonals, source.layout, target.layout)});
  }
}

void LayoutSearch::add_offset_inputs() {
  const auto& linear = std::get<model::Linear>(network_.layers[0]);
  const Stage& stage = stages_[0];
  for (std::size_t to = 0; to < stage.out.size(); ++to) {
    const Layout& out = stage.out[to].layout;
    const std::size_t copies = slot_count_ / out.period();
    const std::size_t products =
        out.ciphertexts.size() * ((tap_count(linear) + copies - 1) / copies);
    if (products <= kMaxOffsetInputs) {
      LinearShape shape;
      shape.unrotated_inputs = shape.plain_terms = static_cast<int>(products);
      const Split split{out.period(), 0, 1, 1};
      offsets_.push_back({to, products, {{{split, shape, 0}}, copies, out.ciphertexts.size()}});
    }
  }
}

std::optional<LayoutSearch::Path> LayoutSearch::best(const Lowering& lowering,
                                                     double upload_us) const {
  struct Node {
    double us = kInfinity;
    std::size_t from = 0;  // in the first stage, from inputs_.size() on: offsets_
    const Edge* edge = nullptr;
  };
  const auto improve = [&](Node& node, double before, std::size_t from, std::size_t layer,
                           const Edge& edge) {
    const double us = before + edge_us(lowering, layer, edge);
    if (us < node.us) {
      node = {us, from, &edge};
    }
  };
  std::vector<std::vector<Node>> nodes{std::vector<Node>(inputs_.size())};
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    nodes[0][i].us = upload_us * static_cast<double>(inputs_[i].layout.ciphertexts.size());
  }
  for (const Stage& stage : stages_) {
    std::vector<Node> reached(stage.out.size());
    for (const Link& link : stage.links) {
      if (const double before = nodes.back()[link.from].us; before < kInfinity) {
        improve(reached[link.to], before, link.from, stage.layer, link.edge);
      }
    }
    for (std::size_t i = 0; nodes.size() == 1 && i < offsets_.size(); ++i) {
      const double upload = upload_us * static_cast<double>(offsets_[i].ciphertexts);
      improve(reached[offsets_[i].to], upload, inputs_.size() + i, 0, offsets_[i].edge);
    }
    nodes.push_back(std::move(reached));
  }
  const auto last = std::ranges::min_element(nodes.back(), {}, &Node::us);
  if (last->us == kInfinity) {
    return std::nullopt;
  }
  auto at = static_cast<std::size_t>(last - nodes.back().begin());
  Path path{last->us, std::vector<Layout>(nodes.size())};
  for (std::size_t k = nodes.size() - 1; k > 0; --k) {
    const Stage& stage = stages_[k - 1];
    path.layouts[k] = stage.out[at].layout;
    at = nodes[k][at].from;
  }
  path.layouts[0] = at < inputs_.size() ? inputs_[at].layout
                                        : offset_layout(std::get<model::Linear>(network_.layers[0]),
                                                        path.layouts[1], slot_count_);
  return path;
}

}  // namespace ffconv::plan
