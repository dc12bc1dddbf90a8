// ConvPack. Source: Lu et al., arXiv 2102.03494, section 3; the first layer is LoLa's convolution
// representation (Brutzkus, Gilad-Bachrach and Elisha, ICML 2019).

#include <algorithm>
#include <utility>

#include "ffconv/plan/packings.h"

namespace ffconv::plan {
namespace {

constexpr std::int32_t kEmpty = SlotLabels::kEmpty;

// Whether the layer reads its input where it stands: element by element, or a 1 x 1 convolution.
bool reads_in_place(const model::Linear& linear) {
  const model::Convolution* conv = linear.convolution();
  return conv != nullptr ? conv->geometry == model::ConvGeometry{}
                         : std::holds_alternative<model::Diagonal>(linear.map);
}

// One ciphertext a channel of `period` slots, its positions in their order.
Layout channels(const model::Shape& shape, std::size_t period) {
  return channel_layout(shape, {period, shape.width(), 1});
}

// For each tap, the input that every output position meets: the same for all outputs of a group.
Layout patches(const model::Linear& linear, std::size_t period) {
  const model::Convolution* conv = linear.convolution();
  const std::size_t groups = conv != nullptr ? conv->geometry.groups : 1;
  Layout out = channels(linear.out, period);
  std::size_t number = 0;
  std::erase_if(out.ciphertexts, [&](const SlotLabels&) {
    return number++ % (linear.out.channels() / groups) != 0;
  });
  return offset_layout(linear, out, period);
}

// Adds ciphertexts for the elements that no output meets (a stride may jump over them): a layout
// holds a whole tensor.
Layout with_unread(Layout layout, const model::Shape& shape, std::size_t period) {
  std::vector<bool> read(shape.size(), false);
  for (const SlotLabels& labels : layout.ciphertexts) {
    for (const std::int32_t element : labels.elements) {
      if (element != kEmpty) {
        read[static_cast<std::size_t>(element)] = true;
      }
    }
  }
  for (SlotLabels& labels : channels(shape, period).ciphertexts) {
    bool any = false;
    for (std::int32_t& element : labels.elements) {
      if (element != kEmpty && read[static_cast<std::size_t>(element)]) {
        element = kEmpty;
      }
      any = any || element != kEmpty;
    }
    if (any) {
      layout.ciphertexts.push_back(std::move(labels));
    }
  }
  return layout;
}

}  // namespace

Expanded with_patches(const model::Network& network, const model::Ranges& ranges, double margin) {
  Expanded patched{network, {ranges.input, {}}};
  patched.network.layers.clear();
  model::Range range = ranges.input;
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    if (const auto* linear = std::get_if<model::Linear>(&network.layers[k])) {
      if (k > 0 && !reads_in_place(*linear)) {
        const std::size_t size = linear->in.size();
        patched.network.layers.push_back(
            model::Linear{.name = linear->name + " patches",
                          .in = linear->in,
                          .out = linear->in,
                          .bias = std::vector<double>(size, 0.0),
                          .map = model::Diagonal{std::vector<double>(size, 1.0)},
                          .origin = {}});
        patched.ranges.layers.push_back(range);
      }
      range = ranges.layers.at(k);
    } else {
      range = model::squared(range);
      range.max_abs *= margin;  // Bounds squares what already has its margin
    }
    patched.network.layers.push_back(network.layers[k]);
    patched.ranges.layers.push_back(range);
  }
  return patched;
}

std::vector<Layout> conv_layouts(const Lowering& lowering) {
  const std::vector<const model::Linear*> linears = linear_layers(lowering.network);
  std::size_t positions = 1;
  for (const model::Linear* linear : linears) {
    positions = std::max(positions, linear->out.height() * linear->out.width());
    if (reads_in_place(*linear)) {
      positions = std::max(positions, linear->in.height() * linear->in.width());
    }
  }
  const std::size_t period = power_of_two_at_least(positions);
  if (period > lowering.ring.slot_count()) {
    return {};
  }
  std::vector<Layout> layouts;
  layouts.push_back(reads_in_place(*linears.front()) ? channels(linears.front()->in, period)
                                                     : patches(*linears.front(), period));
  for (std::size_t k = 0; k < linears.size(); ++k) {
    const bool before_patches = k + 1 < linears.size() && !reads_in_place(*linears[k + 1]);
    const model::Shape& out = linears[k]->out;
    layouts.push_back(before_patches ? with_unread(patches(*linears[k + 1], period), out, period)
                                     : channels(out, period));
  }
  return layouts;
}

}  // namespace ffconv::plan
