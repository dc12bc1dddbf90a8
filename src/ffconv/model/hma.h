// The field's measure of a network's size, whatever the packing.
#pragma once

#include <cstddef>

#include "ffconv/model/graph.h"

namespace ffconv::model {

// Homomorphic multiply-accumulates for one image: products of a weight and a value in Conv, Gemm
// and MatMul, as if each value had a ciphertext of its own. A d x d convolution has d^2 C_in C_out
// for every output position; products with padding count. How many products of whole ciphertexts a
// packing makes of them is the planner's to say (plan/counts.h).
// Source: Brutzkus et al., arXiv 1812.10659, and Lu et al., arXiv 2102.03494.
std::size_t count_hma(const Graph& graph, const Node& node);
std::size_t count_hma(const Graph& graph);

}  // namespace ffconv::model
