// What the operations of the engine cost, from the times of its kernels on one limb.
//
// A kernel's time per limb is measured once per machine (`ffconv doctor`) at one N and scaled:
// transforms with N log N, everything else with N. An operation's time is the sum of its kernels'.
#pragma once

#include <string>

#include "ffconv/ckks/params.h"

namespace ffconv {

// Microseconds per limb of 2^14 words, one thread.
struct CostTable {
  std::string machine;  // where it was measured
  double ntt_forward_us = 0;
  double ntt_inverse_us = 0;
  double multiply_accumulate_us = 0;  // one digit times a key, one output polynomial
  double plain_product_us = 0;        // one packed weight's product, one output polynomial
  double base_extend_us = 0;          // one source limb to one target limb
  double automorphism_us = 0;
  double add_us = 0;
  double multiply_us = 0;  // pointwise, reduced
};

// Measured on an AVX2-only machine (docs/benchmarks.md); used until `doctor` has run.
const CostTable& default_cost_table();

// A level as the functions below need to know it.
struct CostShape {
  int log_n;
  int limbs;
  int special_primes;  // 0: no keys, and what needs them costs infinity
  int digit_primes;
  int leaving = 1, entering = 0;  // primes that rescaling divides and multiplies by

  int next_limbs() const { return limbs - leaving + entering; }
  bool operator==(const CostShape&) const = default;
};

CostShape cost_shape(const ParamsSpec& spec, int level);

// How a linear map by baby and giant steps is composed (docs/packing.md).
struct LinearShape {
  int unrotated_inputs = 0;   // inputs with baby step 0: read once, beside their products
  int decomposed_inputs = 0;  // inputs with a baby step other than 0
  int babies = 0;             // (input, baby step other than 0) pairs: hoisted, left in QP
  int giants = 0;             // (output, giant step other than 0) pairs
  int extended_outputs = 0;   // outputs summed in QP: those with any rotation
  int extended_terms = 0;     // products in QP
  int plain_terms = 0;        // products in Q, of outputs without any rotation

  LinearShape& operator+=(const LinearShape& other);
};

// Microseconds, one thread. `s.limbs` counts the operand's limbs.
double decompose_us(const CostTable& t, const CostShape& s);  // inverse transform, digits, mod-up
double inner_product_us(const CostTable& t, const CostShape& s);  // digits x key, both polynomials
double mod_down_us(const CostTable& t, const CostShape& s);       // one polynomial QP -> Q
double rotate_us(const CostTable& t, const CostShape& s);         // a full rotation
// One more rotation from shared digits, left in QP.
double hoisted_rotation_us(const CostTable& t, const CostShape& s);
// Transforms of an integer plaintext, limb by limb.
double encode_us(const CostTable& t, const CostShape& s, bool extended);
// One term, both polynomials.
double multiply_plain_us(const CostTable& t, const CostShape& s, bool extended);
// Giant steps bring one polynomial down to Q, decompose it and add up in QP; one mod-down of both
// polynomials ends each output.
double linear_us(const CostTable& t, const CostShape& s, const LinearShape& map);
// The sum of `rotations` hoisted rotations and the operand itself, brought down once.
double rotate_sum_us(const CostTable& t, const CostShape& s, int rotations);
double relinearize_us(const CostTable& t, const CostShape& s);
// Relinearization whose division also rescales.
double relinearize_rescale_us(const CostTable& t, const CostShape& s);
// To the subring of half the degree (ring_switching.h): everything but the division by the special
// primes in the large ring, s.log_n. Ascending costs relinearize_us of the large ring.
double descend_us(const CostTable& t, const CostShape& s);
double square_us(const CostTable& t, const CostShape& s);
double multiply_us(const CostTable& t, const CostShape& s);
double rescale_us(const CostTable& t, const CostShape& s, int polynomials);
double add_us(const CostTable& t, const CostShape& s, int polynomials);

}  // namespace ffconv
