// Tables and constants of the double-precision tiers (double-inl.h), made outside their target
// regions.
#pragma once

#include "ffconv/ring/kernels/kernels.h"

namespace ffconv {

// `value` in [0, q) as the centred integer w and the quotient w / q, both doubles.
Constant make_double_constant(std::uint64_t value, std::uint64_t q);

// Kernels::prepare for vectors of 2^log_width doubles. Twiddles of the last log_width stages, which
// run in registers on blocks of 4^log_width words, are stored so that one vector holds what the
// lanes of one butterfly need: at 2^s + (block * groups + g) * width come `width` values and then
// `width` quotients, lane r for the canonical entry 2^s + (width * block + r) * groups + g, groups
// = 2^(stage within the block).
void prepare_double_tables(LimbTables& tables, int log_width);

}  // namespace ffconv
