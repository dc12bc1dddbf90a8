// Tables and constants of the 52-bit integer tier (ifma-inl.h), made outside its target region.
#pragma once

#include "ffconv/ring/kernels/kernels.h"

namespace ffconv {

// `value` in [0, q) and its quotient floor(value 2^52 / q), q < 2^46.
Constant make_ifma_constant(std::uint64_t value, std::uint64_t q);

// Kernels::prepare. unfold is (1 + psi) / 4N, unfold_first (1 - psi) / 4N. The first N/8 twiddles
// are canonical entries, but for the first one of the forward transform, which has the factor -psi.
// Those of the last three stages run on blocks of 64 words in registers, lane r for row r of the
// block, and stand block by block: for each group of each of the three stages 8 values, then their
// 8 quotients.
void prepare_ifma_tables(LimbTables& tables);

}  // namespace ffconv
