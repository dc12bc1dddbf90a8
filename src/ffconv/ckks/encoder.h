// Encoding: N real slots <-> a polynomial of R.
//
// Slot j of a polynomial f is f(zeta^(5^j)), zeta = exp(2 pi i / 4N): a real number, since f is
// invariant under X -> 1/X. Encode: a = round(scale * embedding^-1(slots)); the embedding is the
// ring's fold and transform over the complex numbers (psi = i). Relative error of encode and decode
// together: below 2^-40 of the largest slot, plus the rounding to integers (docs/precision.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ffconv/base/aligned_buffer.h"
#include "ffconv/ckks/ciphertext.h"

namespace ffconv {

// round(scale * embedding^-1(slots)), before any prime.
struct IntegerPlaintext {
  AlignedBuffer<std::int64_t> coefficients;  // [N]
  double scale = 0.0;
  double max_abs = 0.0;              // largest |slot|
  double largest_coefficient = 0.0;  // magnitude, below 2^62
};

// slots.size() is a power of two that divides N; shorter vectors repeat. Throws kInvalidArgument
// for other sizes, values that are not below 2^900, a scale that is not positive, and coefficients
// that would reach 2^62. Constant-time in the values, unless it throws.
IntegerPlaintext encode_integers(const Context& context, std::span<const double> slots,
                                 double scale);

// The same over the primes of a level; throws also for a level outside the parameters.
Plaintext encode(const Context& context, std::span<const double> slots, double scale, int level,
                 bool extended = false);

// The N slots of a polynomial in coefficient form, |coefficient| < Q/2, divided by scale.
// Constant-time in the data.
std::vector<double> decode(const Context& context, const Poly<Coeff>& poly, double scale);

// The centred coefficients as doubles (ring/mixed_radix.h). Constant-time in the data.
std::vector<double> centred_coefficients(const Context& context, const Poly<Coeff>& poly);

}  // namespace ffconv
