// Making and rescaling linear layers: the arithmetic that normalization folds into them.
#pragma once

#include <string>

#include "ffconv/model/graph.h"
#include "ffconv/model/network.h"
#include "ffconv/model/polynomial.h"

namespace ffconv::model {

// y = scale * x + bias, element by element.
Linear make_diagonal(std::string name, const Shape& shape, const Coefficients& scale,
                     const Coefficients& bias);

// The layer of a Conv, Gemm or MatMul node. `extra_pads` (top, left, bottom, right) come before the
// convolution's own.
Linear make_linear(const Graph& graph, const Node& node,
                   const std::array<std::size_t, 4>& extra_pads);

// linear(x) -> scale * linear(x) + offset. False, and nothing is changed, if the layer is a
// convolution and the scale differs within an output channel.
bool fold_after(Linear& linear, const Coefficients& scale, const Coefficients& offset);

// linear(x) -> linear(scale * x + offset), where zero padding stays zero. False, and nothing is
// changed, if the layer is a convolution and the scale differs within an input channel.
bool fold_before(Linear& linear, const Coefficients& scale, const Coefficients& offset);

}  // namespace ffconv::model
