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

// An AveragePool as scale * layer(x): the layer is a convolution of constant weights, and the
// scale, one number or one an output element, makes up for padding that does not count. The layer's
// bounds follow from its input's, so it has no origin. `extra_pads` as for make_linear.
struct Pooling {
  Linear layer;
  Coefficients scale;
};
Pooling make_pooling(const Graph& graph, const Node& node, const AveragePool& pool,
                     const std::array<std::size_t, 4>& extra_pads);

// scale * x + offset, element by element.
struct Affine {
  Coefficients scale, offset;
};
Affine as_affine(const Graph& graph, const Node& node, const BatchNormalization& normalization);

// linear(x) -> scale * linear(x) + offset. False, and nothing is changed, if the layer is a
// convolution and the scale differs within an output channel.
bool fold_after(Linear& linear, const Coefficients& scale, const Coefficients& offset);

// linear(x) -> linear(scale * x + offset), where zero padding stays zero. False, and nothing is
// changed, if the layer is a convolution and the scale differs within an input channel.
bool fold_before(Linear& linear, const Coefficients& scale, const Coefficients& offset);

}  // namespace ffconv::model
