// Tables and constants of the double-precision tiers (double-inl.h), made outside their target
// regions.
#pragma once

#include "ffconv/ring/kernels/kernels.h"

namespace ffconv {

// `value` in [0, q) as the centred integer w and the quotient w / q, both doubles.
Constant make_double_constant(std::uint64_t value, std::uint64_t q);

// Kernels::prepare for vectors of 2^log_width doubles. `forward` and `inverse` hold, in this order:
//   the twiddles of the lanes, the last log_width stages, as words without a ratio: width - 1
//   vectors for every block of width^2 words, one per group of its rows, stage after stage, lane r
//   for row r;
//   the nodes of the radix-4 passes: node 2^s + i, three constants, has those of block i of stage
//   s, (w0, w1, w0 w1) where w0 is the block's twiddle and w1 that of its lower half; that of the
//   upper half is psi w1 (psi^-1 w1 in the inverse).
// Of the root's node, w0 and w0 w1 stand times -psi, since the fold leaves the upper half times
// psi; in the inverse w0 and w0 w1 stand times psi, and all three over 2N.
void prepare_double_tables(LimbTables& tables, int log_width);

}  // namespace ffconv
