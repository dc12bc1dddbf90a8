// How much a layer computes: what does not depend on how it is packed.
#pragma once

#include <cstddef>

#include "ffconv/model/network.h"

namespace ffconv::model {

// Multiply-accumulates of the clear computation, those on padding included.
std::size_t multiply_accumulates(const Linear& linear);

// Homomorphic multiply-accumulates (HMA) in the sense of FFConv (arXiv 2102.03494): every channel
// is one ciphertext that holds all its positions, and every weight is one product with it. A
// convolution has kernel * C_in / groups * C_out of them (so that factorization to r channels
// brings kernel * C_in * C_out to kernel * C_in * r + r * C_out), a dense layer one a weight, a
// diagonal one a channel.
std::size_t hma(const Linear& linear);

}  // namespace ffconv::model
