// What every packing needs to lower a network, and the steps that packings share.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "ffconv/base/assert.h"
#include "ffconv/ckks/cost.h"
#include "ffconv/model/network.h"
#include "ffconv/model/ranges.h"
#include "ffconv/plan/emitter.h"
#include "ffconv/plan/fold.h"
#include "ffconv/plan/grouping.h"
#include "ffconv/plan/layout.h"
#include "ffconv/plan/linear_map.h"

namespace ffconv::plan {

// Largest absolute values with their margin, which the scales must leave room for, and root mean
// squares without.
struct Bounds {
  model::Range input;
  std::vector<model::Range> layers;  // [network.layers.size()], of each layer's output

  // Throws kInvalidArgument for a margin below 1, ranges that do not belong to the network or a
  // range that is not positive and finite, naming the layer.
  Bounds(const model::Network& network, const model::Ranges& ranges, double margin);
};

// The ring and its levels as far as packings depend on them: a chain that the program is likely to
// get, with keys wherever there is room for them.
struct RingShape {
  int log_n = 0;
  std::vector<CostShape> levels;

  RingShape() = default;
  explicit RingShape(const ParamsSpec& spec);

  std::size_t slot_count() const { return std::size_t{1} << log_n; }
  const CostShape& at(int level) const {
    FFCONV_ASSERT(0 <= level && static_cast<std::size_t>(level) < levels.size());
    return levels[static_cast<std::size_t>(level)];
  }
  bool operator==(const RingShape&) const = default;
};

// When a square is brought back to two polynomials.
enum class Relinearize {
  kWithRescale,   // one division by the special primes and the level's last: precise
  kAfterRescale,  // one level lower, so that no key is needed at the square's; but the rounding of
                  // three polynomials meets the square of the secret: 6 to 8 bits are lost
};

struct Lowering {
  const model::Network& network;
  const Bounds& bounds;
  const CostTable& table;
  RingShape ring;
  Relinearize relinearize = Relinearize::kWithRescale;
  // The price of a rotation key, where their number is limited. Layers are priced apart, each key
  // as if no other layer had it.
  double key_us = 0;
};

// How a linear map between two layouts is carried out at a level.
struct LinearPlan {
  Split split;
  std::vector<std::size_t> fold_factors;
  double us = 0;  // predicted: products, rotations, rescales, folds and biases; and keys' prices
};
// The cheapest of `options`, followed by a fold of `fold` slots, for `outputs` ciphertexts.
LinearPlan plan_linear(std::span<const SplitOption> options, std::size_t fold, std::size_t outputs,
                       const Lowering& lowering, int level);
double square_us(const Lowering& lowering, int level);  // of one ciphertext, relinearized, rescaled
// Of one ciphertext, from a level down to a lower one at an unchanged scale.
double descend_us(const Lowering& lowering, int from, int to);

// A tensor in registers, one a ciphertext of its layout.
struct Tensor {
  Layout layout;
  std::vector<Register> registers;
};

// The client's inputs: one register for each ciphertext of `layout`.
Tensor emit_inputs(Emitter& emitter, const Lowering& lowering, Layout layout);
// Layer number `layer`, a Linear, into `out`: one level. `shortcuts` are the tensors from which the
// shortcuts to it start, in their order; they descend to the level of `in` first.
Tensor emit_linear(Emitter& emitter, const Lowering& lowering, std::size_t layer, const Tensor& in,
                   Layout out, std::span<const Tensor> shortcuts = {});
// Layer number `layer`, a Square, relinearized: one level.
Tensor emit_square(Emitter& emitter, const Lowering& lowering, std::size_t layer, Tensor in);
void emit_outputs(Emitter& emitter, const Tensor& out);
// x + bias in the places of `labels`; x itself if all biases there are 0.
Register emit_bias(Emitter& emitter, const model::Linear& linear, Register x,
                   const SlotLabels& labels);

// "square 1" for layer number 1 of `network`, or the linear layer's own name.
std::string layer_name(const model::Network& network, std::size_t layer);

}  // namespace ffconv::plan
