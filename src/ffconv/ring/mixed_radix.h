// From residues to centred integers, in double precision.
//
// With R_i = q_0 ... q_(i-1), every integer x in (-Q/2, Q/2) is d_0 + d_1 R_1 + d_2 R_2 + ... with
// digits |d_i| <= (q_i - 1) / 2, in one way (Garner 1959, with centred digits): d_i = (x - sum over
// j < i of d_j R_j) R_i^-1 modulo q_i. The sum from the last digit on loses at most 2^-52 of |x|,
// whatever Q is, since a part below never exceeds half of the digit above.
#pragma once

#include <vector>

#include "ffconv/ring/ring.h"

namespace ffconv {

// values[k] = the centred integer of word k of `limbs`, one limb in coefficient form for each prime
// of the basis, which it overwrites with the digits; n words each. Exact below 2^53. Constant-time
// in the data, and leaves no copy of it.
void centred_values(double* values, const std::vector<Word*>& limbs, const Ring& ring,
                    const Basis& basis);

}  // namespace ffconv
