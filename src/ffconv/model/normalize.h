// From the graph as imported to the chain of linear maps and squares, with shortcuts, that the
// planner consumes.
//
// Every value of the graph is, element by element, a polynomial of degree at most 2 in one source
// tensor: the image, the output of a linear layer (Conv, Gemm, MatMul, and AveragePool as a
// convolution) or a sum of such. BatchNormalization is a polynomial of degree 1. Transposes reorder
// the elements: they must be undone before the next convolution, or are taken up by a dense layer's
// weights. A polynomial of degree 1 folds into the layer before it (or the next one, for the
// image); one of degree 2, a x^2 + b x + c, becomes the square of x + b/(2a) with the shift in the
// layer before and a and c - b^2/(4a) in the layer after. Constant parts that meet zero padding
// become a bias that differs from position to position, exactly.
#pragma once

#include "ffconv/model/graph.h"
#include "ffconv/model/network.h"

namespace ffconv::model {

// Metadata key: a JSON list of the class names. Without it they are "0", "1", ...
inline constexpr const char* kClassNamesKey = "ffconv.class_names";

// Equal to the graph as a function of the image, up to rounding. Neighbouring linear layers stay
// separate, but a sum of two becomes one layer with a shortcut, and so does a residual connection.
// A scale that differs within a channel and meets a convolution becomes a layer of its own. Throws
// one kUnsupported error, naming every node, for what a chain of linear maps and squares with
// shortcuts cannot express: products of two different tensors, concatenation, branches of more than
// one linear layer beside each other, two different squares of one tensor, degree above 2, and
// quadratics whose leading coefficient is zero in some elements only. Throws kFormat for class
// names that do not fit.
Network normalize(const Graph& graph);

}  // namespace ffconv::model
