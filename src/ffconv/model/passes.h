// Changes of a graph that leave what it computes as it is.
//
// normalize() needs none of them: it folds the same on the way to its chain. They are for what
// works on the graph itself, such as factorization.
#pragma once

#include "ffconv/model/graph.h"

namespace ffconv::model {

// Every BatchNormalization, and every Mul, Add and Sub by constants that are equal within a
// channel, is folded into the Conv, Gemm or MatMul (which becomes a Gemm) before it, if nothing
// else reads that one's output. The layer keeps its name and takes over the name of the folded
// node's output; its bound among the ranges of the metadata (ranges.h) is carried over.
Graph fold_affine(Graph graph);

}  // namespace ffconv::model
