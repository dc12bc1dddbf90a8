#include "ffconv/plan/lowering.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"

namespace ffconv::plan {
namespace {

model::Range checked_bound(const model::Range& range, double margin, const std::string& where) {
  for (const double value : {range.max_abs, range.rms}) {
    if (!std::isfinite(value) || value <= 0) {
      fail(ErrorCode::kInvalidArgument,
           "{}: expected a positive, finite value range, got {}; calibrate with images that reach "
           "it",
           where, value);
    }
  }
  return {range.max_abs * margin, range.rms};
}

}  // namespace

std::string layer_name(const model::Network& network, std::size_t layer) {
  const auto* linear = std::get_if<model::Linear>(&network.layers[layer]);
  return linear != nullptr ? linear->name : fmt::format("square {}", layer);
}

RingShape::RingShape(const ParamsSpec& spec) : log_n(spec.log_n) {
  for (std::size_t level = 0; level < spec.levels.size(); ++level) {
    levels.push_back(cost_shape(spec, static_cast<int>(level)));
  }
}

Bounds::Bounds(const model::Network& network, const model::Ranges& ranges, double margin) {
  if (!(margin >= 1) || !std::isfinite(margin)) {
    fail(ErrorCode::kInvalidArgument, "margin: expected at least 1, got {}", margin);
  }
  if (ranges.layers.size() != network.layers.size()) {
    fail(ErrorCode::kInvalidArgument, "value ranges: expected one for each of {} layers, got {}",
         network.layers.size(), ranges.layers.size());
  }
  input = checked_bound(ranges.input, margin, "network input");
  model::Range previous = input;
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const bool linear = std::holds_alternative<model::Linear>(network.layers[k]);
    previous = linear ? checked_bound(ranges.layers[k], margin,
                                      "output of layer " + layer_name(network, k))
                      : model::squared(previous);
    layers.push_back(previous);
  }
}

LinearPlan plan_linear(std::span<const SplitOption> options, std::size_t fold, std::size_t outputs,
                       const Lowering& lowering, int level) {
  const CostTable& table = lowering.table;
  const CostShape before = lowering.ring.at(level), after = lowering.ring.at(level - 1);
  const double key_us = lowering.key_us;
  const SplitOption& option = cheapest(options, table, before, key_us);
  LinearPlan plan{option.split, fold_factors(fold, table, after, key_us), 0};
  plan.us = linear_us(table, before, option.shape) +
            key_us * (option.keys + fold_keys(plan.fold_factors)) +
            static_cast<double>(outputs) * (rescale_us(table, before, 2) + add_us(table, after, 1) +
                                            fold_us(plan.fold_factors, table, after));
  return plan;
}

double square_us(const Lowering& lowering, int level) {
  const CostTable& table = lowering.table;
  const CostShape before = lowering.ring.at(level), after = lowering.ring.at(level - 1);
  const double squared = ffconv::square_us(table, before);
  return lowering.relinearize == Relinearize::kAfterRescale
             ? squared + rescale_us(table, before, 3) + relinearize_us(table, after)
             : squared + relinearize_rescale_us(table, before);
}

double descend_us(const Lowering& lowering, int from, int to) {
  double us = 0;
  for (int level = from; level > to; --level) {
    const CostShape shape = lowering.ring.at(level);
    us += multiply_plain_us(lowering.table, shape, false) + rescale_us(lowering.table, shape, 2);
  }
  return us;
}

Tensor emit_inputs(Emitter& emitter, const Lowering& lowering, Layout layout) {
  Tensor tensor{std::move(layout), {}};
  for (const SlotLabels& labels : tensor.layout.ciphertexts) {
    tensor.registers.push_back(emitter.input(labels, lowering.bounds.input));
  }
  return tensor;
}

Register emit_bias(Emitter& emitter, const model::Linear& linear, Register x,
                   const SlotLabels& labels) {
  SlotVector bias{std::vector<double>(labels.elements.size(), 0.0)};
  bool any = false;
  for (std::size_t s = 0; s < bias.values.size(); ++s) {
    if (const std::int32_t element = labels.elements[s]; element != SlotLabels::kEmpty) {
      bias.values[s] = linear.bias[static_cast<std::size_t>(element)];
      any = any || bias.values[s] != 0;
    }
  }
  return any ? emitter.add_plain(x, emitter.vector(std::move(bias))) : x;
}

namespace {

// The map of `linear`, without its bias, to values of `range`.
Tensor emit_map(Emitter& emitter, const Lowering& lowering, const model::Linear& linear,
                const model::Range& range, const Tensor& in, const Layout& out) {
  const LinearMap map(linear, in.layout, out);
  const std::size_t outputs = out.ciphertexts.size();
  const LinearPlan plan = plan_linear(split_options(map.diagonals(), map.modulus()), map.fold(),
                                      outputs, lowering, emitter.level(in.registers.front()));
  const std::size_t slots = emitter.slot_count();

  std::vector<LinearTerm> terms;
  std::vector<bool> reached(outputs, false);
  std::vector<SlotVector> vectors = map.vectors(plan.split, slots);
  for (std::size_t d = 0; d < vectors.size(); ++d) {
    const Diagonal& diagonal = map.diagonals()[d];
    const Steps steps = plan.split.steps(diagonal.rotation, slots);
    terms.push_back({diagonal.input, diagonal.output, steps.baby, steps.giant,
                     emitter.vector(std::move(vectors[d]))});
    reached[static_cast<std::size_t>(diagonal.output)] = true;
  }
  for (std::size_t o = 0; o < outputs; ++o) {
    if (!reached[o]) {  // every tap of its elements is padding
      terms.push_back({0, static_cast<std::int32_t>(o), 0, 0, emitter.vector({{0.0}})});
    }
  }
  Tensor result{out, emitter.linear(in.registers, outputs, std::move(terms), range)};
  const auto stages = fold_rotations(plan.fold_factors, out.period());
  for (Register& x : result.registers) {
    x = emitter.rescale(x);
    for (const auto& rotations : stages) {
      x = emitter.rotate_sum(x, rotations);
    }
  }
  return result;
}

// The same values at a lower level.
Tensor emit_descent(Emitter& emitter, Tensor tensor, int level) {
  for (Register& x : tensor.registers) {
    while (emitter.level(x) > level) {
      x = emitter.rescale(emitter.multiply_plain(x, emitter.vector({{1.0}}), emitter.range(x)));
    }
  }
  return tensor;
}

}  // namespace

Tensor emit_linear(Emitter& emitter, const Lowering& lowering, std::size_t layer, const Tensor& in,
                   Layout out, std::span<const Tensor> shortcuts) {
  const auto& linear = std::get<model::Linear>(lowering.network.layers[layer]);
  const model::Range& range = lowering.bounds.layers[layer];
  const auto maps = shortcuts_to(lowering.network, layer);
  FFCONV_ASSERT(maps.size() == shortcuts.size());
  emitter.begin_layer(linear.name);
  Tensor result = emit_map(emitter, lowering, linear, range, in, out);
  for (std::size_t s = 0; s < maps.size(); ++s) {
    const Tensor from = emit_descent(emitter, shortcuts[s], emitter.level(in.registers.front()));
    const Tensor other = emit_map(emitter, lowering, maps[s].map, range, from, out);
    for (std::size_t o = 0; o < other.registers.size(); ++o) {
      result.registers[o] = emitter.add(result.registers[o], other.registers[o]);
    }
  }
  for (std::size_t o = 0; o < result.registers.size(); ++o) {
    result.registers[o] = emit_bias(emitter, linear, result.registers[o], out.ciphertexts[o]);
  }
  return result;
}

Tensor emit_square(Emitter& emitter, const Lowering& lowering, std::size_t layer, Tensor in) {
  emitter.begin_layer(layer_name(lowering.network, layer));
  for (Register& x : in.registers) {
    x = emitter.square(x);
    x = lowering.relinearize == Relinearize::kAfterRescale ? emitter.relinearize(emitter.rescale(x))
                                                           : emitter.relinearize_rescale(x);
  }
  return in;
}

void emit_outputs(Emitter& emitter, const Tensor& out) {
  for (std::size_t o = 0; o < out.registers.size(); ++o) {
    emitter.output(out.registers[o], out.layout.ciphertexts[o]);
  }
}

}  // namespace ffconv::plan
