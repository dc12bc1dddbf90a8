#include "ffconv/plan/bit_layout.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <set>

#include <fmt/format.h>

#include "ffconv/base/assert.h"

namespace ffconv::plan {
namespace {

constexpr std::array<char, 3> kAxisNames = {'c', 'y', 'x'};
// A tensor is also tried in this many times the ciphertexts that it needs, as a power of two.
constexpr int kMostExtraBits = 2;

std::array<std::size_t, 3> extents(const model::Shape& shape) {
  return {shape.channels(), shape.height(), shape.width()};
}

int bit_count(std::size_t extent) {
  return std::countr_zero(std::bit_ceil(extent));
}

// S of one axis at `position`.
std::size_t address(const std::vector<int>& bits, std::size_t position) {
  std::size_t result = 0;
  for (std::size_t k = 0; k < bits.size(); ++k) {
    result |= (position >> k & 1) << bits[k];
  }
  return result;
}

// Numbers of the ciphertexts that hold an element, in ascending order, by their address.
class Ciphertexts {
 public:
  Ciphertexts(const model::Shape& shape, const BitLayout& layout) {
    std::vector<std::size_t> found = {0};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      std::set<std::size_t> next;
      for (std::size_t i = 0; i < extents(shape)[axis]; ++i) {
        for (const std::size_t other : found) {
          next.insert(other | address(layout.bits[axis], i) >> layout.log_period);
        }
      }
      found.assign(next.begin(), next.end());
    }
    addresses_ = std::move(found);
  }
  std::size_t count() const { return addresses_.size(); }
  std::size_t number(std::size_t address) const {
    const auto at = std::ranges::lower_bound(addresses_, address);
    FFCONV_ASSERT(at != addresses_.end() && *at == address);
    return static_cast<std::size_t>(at - addresses_.begin());
  }

 private:
  std::vector<std::size_t> addresses_;
};

// Assigns address bits from the highest down.
class Assigner {
 public:
  Assigner(const model::Shape& shape, int total_bits) : next_(total_bits) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      layout_.bits[axis].assign(static_cast<std::size_t>(bit_count(extents(shape)[axis])), -1);
    }
  }
  // The next lower address bits go to bits first, first - 1, .., last of the axis.
  void put(std::size_t axis, int first, int last) {
    for (int k = first; k >= last; --k) {
      layout_.bits[axis][static_cast<std::size_t>(k)] = --next_;
    }
  }
  BitLayout finish(int log_period) {
    FFCONV_ASSERT(next_ == 0);
    layout_.log_period = log_period;
    return layout_;
  }

 private:
  BitLayout layout_;
  int next_;
};

}  // namespace

int BitLayout::log_size() const {
  return static_cast<int>(bits[0].size() + bits[1].size() + bits[2].size());
}

std::string to_string(const BitLayout& layout) {
  const int total = layout.log_size();
  std::vector<std::string> names(static_cast<std::size_t>(total));
  for (std::size_t axis = 0; axis < 3; ++axis) {
    for (std::size_t k = 0; k < layout.bits[axis].size(); ++k) {
      names[static_cast<std::size_t>(layout.bits[axis][k])] =
          fmt::format("{}{}", kAxisNames[axis], k);
    }
  }
  std::string text;
  for (int bit = total - 1; bit >= 0; --bit) {
    const std::string& name = names[static_cast<std::size_t>(bit)];
    text += bit >= layout.log_period ? fmt::format("{{{}}} ", name) : name + " ";
  }
  if (!text.empty()) {
    text.pop_back();
  }
  return text;
}

Layout make_layout(const model::Shape& shape, const BitLayout& layout) {
  const Ciphertexts ciphertexts(shape, layout);
  const std::size_t period = std::size_t{1} << layout.log_period;
  Layout result{to_string(layout), {}};
  result.ciphertexts.assign(ciphertexts.count(),
                            {std::vector<std::int32_t>(period, SlotLabels::kEmpty)});
  std::int32_t element = 0;
  for (std::size_t c = 0; c < shape.channels(); ++c) {
    for (std::size_t y = 0; y < shape.height(); ++y) {
      for (std::size_t x = 0; x < shape.width(); ++x) {
        const std::size_t at =
            address(layout.bits[0], c) | address(layout.bits[1], y) | address(layout.bits[2], x);
        result.ciphertexts[ciphertexts.number(at >> layout.log_period)].elements[at % period] =
            element++;
      }
    }
  }
  return result;
}

std::vector<BitLayout> bit_layouts(const model::Shape& shape, const BitLayoutOptions& options) {
  const auto extent = extents(shape);
  const int channels = bit_count(extent[0]), rows = bit_count(extent[1]),
            columns = bit_count(extent[2]);
  const int total = channels + rows + columns;
  const int log_slots = bit_count(options.slot_count);
  std::vector<BitLayout> result;
  const auto add = [&](int row_phases, int column_phases, int gap, bool phases_first) {
    Assigner assign(shape, total);
    if (!phases_first) {
      assign.put(0, channels - 1, 2 * gap);
    }
    assign.put(1, row_phases - 1, 0);
    assign.put(2, column_phases - 1, 0);
    if (phases_first) {
      assign.put(0, channels - 1, 2 * gap);
    }
    assign.put(1, rows - 1, row_phases);
    assign.put(0, 2 * gap - 1, gap);
    assign.put(2, columns - 1, column_phases);
    assign.put(0, gap - 1, 0);
    const int longest = std::min(total, log_slots);
    for (int extra = 0; extra <= std::min(kMostExtraBits, longest); ++extra) {
      const BitLayout layout = assign.finish(longest - extra);
      if (std::ranges::find(result, layout) == result.end()) {
        result.push_back(layout);
      }
    }
  };
  for (int gap = 0; gap <= options.max_gap && 2 * gap <= channels; ++gap) {
    for (const auto& [row_phases, column_phases] : options.phases) {
      for (const bool phases_first : {true, false}) {
        add(std::min(rows, row_phases), std::min(columns, column_phases), gap, phases_first);
      }
    }
  }
  return result;
}

void NumberSet::clear(std::size_t limit) {
  for (const std::size_t number : members_) {
    known_[number] = false;
  }
  members_.clear();
  known_.resize(std::max(known_.size(), limit), false);
}

bool NumberSet::insert(std::size_t number) {
  const bool is_new = !known_[number];
  if (is_new) {
    known_[number] = true;
    members_.push_back(number);
  }
  return is_new;
}

ConvolutionDiagonals::ConvolutionDiagonals(const model::Linear& linear) : linear_(linear) {
  FFCONV_ASSERT(linear.convolution() != nullptr);
}

template <typename F>
void ConvolutionDiagonals::for_each_pair(std::size_t axis, F&& f) const {
  const model::ConvGeometry& geometry = linear_.convolution()->geometry;
  const std::size_t from = extents(linear_.in)[axis], to = extents(linear_.out)[axis];
  if (axis == 0) {
    const std::size_t inputs = from / geometry.groups, outputs = to / geometry.groups;
    for (std::size_t o = 0; o < to; ++o) {
      for (std::size_t i = 0; i < inputs; ++i) {
        f(o / outputs * inputs + i, o);
      }
    }
    return;
  }
  for (std::size_t position = 0; position < to; ++position) {
    for (std::size_t k = 0; k < geometry.kernel[axis - 1]; ++k) {
      const auto source = model::input_position(geometry, axis - 1, position, k);
      if (model::is_inside(source, from)) {
        f(static_cast<std::size_t>(source), position);
      }
    }
  }
}

void ConvolutionDiagonals::find_differences(std::size_t axis, const BitLayout& in,
                                            const BitLayout& out) {
  const std::size_t modulus = std::size_t{1} << std::min(in.log_period, out.log_period);
  std::vector<std::size_t> sources(extents(linear_.in)[axis]), targets(extents(linear_.out)[axis]);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    sources[i] = address(in.bits[axis], i);
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets[i] = address(out.bits[axis], i);
  }
  known_.clear(in.ciphertext_limit() * out.ciphertext_limit() * modulus);
  differences_[axis].clear();
  for_each_pair(axis, [&](std::size_t from, std::size_t to) {
    const Difference d{sources[from] >> in.log_period, targets[to] >> out.log_period,
                       (sources[from] - targets[to]) % modulus};
    if (known_.insert((d.in_ciphertext * out.ciphertext_limit() + d.out_ciphertext) * modulus +
                      d.rotation)) {
      differences_[axis].push_back(d);
    }
  });
}

void ConvolutionDiagonals::find_all(const BitLayout& in, const BitLayout& out) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    find_differences(axis, in, out);
  }
  const std::size_t modulus = std::size_t{1} << std::min(in.log_period, out.log_period);
  known_.clear(in.ciphertext_limit() * out.ciphertext_limit() * modulus);
  for (const Difference& c : differences_[0]) {
    for (const Difference& y : differences_[1]) {
      for (const Difference& x : differences_[2]) {
        const std::size_t input = c.in_ciphertext | y.in_ciphertext | x.in_ciphertext;
        const std::size_t output = c.out_ciphertext | y.out_ciphertext | x.out_ciphertext;
        const std::size_t rotation = (c.rotation + y.rotation + x.rotation) % modulus;
        known_.insert((output * in.ciphertext_limit() + input) * modulus + rotation);
      }
    }
  }
}

std::size_t ConvolutionDiagonals::count(const BitLayout& in, const BitLayout& out) {
  find_all(in, out);
  return known_.members().size();
}

std::vector<Diagonal> ConvolutionDiagonals::find(const BitLayout& in, const BitLayout& out) {
  find_all(in, out);
  const Ciphertexts inputs(linear_.in, in), outputs(linear_.out, out);
  const std::size_t modulus = std::size_t{1} << std::min(in.log_period, out.log_period);
  std::vector<Diagonal> diagonals;
  for (const std::size_t number : known_.members()) {
    const std::size_t pair = number / modulus;
    diagonals.push_back({static_cast<std::int32_t>(outputs.number(pair / in.ciphertext_limit())),
                         static_cast<std::int32_t>(inputs.number(pair % in.ciphertext_limit())),
                         static_cast<std::int32_t>(number % modulus)});
  }
  std::ranges::sort(diagonals);
  return diagonals;
}

}  // namespace ffconv::plan
