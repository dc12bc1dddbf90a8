// How large the errors of CKKS operations are: standard deviations in one slot, before division by
// the ciphertext's scale.
//
// A coefficient error of variance v that is independent from coefficient to coefficient appears in
// a slot a_0 + sum a_i (zeta^i + zeta^-i) with variance 2N v. Rounding errors are uniform, v =
// 1/12; a secret is uniform ternary, v = 2/3; key and encryption errors have sigma 3.2. Derivations
// and measurements: docs/precision.md.
#pragma once

#include "ffconv/ckks/params.h"

namespace ffconv::plan {

class ErrorModel {
 public:
  explicit ErrorModel(const ParamsSpec& spec);

  // A fresh secret-key encryption.
  double fresh() const;
  // Rounding a plaintext vector of this period (1 to N): it lives in a subring of `period`
  // coefficients. Relative to the plaintext's scale.
  static double encoding(double period);
  // Dividing two polynomials by primes and rounding: rescaling, and the end of a key switch.
  double rounding() const;
  // Rescaling. Of three polynomials it costs far more, as the rounding of the third meets the
  // square of the secret.
  double rescaling(int polynomials) const;
  // What the key's errors add in one key switch at `level`, without the rounding at its end; the
  // level has special primes.
  double key_switch(int level) const;

 private:
  ParamsSpec spec_;
  double n_;
};

}  // namespace ffconv::plan
