// Polynomials in files: canonical residues in the order of evaluation form
// (ring/kernels/kernels.h), limb after limb, each residue in bit_width(q - 1) bits, lowest bits
// first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ffconv/base/bytes.h"
#include "ffconv/ckks/context.h"
#include "ffconv/ring/poly.h"

namespace ffconv::wire {

// Bytes of a polynomial over the primes of the level, with its special primes where
// `extended`.
std::size_t poly_bytes(const Params& params, int level, bool extended);

void write_poly(ByteWriter& writer, const Poly<Eval>& poly);
// A polynomial over `basis`. Throws kFormat for a residue that is not below its prime.
Poly<Eval> read_poly(ByteReader& reader, const Ring& ring, const Basis& basis);

// dst.size() == ceil(src.size() * bits / 8), bits in [1, 56], every value below 2^bits.
void pack_bits(std::span<std::uint8_t> dst, std::span<const std::uint64_t> src, int bits);
void unpack_bits(std::span<std::uint64_t> dst, std::span<const std::uint8_t> src, int bits);

}  // namespace ffconv::wire
