// Lowering of a chain of layouts, and the layouts of DensePack.

#include <optional>
#include <utility>

#include "ffconv/base/assert.h"
#include "ffconv/plan/packings.h"

namespace ffconv::plan {

Program lower_chain(const Lowering& lowering, const std::vector<Layout>& layouts) {
  const auto& layers = lowering.network.layers;
  Emitter emitter(lowering.ring.log_n, static_cast<int>(layers.size()));
  Tensor tensor = emit_inputs(emitter, lowering, layouts.front());
  std::size_t next = 1;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    tensor = std::holds_alternative<model::Linear>(layers[k])
                 ? emit_linear(emitter, lowering, k, tensor, layouts[next++])
                 : emit_square(emitter, lowering, k, std::move(tensor));
  }
  FFCONV_ASSERT(next == layouts.size());
  emit_outputs(emitter, tensor);
  return emitter.finish();
}

std::vector<Layout> dense_layouts(const Lowering& lowering) {
  const model::Network& network = lowering.network;
  const std::size_t slots = lowering.ring.slot_count();
  model::Shape shape = network.input;
  Grid grid = blocked_grid(shape);
  std::vector<Layout> layouts{grid_layout(shape, grid, slots)};
  for (const model::Layer& layer : network.layers) {
    const auto* linear = std::get_if<model::Linear>(&layer);
    if (linear == nullptr) {
      continue;
    }
    // A reshaped tensor has no grid of the new shape; its elements keep their places all the same.
    const auto strided = linear->in == shape ? strided_grid(*linear, grid) : std::nullopt;
    const bool dense = std::holds_alternative<model::Dense>(linear->map);
    shape = linear->out;
    grid = strided.value_or(dense ? flat_grid(shape) : blocked_grid(shape));
    layouts.push_back(grid_layout(shape, grid, slots));
  }
  return layouts;
}

}  // namespace ffconv::plan
