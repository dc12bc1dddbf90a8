// Homomorphic operations, one function each; no secret, no state.
//
// Every function checks what it is given and throws kMismatch naming both sides where parameters,
// levels or scales differ (scales: by more than 2^-40 relative), kMissingKey where a key was not
// made, and kInvalidArgument where an operation has no level left. Results carry exact scales and
// noise estimates. Slots are cyclic: rotate(x, k) has slot j + k of x in slot j.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"

namespace ffconv {

// Equal levels, scales and numbers of polynomials.
Ciphertext add(const Ciphertext& a, const Ciphertext& b);
Ciphertext sub(const Ciphertext& a, const Ciphertext& b);

// The plaintext has the ciphertext's level and scale, is not extended.
Ciphertext add_plain(const Ciphertext& a, const Plaintext& b);

// Scales multiply; not rescaled. The plaintext has the ciphertext's level, is not extended.
Ciphertext multiply_plain(const Ciphertext& a, const Plaintext& b);

// Multiplies every slot by round(value * scale) / scale; no plaintext polynomial is needed.
// |value * scale| < 2^62.
Ciphertext multiply_scalar(const Ciphertext& a, double value, double scale);

// Two polynomials each; the result has three and is neither relinearized nor rescaled.
Ciphertext multiply(const Ciphertext& a, const Ciphertext& b);
Ciphertext square(const Ciphertext& a);

// Three polynomials -> two.
Ciphertext relinearize(const Ciphertext& a, const EvaluationKeys& keys);

// rescale(relinearize(a)) with one division: one rounding, and cheaper. Rescaling
// three polynomials first and relinearizing one level lower would be cheaper still, but its
// rounding of c_2 meets s^2: 6 to 8 bits are lost (docs/precision.md).
Ciphertext relinearize_rescale(const Ciphertext& a, const EvaluationKeys& keys);

// From Q_level to Q_(level-1): level and scale fall, the scale by Params::rescale_factor. Any
// number of polynomials.
Ciphertext rescale(const Ciphertext& a);

// Forgets primes down to `level`; the scale stays. Throws kInvalidArgument where `level` has primes
// that the ciphertext's level has not.
Ciphertext drop_level(const Ciphertext& a, int level);

// Two polynomials. Any step; taken modulo N, 0 copies.
Ciphertext rotate(const Ciphertext& a, int step, const EvaluationKeys& keys);

// rotate(a, k) for each step, from one decomposition.
std::vector<Ciphertext> rotate_hoisted(const Ciphertext& a, std::span<const int> steps,
                                       const EvaluationKeys& keys);

// sum over steps of rotate(a, k), from one decomposition and with one mod-down.
Ciphertext rotate_sum(const Ciphertext& a, std::span<const int> steps, const EvaluationKeys& keys);

namespace internal {
void check_same(const Ciphertext& a, const Ciphertext& b, const char* operation);
void check_scales(double a, double b, const char* operation);
void check_polynomials(const Ciphertext& a, std::size_t count, const char* operation);
// What linear maps of several ciphertexts ask of these: as many as `count`, equal scales, two
// polynomials each, at the level for which the weights are encoded.
void check_operands(std::span<const Ciphertext* const> inputs, std::size_t count, int level,
                    const char* operation);
int normalized_step(const Context& context, int step);
// round(value * scale); throws kInvalidArgument from 2^62 on and for a scale that is not positive.
std::int64_t scaled_integer(double value, double scale, const char* operation);
}  // namespace internal

}  // namespace ffconv
