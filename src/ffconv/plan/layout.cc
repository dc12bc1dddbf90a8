#include "ffconv/plan/layout.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <map>

#include "ffconv/base/assert.h"

namespace ffconv::plan {
namespace {

constexpr std::int32_t kEmpty = SlotLabels::kEmpty;

// The taps of every output of a layer by the position of their weight, so that one kernel offset
// has the same number for all outputs of a convolution: input elements, kEmpty where the tap is
// padding.
class Taps {
 public:
  explicit Taps(const model::Linear& linear) : count_(tap_count(linear)), linear_(linear) {
    if (const model::Convolution* conv = linear.convolution()) {
      fill(*conv);
    } else {
      fill();
    }
  }

  std::size_t count() const { return count_; }
  std::int32_t at(std::size_t output, std::size_t tap) const {
    return elements_[output * count_ + tap];
  }

 private:
  void fill() {
    elements_.clear();
    model::for_each_weight(linear_, [&](std::size_t, std::size_t i, double) {
      elements_.push_back(static_cast<std::int32_t>(i));
    });
  }

  void fill(const model::Convolution& conv) {
    const model::Shape &in = linear_.in, &out = linear_.out;
    const auto& kernel = conv.geometry.kernel;
    const std::size_t group_inputs = in.channels() / conv.geometry.groups;
    const std::size_t group_outputs = out.channels() / conv.geometry.groups;
    elements_.assign(out.size() * count_, kEmpty);
    for (std::size_t o = 0; o < out.size(); ++o) {
      const std::size_t channel = o / (out.height() * out.width());
      const std::size_t y = o / out.width() % out.height(), x = o % out.width();
      for (std::size_t t = 0; t < count_; ++t) {
        const std::size_t c = channel / group_outputs * group_inputs + t / (kernel[0] * kernel[1]);
        const auto row = model::input_position(conv.geometry, 0, y, t / kernel[1] % kernel[0]);
        const auto column = model::input_position(conv.geometry, 1, x, t % kernel[1]);
        if (row >= 0 && row < static_cast<std::ptrdiff_t>(in.height()) && column >= 0 &&
            column < static_cast<std::ptrdiff_t>(in.width())) {
          elements_[o * count_ + t] = static_cast<std::int32_t>(
              (c * in.height() + static_cast<std::size_t>(row)) * in.width() +
              static_cast<std::size_t>(column));
        }
      }
    }
  }

  std::size_t count_;
  std::vector<std::int32_t> elements_;
  const model::Linear& linear_;
};

}  // namespace

std::size_t power_of_two_at_least(std::size_t x) {
  return std::bit_ceil(x);
}

std::size_t tap_count(const model::Linear& linear) {
  if (const model::Convolution* conv = linear.convolution()) {
    return conv->weights.size() / linear.out.channels();
  }
  if (const auto* sparse = std::get_if<model::Sparse>(&linear.map)) {
    return (sparse->weights.size() + linear.out.size() - 1) / linear.out.size();
  }
  return std::holds_alternative<model::Dense>(linear.map) ? linear.in.size() : 1;
}

Places::Places(const Layout& layout, std::size_t element_count, std::size_t modulus)
    : first_(element_count + 1, 0) {
  // Slots in this order meet residues ascending; of those alike, the first slot is the one kept.
  std::vector<std::vector<Place>> places(element_count);
  for (std::size_t residue = 0; residue < modulus; ++residue) {
    for (std::size_t c = 0; c < layout.ciphertexts.size(); ++c) {
      const auto& elements = layout.ciphertexts[c].elements;
      for (std::size_t s = residue; s < elements.size(); s += modulus) {
        if (elements[s] == kEmpty) {
          continue;
        }
        FFCONV_ASSERT(static_cast<std::size_t>(elements[s]) < element_count);
        auto& known = places[static_cast<std::size_t>(elements[s])];
        const auto ciphertext = static_cast<std::int32_t>(c);
        const bool repeated = !known.empty() && known.back().ciphertext == ciphertext &&
                              static_cast<std::size_t>(known.back().slot) % modulus == residue;
        if (!repeated) {
          known.push_back({ciphertext, static_cast<std::int32_t>(s)});
        }
      }
    }
  }
  for (std::size_t e = 0; e < element_count; ++e) {
    places_.insert(places_.end(), places[e].begin(), places[e].end());
    first_[e + 1] = places_.size();
  }
}

Grid blocked_grid(const model::Shape& shape) {
  return {power_of_two_at_least(shape.height() * shape.width()), shape.width(), 1};
}

Grid flat_grid(const model::Shape& shape) {
  return {shape.height() * shape.width(), shape.width(), 1};
}

std::optional<Grid> strided_grid(const model::Linear& linear, const Grid& in) {
  if (std::holds_alternative<model::Diagonal>(linear.map)) {
    return in;
  }
  const model::Convolution* conv = linear.convolution();
  if (conv == nullptr) {
    return std::nullopt;
  }
  const Grid out{in.channel, in.row * conv->geometry.strides[0],
                 in.column * conv->geometry.strides[1]};
  const std::size_t row_extent = (linear.out.width() - 1) * out.column + 1;
  const std::size_t channel_extent = (linear.out.height() - 1) * out.row + row_extent;
  const bool disjoint_rows = linear.out.height() == 1 || row_extent <= out.row;
  const bool disjoint_channels = linear.out.channels() == 1 || channel_extent <= out.channel;
  return disjoint_rows && disjoint_channels ? std::optional(out) : std::nullopt;
}

Layout grid_layout(const model::Shape& shape, const Grid& grid, std::size_t slot_count) {
  const std::size_t extent = (shape.channels() - 1) * grid.channel +
                             (shape.height() - 1) * grid.row + (shape.width() - 1) * grid.column +
                             1;
  const std::size_t period = std::min(slot_count, power_of_two_at_least(extent));
  Layout layout{"grid", {}};
  layout.ciphertexts.resize((extent + period - 1) / period,
                            {std::vector<std::int32_t>(period, kEmpty)});
  std::int32_t element = 0;
  for (std::size_t c = 0; c < shape.channels(); ++c) {
    for (std::size_t y = 0; y < shape.height(); ++y) {
      for (std::size_t x = 0; x < shape.width(); ++x) {
        const std::size_t slot = c * grid.channel + y * grid.row + x * grid.column;
        layout.ciphertexts[slot / period].elements[slot % period] = element++;
      }
    }
  }
  return layout;
}

Layout channel_layout(const model::Shape& shape, const Grid& grid) {
  Layout layout{"channels", {}};
  const std::size_t positions = shape.height() * shape.width();
  for (std::size_t c = 0; c < shape.channels(); ++c) {
    std::vector<std::int32_t> elements(grid.channel, SlotLabels::kEmpty);
    for (std::size_t p = 0; p < positions; ++p) {
      elements[p / shape.width() * grid.row + p % shape.width() * grid.column] =
          static_cast<std::int32_t>(c * positions + p);
    }
    layout.ciphertexts.push_back({std::move(elements)});
  }
  return layout;
}

Layout folded_layout(const model::Shape& shape, const Grid& grid, std::size_t period,
                     std::size_t run, std::size_t slot_count) {
  const std::size_t blocks = slot_count / grid.channel;
  FFCONV_ASSERT(period % run == 0 && blocks % period == 0 &&
                blocks / period * run >= shape.channels());
  Layout layout{"folded", {{std::vector<std::int32_t>(slot_count, kEmpty)}}};
  auto& elements = layout.ciphertexts[0].elements;
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::size_t channel = b / period * run + b % period % run;
    if (channel >= shape.channels()) {
      continue;
    }
    for (std::size_t y = 0; y < shape.height(); ++y) {
      for (std::size_t x = 0; x < shape.width(); ++x) {
        elements[b * grid.channel + y * grid.row + x * grid.column] =
            static_cast<std::int32_t>((channel * shape.height() + y) * shape.width() + x);
      }
    }
  }
  return layout;
}

Layout offset_layout(const model::Linear& linear, const Layout& out, std::size_t slot_count) {
  const Taps taps(linear);
  const std::size_t period = out.period();
  const std::size_t copies = slot_count / period;
  Layout layout{"offsets", {}};
  std::map<std::vector<std::int32_t>, std::size_t> known;
  for (const SlotLabels& outputs : out.ciphertexts) {
    for (std::size_t first = 0; first < taps.count(); first += copies) {
      std::vector<std::int32_t> elements(slot_count, kEmpty);
      for (std::size_t s = 0; s < slot_count; ++s) {
        const std::int32_t output = outputs.elements[s % period];
        const std::size_t tap = first + s / period;
        if (output != kEmpty && tap < taps.count()) {
          elements[s] = taps.at(static_cast<std::size_t>(output), tap);
        }
      }
      if (known.try_emplace(elements, known.size()).second) {
        layout.ciphertexts.push_back({std::move(elements)});
      }
    }
  }
  return layout;
}

}  // namespace ffconv::plan
