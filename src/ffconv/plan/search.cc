#include "ffconv/plan/search.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "ffconv/base/assert.h"
#include "ffconv/plan/linear_map.h"

namespace ffconv::plan {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Beyond this many prepared inputs a client's upload outweighs anything.
constexpr std::size_t kMaxOffsetInputs = 64;
// A candidate that needs this many times the products of the best one, and a few more, leads
// nowhere.
constexpr double kWorthwhile = 8;
constexpr double kWorthwhileProducts = 256;
// Layouts without bits are tried for layers of at most this many multiplications, all of which are
// then looked at.
constexpr double kMostWeightsSeen = 1 << 19;
// Links that each candidate keeps at least, and what a rotation costs in products, roughly.
constexpr std::size_t kLinksOfACandidate = 4;
constexpr double kRotationInProducts = 32;
// Flat layouts are also tried over this many ciphertexts of a shorter period.
constexpr std::array<std::size_t, 3> kParts = {1, 2, 4};

// A layout that is there already keeps what either is known to be.
void add(std::vector<Candidate>& candidates, Candidate candidate) {
  const auto known = std::ranges::find(candidates, candidate.layout, &Candidate::layout);
  if (known == candidates.end()) {
    candidates.push_back(std::move(candidate));
    return;
  }
  known->grid = known->grid ? known->grid : candidate.grid;
  known->bits = known->bits ? known->bits : candidate.bits;
}

// Channels of `shape` folded for `outputs` channels of a next layer.
void add_folded(std::vector<Candidate>& candidates, const model::Shape& shape, const Grid& grid,
                std::size_t outputs, std::size_t slot_count) {
  const std::size_t blocks = slot_count / grid.channel;
  for (const std::size_t parts : kParts) {
    const std::size_t period = std::max<std::size_t>(1, power_of_two_at_least(outputs) / parts);
    if (period > blocks) {
      continue;
    }
    const std::size_t folds = blocks / period;
    const std::size_t run = power_of_two_at_least((shape.channels() + folds - 1) / folds);
    if (run <= period) {
      add(candidates, {folded_layout(shape, grid, period, run, slot_count), {}, {}});
    }
  }
}

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

// log2 of a layer's strides over rows and columns, rounded up.
std::array<int, 2> stride_bits(const model::Linear* linear) {
  const model::Convolution* conv = linear != nullptr ? linear->convolution() : nullptr;
  if (conv == nullptr) {
    return {0, 0};
  }
  const auto bits = [](std::size_t stride) { return std::countr_zero(std::bit_ceil(stride)); };
  return {bits(conv->geometry.strides[0]), bits(conv->geometry.strides[1])};
}

// The phases of a tensor that `next` reads, and `second` the output of `next`: of the strides of
// none, of `next` in one or both directions, of both.
std::vector<std::array<int, 2>> phases(const model::Linear* next, const model::Linear* second) {
  const auto [rows, columns] = stride_bits(next);
  const auto [more_rows, more_columns] = stride_bits(second);
  return {
      {0, 0}, {rows, 0}, {0, columns}, {rows, columns}, {rows + more_rows, columns + more_columns}};
}

// Every place of an output element needs all of its taps, and a product gives each slot one of
// them.
double least_products(const model::Linear& linear, const Layout& out, std::size_t slot_count) {
  double places = 0;
  for (const SlotLabels& labels : out.ciphertexts) {
    places += static_cast<double>(std::ranges::count_if(
        labels.elements, [](std::int32_t e) { return e != SlotLabels::kEmpty; }));
  }
  return places * static_cast<double>(tap_count(linear)) / static_cast<double>(slot_count);
}

const model::Linear* next_linear(const model::Network& network, std::size_t layer) {
  for (std::size_t k = layer; k < network.layers.size(); ++k) {
    if (const auto* linear = std::get_if<model::Linear>(&network.layers[k])) {
      return linear;
    }
  }
  return nullptr;
}

// The linear layer that reads the output of `linear`, if in the same shape.
const model::Linear* following(const model::Network& network, const model::Linear* linear) {
  bool found = false;
  for (const model::Layer& layer : network.layers) {
    if (const auto* other = std::get_if<model::Linear>(&layer)) {
      if (found) {
        return other->in == linear->out ? other : nullptr;
      }
      found = other == linear;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<Candidate> candidates(const model::Shape& shape, const model::Linear* next,
                                  std::size_t slot_count) {
  std::vector<Candidate> result;
  const Grid blocked = blocked_grid(shape), flat = flat_grid(shape);
  add(result, {grid_layout(shape, blocked, slot_count), blocked, {}});
  const std::size_t full = std::min(slot_count, power_of_two_at_least(shape.size()));
  for (const std::size_t parts : kParts) {
    if (full >= parts) {
      add(result, {grid_layout(shape, flat, full / parts), flat, {}});
    }
  }
  if (next == nullptr) {
    return result;
  }
  if (next->convolution() != nullptr && next->in == shape && blocked.channel <= slot_count) {
    add_folded(result, shape, blocked, next->out.channels(), slot_count);
  } else if (shape.size() <= slot_count) {
    add_folded(result, {{shape.size()}}, {1, 1, 1}, next->out.size(), slot_count);
  }
  return result;
}

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
  const double us =
      plan_linear(edge.options, edge.fold, edge.outputs, lowering, level).predicted_us;
  return square_follows(lowering, layer)
             ? us + static_cast<double>(edge.outputs) * square_us(lowering, level - 1)
             : us;
}

ChainPrice::ChainPrice(const model::Network& network, const std::vector<Layout>& layouts) {
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
  double us = 0;
  for (const auto& [layer, edge] : edges_) {
    us += edge_us(lowering, layer, edge);
  }
  return us;
}

LayoutSearch::LayoutSearch(const model::Network& network, std::size_t slot_count)
    : network_(network), slot_count_(slot_count) {
  int max_gap = 0;
  inputs_ = candidates(network.input, next_linear(network, 0), slot_count);
  add_bit_layouts(network.input, 0, max_gap, inputs_);
  stages_.reserve(network.layers.size());  // `in` points into it
  const std::vector<Candidate>* in = &inputs_;
  model::Shape shape = network.input;
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const auto* linear = std::get_if<model::Linear>(&network.layers[k]);
    if (linear == nullptr) {
      continue;
    }
    Stage stage{k, candidates(linear->out, next_linear(network, k + 1), slot_count), {}};
    for (const Candidate& source : *in) {
      const auto grid =
          source.grid && linear->in == shape ? strided_grid(*linear, *source.grid) : std::nullopt;
      if (grid) {
        add(stage.out, {grid_layout(linear->out, *grid, slot_count), grid, {}});
      }
    }
    max_gap += std::ranges::min(stride_bits(linear));
    add_bit_layouts(linear->out, k + 1, max_gap, stage.out);
    add_links(*linear, *in, stage);
    shape = linear->out;
    stages_.push_back(std::move(stage));
    in = &stages_.back().out;
  }
  add_offset_inputs();
}

void LayoutSearch::add_bit_layouts(const model::Shape& shape, std::size_t next_layer, int max_gap,
                                   std::vector<Candidate>& candidates) const {
  if (shape.rank() != 3) {
    return;
  }
  const model::Linear* next = next_linear(network_, next_layer);
  const model::Linear* second = nullptr;
  if (next != nullptr && next->in == shape) {
    second = following(network_, next);
  } else {
    next = nullptr;
  }
  for (const BitLayout& bits : bit_layouts(shape, {slot_count_, phases(next, second), max_gap})) {
    add(candidates, {make_layout(shape, bits), {}, bits});
  }
}

void LayoutSearch::add_links(const model::Linear& linear, const std::vector<Candidate>& in,
                             Stage& stage) {
  const auto products = [&](const Candidate& out) {
    return least_products(linear, out.layout, slot_count_);
  };
  const double least = products(*std::ranges::min_element(stage.out, {}, products));
  std::erase_if(stage.out, [&](const Candidate& out) {
    return products(out) > kWorthwhile * least + kWorthwhileProducts;
  });
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
      shape.plain_terms = static_cast<int>(products);
      const Split split{out.period(), 0, 1, 1};
      offsets_.push_back({to, products, {{{split, shape}}, copies, out.ciphertexts.size()}});
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
