// Noise estimates, one per ciphertext, propagated by every operation (derivations:
// docs/precision.md).
//
// The error of one slot is close to Gaussian; `error_std` is its standard deviation and
// `message_max` a bound on |slot|, both times the ciphertext's scale. With N slots, a polynomial
// with independent coefficients of variance v has slots of variance (2N - 1) v, here rounded to 2N
// v.
#pragma once

#include "ffconv/ckks/params.h"

namespace ffconv {

struct Noise {
  double error_std = 0.0;
  double message_max = 0.0;

  // log2(error_std / scale): the error of a slot in bits.
  double error_bits(double scale) const;
};

// Rounding every coefficient to an integer: what encoding adds.
double encoding_noise(const Params& params);
double secret_key_encryption_noise(const Params& params);
// With a key of this level; where the level has keys, the product is divided by P.
double public_key_encryption_noise(const Params& params, int level);
// What rounding a ciphertext's polynomials adds when they are divided by primes.
double rounding_noise(const Params& params);
// One key switch at a level, with its mod-down.
double key_switching_noise(const Params& params, int level);
// A key switch at a level of the ring `large` that ends in the ring `target`: `large` or its
// subring of half the degree.
double ring_switching_noise(const Params& large, int level, const Params& target);

}  // namespace ffconv
