// A small checked program for tests that break it.
#pragma once

#include "ffconv/plan/compile.h"
#include "plan/networks.h"

namespace ffconv::testing {

// A convolution, a square and a dense layer, compiled in a secure ring.
inline plan::Compiled small_compiled(plan::Packing packing = plan::Packing::kDense) {
  Weights weights(4);
  const model::Shape image{{1, 6, 6}};
  const auto conv = conv_layer(
      "conv", image, 3,
      {.kernel = {3, 3}, .strides = {2, 2}, .dilations = {1, 1}, .pads = {1, 1, 1, 1}, .groups = 1},
      weights);
  const model::Network network =
      network_of({conv, model::Square{}, dense_layer("fc", conv.out, 4, weights)});
  plan::CompileOptions options;
  options.packing = packing;
  return plan::compile(network, ranges_of(network), options);
}

}  // namespace ffconv::testing
