// Samplers of RLWE: uniform from a public seed; ternary and discrete Gaussian in constant time.
#pragma once

#include <cstdint>
#include <span>

#include "ffconv/base/random.h"
#include "ffconv/ring/poly.h"

namespace ffconv {

// A uniform polynomial, in evaluation form, from a public seed: limb of prime number p is read from
// SeededStream(seed, stream * 2^16 + p) by rejection on 8-byte little-endian words masked to the
// bit length of the prime; word i of the limb is the i-th accepted residue. Equal arguments give
// equal polynomials for ever, in every tier and for every basis that contains the prime: files
// depend on it. stream < 2^48. Not constant-time: the seed is public.
Poly<Eval> sample_uniform_vartime(const Ring& ring, const Basis& basis, const Seed& seed,
                                  std::uint64_t stream);

// Independent values in {-1, 0, 1}, each with probability 1/3 up to 2^-62. Constant-time.
void sample_ternary(std::span<std::int64_t> out, SeededStream& random);

// Independent discrete Gaussians of standard deviation 3.2, cut at +-41, by inversion of a table of
// 63-bit cumulative probabilities (statistical distance below 2^-57 a sample). Constant-time.
void sample_gaussian(std::span<std::int64_t> out, SeededStream& random);

}  // namespace ffconv
