// Lowering of a chain of layouts, and the layouts of DensePack, FFConv and CryptoNets.

#include <optional>
#include <utility>

#include "ffconv/base/assert.h"
#include "ffconv/plan/packings.h"

namespace ffconv::plan {

Program lower_chain(const Lowering& lowering, const std::vector<Layout>& layouts) {
  const auto& layers = lowering.network.layers;
  Emitter emitter(lowering.ring.log_n, static_cast<int>(layers.size()));
  std::vector<Tensor> tensors{emit_inputs(emitter, lowering, layouts.front())};
  std::size_t next = 1;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    if (std::holds_alternative<model::Linear>(layers[k])) {
      std::vector<Tensor> shortcuts;
      for (const model::Shortcut& shortcut : shortcuts_to(lowering.network, k)) {
        shortcuts.push_back(tensors[shortcut.from]);
      }
      tensors.push_back(
          emit_linear(emitter, lowering, k, tensors.back(), layouts[next++], shortcuts));
    } else {
      tensors.push_back(emit_square(emitter, lowering, k, tensors.back()));
    }
  }
  FFCONV_ASSERT(next == layouts.size());
  emit_outputs(emitter, tensors.back());
  return emitter.finish();
}

namespace {

// Whether layer `k` is a 1 x 1 convolution of all channels.
bool is_pointwise(const model::Network& network, std::size_t k) {
  const auto* linear =
      k < network.layers.size() ? std::get_if<model::Linear>(&network.layers[k]) : nullptr;
  const model::Convolution* conv = linear != nullptr ? linear->convolution() : nullptr;
  return conv != nullptr && conv->geometry == model::ConvGeometry{};
}

std::vector<Layout> dense_chain(const Lowering& lowering, Strided strided,
                                bool channels_before_pointwise) {
  const model::Network& network = lowering.network;
  const std::size_t slots = lowering.ring.slot_count();
  model::Shape shape = network.input;
  Grid grid = blocked_grid(shape);
  std::vector<Layout> layouts{grid_layout(shape, grid, slots)};
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const auto* linear = std::get_if<model::Linear>(&network.layers[k]);
    if (linear == nullptr) {
      continue;
    }
    // A reshaped tensor has no grid of the new shape; its elements keep their places all the same.
    const auto kept = strided == Strided::kKeepsPlaces && linear->in == shape
                          ? strided_grid(*linear, grid)
                          : std::nullopt;
    const bool dense = std::holds_alternative<model::Dense>(linear->map);
    shape = linear->out;
    grid = kept.value_or(dense ? flat_grid(shape) : blocked_grid(shape));
    const bool alone =
        channels_before_pointwise && is_pointwise(network, k + 1) && grid.channel <= slots;
    layouts.push_back(alone ? channel_layout(shape, grid) : grid_layout(shape, grid, slots));
  }
  return layouts;
}

}  // namespace

std::vector<Layout> dense_layouts(const Lowering& lowering, Strided strided) {
  return dense_chain(lowering, strided, false);
}

std::vector<Layout> ffconv_layouts(const Lowering& lowering, Strided strided) {
  return dense_chain(lowering, strided, true);
}

std::vector<Layout> batch_layouts(const Lowering& lowering) {
  const auto apart = [](const model::Shape& shape) {
    Layout layout{"batch", {}};
    for (std::size_t element = 0; element < shape.size(); ++element) {
      layout.ciphertexts.push_back({{static_cast<std::int32_t>(element)}});
    }
    return layout;
  };
  std::vector<Layout> layouts{apart(lowering.network.input)};
  for (const model::Linear* linear : linear_layers(lowering.network)) {
    layouts.push_back(apart(linear->out));
  }
  return layouts;
}

}  // namespace ffconv::plan
