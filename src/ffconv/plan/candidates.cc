#include "ffconv/plan/candidates.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace ffconv::plan {
namespace {

// A candidate that needs this many times the products of the best one, and a few more, leads
// nowhere.
constexpr double kWorthwhile = 8;
constexpr double kWorthwhileProducts = 256;
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

// Those that do not depend on the layouts before.
std::vector<Candidate> grid_candidates(const model::Shape& shape, const model::Linear* next,
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

// `next` and `second` are the layers that read the tensor and the output of `next`, if there are
// such.
void add_bit_layouts(std::vector<Candidate>& candidates, const model::Shape& shape,
                     const model::Linear* next, const model::Linear* second, int max_gap,
                     std::size_t slot_count) {
  if (shape.rank() != 3) {
    return;
  }
  if (next != nullptr && next->in != shape) {
    next = nullptr;  // it reads another shape: rows and columns mean nothing to it
  }
  if (next == nullptr || (second != nullptr && second->in != next->out)) {
    second = nullptr;
  }
  for (const BitLayout& bits : bit_layouts(shape, {slot_count, phases(next, second), max_gap})) {
    add(candidates, {make_layout(shape, bits), {}, bits});
  }
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

void drop_hopeless(std::vector<Candidate>& candidates, const model::Linear& linear,
                   std::size_t slot_count) {
  const auto products = [&](const Candidate& out) {
    return least_products(linear, out.layout, slot_count);
  };
  const double least = products(*std::ranges::min_element(candidates, {}, products));
  std::erase_if(candidates, [&](const Candidate& out) {
    return products(out) > kWorthwhile * least + kWorthwhileProducts;
  });
}

}  // namespace

std::vector<std::vector<Candidate>> tensor_candidates(const model::Network& network,
                                                      std::size_t slot_count) {
  const std::vector<const model::Linear*> linears = model::linear_layers(network);
  const auto layer = [&](std::size_t k) { return k < linears.size() ? linears[k] : nullptr; };
  int max_gap = 0;
  std::vector<std::vector<Candidate>> result{grid_candidates(network.input, layer(0), slot_count)};
  add_bit_layouts(result[0], network.input, layer(0), layer(1), max_gap, slot_count);
  model::Shape shape = network.input;
  for (std::size_t k = 0; k < linears.size(); ++k) {
    const model::Linear& linear = *linears[k];
    auto candidates = grid_candidates(linear.out, layer(k + 1), slot_count);
    for (const Candidate& source : result.back()) {
      const auto grid =
          source.grid && linear.in == shape ? strided_grid(linear, *source.grid) : std::nullopt;
      if (grid) {
        add(candidates, {grid_layout(linear.out, *grid, slot_count), grid, {}});
      }
    }
    max_gap += std::ranges::min(stride_bits(&linear));
    add_bit_layouts(candidates, linear.out, layer(k + 1), layer(k + 2), max_gap, slot_count);
    drop_hopeless(candidates, linear, slot_count);
    shape = linear.out;
    result.push_back(std::move(candidates));
  }
  return result;
}

}  // namespace ffconv::plan
