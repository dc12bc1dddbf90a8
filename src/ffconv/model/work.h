// How much a network computes for one image, whatever the packing.
#pragma once

#include <cstddef>

#include "ffconv/model/graph.h"
#include "ffconv/model/network.h"

namespace ffconv::model {

struct Work {
  // Homomorphic multiply-accumulates in the sense of FFConv (arXiv 2102.03494): every channel is
  // one ciphertext that holds all its positions, and every weight is one product with it. A
  // convolution has kernel * C_in / groups * C_out of them (so that factorization to r channels
  // brings kernel * C_in * C_out to kernel * C_in * r + r * C_out), a dense layer one a weight.
  // How many products of whole ciphertexts a packing makes of them is in plan/counts.h.
  std::size_t hma = 0;
  // Multiply-accumulates (MAC) of the clear computation: those of a convolution at every output
  // position, products with padding included.
  std::size_t mac = 0;

  Work& operator+=(const Work& other);
};

// Of a layer of a network; a diagonal one has one HMA a channel and one MAC an element.
Work work_of(const Linear& linear);

// Of the Conv, Gemm and MatMul nodes of a graph.
Work work_of(const Graph& graph, const Node& node);
Work work_of(const Graph& graph);

}  // namespace ffconv::model
