// The scalar tier's transforms of the embedding: the specification, bit for bit, of all tiers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ffconv/ring/kernels/embedding_tables.h"

namespace ffconv::scalar {

// As declared in Kernels.
void fft_forward(double* x, const EmbeddingTables& tables);
void fft_inverse(double* x, const EmbeddingTables& tables);
double round_to_signed(std::int64_t* dst, const double* x, double factor, std::size_t n);

}  // namespace ffconv::scalar
