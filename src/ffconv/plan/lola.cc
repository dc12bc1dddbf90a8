// LoLa's pipeline. Source: Brutzkus, Gilad-Bachrach and Elisha, "Low Latency Privacy Preserving
// Inference", ICML 2019, sections 4 and 5; rotation counts of its published code.

#include <algorithm>
#include <bit>
#include <utility>

#include "ffconv/base/assert.h"
#include "ffconv/plan/packings.h"

namespace ffconv::plan {
namespace {

constexpr std::int32_t kEmpty = SlotLabels::kEmpty;

std::size_t index(std::int32_t number) {
  return static_cast<std::size_t>(number);
}

// All weights of a layer, by row.
class Rows {
 public:
  explicit Rows(const model::Linear& linear)
      : columns_(linear.in.size()), weights_(linear.out.size() * columns_, 0.0) {
    model::for_each_weight(linear, [&](std::size_t o, std::size_t i, double weight) {
      weights_[o * columns_ + i] += weight;
    });
  }
  double at(std::size_t row, std::int32_t column) const {
    return column == kEmpty ? 0.0 : weights_[row * columns_ + index(column)];
  }

 private:
  std::size_t columns_;
  std::vector<double> weights_;
};

class Lola {
 public:
  explicit Lola(const Lowering& lowering)
      : lowering_(lowering),
        layers_(lowering.network.layers),
        slots_(lowering.ring.slot_count()),
        emitter_(lowering.ring.log_n, depth()) {}

  Program run() {
    std::size_t first = 0;
    if (starts_with_offsets()) {
      tensor_ = join(offset_convolution());
      first = 1;
    } else {
      const Grid grid = flat_grid(lowering_.network.input);
      tensor_ =
          emit_inputs(emitter_, lowering_, grid_layout(lowering_.network.input, grid, slots_));
    }
    for (std::size_t k = first; k < layers_.size(); ++k) {
      lower(k);
    }
    emit_outputs(emitter_, tensor_);
    return emitter_.finish();
  }

 private:
  const model::Linear& linear(std::size_t k) const { return std::get<model::Linear>(layers_[k]); }
  bool is_diagonal(std::size_t k) const {
    return std::holds_alternative<model::Diagonal>(linear(k).map);
  }
  bool is_last(std::size_t k) const { return k + 1 == layers_.size(); }
  bool starts_with_offsets() const { return !is_last(0) && linear(0).convolution() != nullptr; }

  // A matrix in the middle costs a second level, for its masks.
  int depth() const {
    auto levels = static_cast<int>(layers_.size());
    for (std::size_t k = starts_with_offsets() ? 1 : 0; k + 1 < layers_.size(); ++k) {
      levels += std::holds_alternative<model::Linear>(layers_[k]) && !is_diagonal(k) ? 1 : 0;
    }
    return levels;
  }

  void lower(std::size_t k) {
    if (std::holds_alternative<model::Square>(layers_[k])) {
      tensor_ = emit_square(emitter_, lowering_, k, std::move(tensor_));
    } else if (is_diagonal(k)) {
      tensor_ = emit_linear(emitter_, lowering_, k, tensor_, tensor_.layout);
    } else if (is_last(k)) {
      last_matrix(k);
    } else {
      matrix(k);
    }
  }

  // One ciphertext a map (several where a map is larger than a ciphertext), from slot 0 on.
  Tensor offset_convolution() {
    const model::Shape& out = linear(0).out;
    const std::size_t positions = out.height() * out.width();
    Layout maps{"maps", {}};
    for (std::size_t c = 0; c < out.channels(); ++c) {
      for (std::size_t p = 0; p < positions; ++p) {
        if (p % slots_ == 0) {
          maps.ciphertexts.push_back({std::vector<std::int32_t>(slots_, kEmpty)});
        }
        maps.ciphertexts.back().elements[p % slots_] = static_cast<std::int32_t>(c * positions + p);
      }
    }
    const Tensor in = emit_inputs(emitter_, lowering_, offset_layout(linear(0), maps, slots_));
    return emit_linear(emitter_, lowering_, 0, in, std::move(maps));
  }

  // Maps one after the other, as many as a ciphertext holds.
  Tensor join(const Tensor& maps) {
    const std::size_t positions = linear(0).out.height() * linear(0).out.width();
    const std::size_t group = std::max<std::size_t>(1, slots_ / positions);
    if (group == 1) {
      return maps;
    }
    Tensor joined{{"joined", {}}, {}};
    for (std::size_t m = 0; m < maps.registers.size(); ++m) {
      const std::size_t shift = m % group * positions;
      const Register x = emitter_.rotate(maps.registers[m], -static_cast<std::int64_t>(shift));
      if (shift == 0) {
        joined.registers.push_back(x);
        joined.layout.ciphertexts.push_back({std::vector<std::int32_t>(slots_, kEmpty)});
      } else {
        joined.registers.back() = emitter_.add(joined.registers.back(), x);
      }
      const auto& from = maps.layout.ciphertexts[m].elements;
      std::copy_n(
          from.begin(), positions,
          joined.layout.ciphertexts.back().elements.begin() + static_cast<std::ptrdiff_t>(shift));
    }
    return joined;
  }

  // The smallest power of two of slots that holds a tensor of one ciphertext; all slots otherwise.
  std::size_t window() const {
    if (tensor_.registers.size() > 1) {
      return slots_;
    }
    const auto& elements = tensor_.layout.ciphertexts[0].elements;
    const auto last = std::find_if(elements.rbegin(), elements.rend(),
                                   [](std::int32_t e) { return e != kEmpty; });
    return std::bit_ceil(static_cast<std::size_t>(elements.rend() - last));
  }

  // `copies` copies of the tensor at the multiples of `window`, made one by one from the original;
  // a layout of that period is replicated already.
  void stack(std::size_t window, std::size_t copies) {
    if (tensor_.layout.period() == window) {
      return;
    }
    FFCONV_ASSERT(copies == 1 || tensor_.registers.size() == 1);
    const Register original = tensor_.registers[0];
    for (std::size_t j = 1; j < copies; ++j) {
      tensor_.registers[0] = emitter_.add(
          tensor_.registers[0], emitter_.rotate(original, -static_cast<std::int64_t>(j * window)));
    }
  }

  // The product of the tensor and rows first, first + 1, .. on the copies, rescaled and summed up:
  // slot j * window holds that of row first + j; all other slots hold garbage where there are
  // several windows.
  Register row_product(std::size_t layer, const Rows& weights, std::size_t first,
                       std::size_t window, std::size_t copies) {
    const std::size_t rows = linear(layer).out.size();
    const std::size_t period = copies == 1 ? tensor_.layout.period() : slots_;
    std::vector<LinearTerm> terms;
    for (std::size_t c = 0; c < tensor_.registers.size(); ++c) {
      const auto& elements = tensor_.layout.ciphertexts[c].elements;
      SlotVector vector{std::vector<double>(period, 0.0)};
      for (std::size_t s = 0; s < period; ++s) {
        const std::size_t copy = s / window;
        if (copy < copies && first + copy < rows) {
          vector.values[s] = weights.at(first + copy, elements[s % window]);
        }
      }
      terms.push_back({static_cast<std::int32_t>(c), 0, 0, 0, emitter_.vector(std::move(vector))});
    }
    Register x = emitter_.rescale(
        emitter_.linear(tensor_.registers, 1, std::move(terms), lowering_.bounds.layers[layer])[0]);
    for (std::size_t step = window / 2; step > 0; step /= 2) {
      x = emitter_.add(x, emitter_.rotate(x, static_cast<std::int64_t>(step)));
    }
    return x;
  }

  // Stacked rows, masked and interleaved: row t * copies + j goes to slot j * window + t. One row
  // after the other, so that few ciphertexts are alive at a time.
  void matrix(std::size_t layer) {
    emitter_.begin_layer(linear(layer).name);
    const Rows weights(linear(layer));
    const std::size_t rows = linear(layer).out.size();
    const std::size_t window = this->window();
    const std::size_t copies = tensor_.registers.size() > 1 ? 1 : std::min(slots_ / window, rows);
    stack(window, copies);

    Tensor result{{"interleaved", {}}, {}};
    for (std::size_t t = 0; t * copies < rows; ++t) {
      const std::size_t shift = t % window;
      if (shift == 0) {
        result.layout.ciphertexts.push_back({std::vector<std::int32_t>(slots_, kEmpty)});
      }
      // Where one window fills all slots, every slot holds the sum and the mask alone interleaves.
      const std::size_t valid = window == slots_ ? shift : 0;
      SlotVector mask{std::vector<double>(slots_, 0.0)};
      for (std::size_t j = 0; j < copies && t * copies + j < rows; ++j) {
        mask.values[j * window + valid] = 1;
        result.layout.ciphertexts.back().elements[j * window + shift] =
            static_cast<std::int32_t>(t * copies + j);
      }
      const Register product = row_product(layer, weights, t * copies, window, copies);
      const Register masked = emitter_.rescale(emitter_.multiply_plain(
          product, emitter_.vector(std::move(mask)), lowering_.bounds.layers[layer]));
      const Register moved = emitter_.rotate(
          masked, static_cast<std::int64_t>(valid) - static_cast<std::int64_t>(shift));
      if (shift == 0) {
        result.registers.push_back(moved);
      } else {
        result.registers.back() = emitter_.add(result.registers.back(), moved);
      }
    }
    for (std::size_t c = 0; c < result.registers.size(); ++c) {
      result.registers[c] =
          emit_bias(emitter_, linear(layer), result.registers[c], result.layout.ciphertexts[c]);
    }
    tensor_ = std::move(result);
  }

  // One ciphertext a row, the score in all of its slots.
  void last_matrix(std::size_t layer) {
    emitter_.begin_layer(linear(layer).name);
    const Rows weights(linear(layer));
    Tensor result{{"scores", {}}, {}};
    for (std::size_t row = 0; row < linear(layer).out.size(); ++row) {
      const Register product = row_product(layer, weights, row, tensor_.layout.period(), 1);
      result.layout.ciphertexts.push_back({{static_cast<std::int32_t>(row)}});
      result.registers.push_back(
          emit_bias(emitter_, linear(layer), product, result.layout.ciphertexts[row]));
    }
    tensor_ = std::move(result);
  }

  const Lowering& lowering_;
  const std::vector<model::Layer>& layers_;
  const std::size_t slots_;
  Emitter emitter_;
  Tensor tensor_;
};

}  // namespace

Program lower_lola(const Lowering& lowering) {
  return Lola(lowering).run();
}

double least_lola_us(const Lowering& lowering) {
  const std::size_t slots = lowering.ring.slot_count();
  double rotations = 0;
  for (std::size_t k = 1; k < lowering.network.layers.size(); ++k) {
    const auto* linear = std::get_if<model::Linear>(&lowering.network.layers[k]);
    if (linear == nullptr || std::holds_alternative<model::Diagonal>(linear->map)) {
      continue;
    }
    const std::size_t window = std::min(slots, std::bit_ceil(linear->in.size()));
    rotations += static_cast<double>(linear->out.size() * window) / static_cast<double>(slots) *
                 static_cast<double>(std::countr_zero(window));
  }
  return rotations * rotate_us(lowering.table, lowering.ring.at(0));
}

}  // namespace ffconv::plan
