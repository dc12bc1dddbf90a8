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

// Independent values in {-1, 0, 1}, four from a word of the stream: their distance from uniform is
// 2^-57 at most for all four. Constant-time.
void sample_ternary(std::span<std::int8_t> out, SeededStream& random);

// Independent discrete Gaussians of standard deviation 3.2, cut at +-30 (what lies beyond has
// probability 2^-69), by inversion of a table of 63-bit cumulative probabilities (statistical
// distance below 2^-57 a sample). Constant-time; the same values in every tier.
void sample_gaussian(std::span<std::int8_t> out, SeededStream& random,
                     const Kernels& kernels = active_kernels());

}  // namespace ffconv
