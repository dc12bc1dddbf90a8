// A graph with some of its layers factorized.
#pragma once

#include <cstddef>
#include <vector>

#include "ffconv/lowrank/components.h"
#include "ffconv/lowrank/layer.h"
#include "ffconv/model/graph.h"

namespace ffconv::lowrank {

// One per layer. kWhole leaves it as it is.
using Ranks = std::vector<std::size_t>;
inline constexpr std::size_t kWhole = 0;

// Replaces every layer NAME that has a rank r by two: NAME_v, the layer's convolution (stride,
// padding, dilation and all) or dense layer to r channels without a bias, and NAME_u, 1 x 1 or
// dense, with the bias. NAME_u's output takes the place and the name of NAME's.
//
// layers are the graph's, components one per layer, ranks at most full_rank(). Where any layer is
// factorized, the metadata's value ranges are left out: they would not fit (ranges.h).
// Throws kUnsupported where the new activations exceed model::kMaxActivationElements.
model::Graph factorize(const model::Graph& graph, const std::vector<Layer>& layers,
                       const std::vector<Components>& components, const Ranks& ranks);

}  // namespace ffconv::lowrank
