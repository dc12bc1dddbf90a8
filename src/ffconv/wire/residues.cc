#include "ffconv/wire/residues.h"

#include <algorithm>
#include <bit>
#include <vector>

#include <fmt/format.h>

#include "ffconv/base/aligned_buffer.h"

namespace ffconv::wire {
namespace {

int residue_bits(std::uint64_t q) {
  return static_cast<int>(std::bit_width(q - 1));
}

// A whole number: n is at least 16.
std::size_t limb_bytes(std::size_t n, std::uint64_t q) {
  return n / 8 * static_cast<std::size_t>(residue_bits(q));
}

}  // namespace

void pack_bits(std::span<std::uint8_t> dst, std::span<const std::uint64_t> src, int bits) {
  std::uint8_t* next = dst.data();
  std::uint64_t buffer = 0;
  int held = 0;
  for (const std::uint64_t value : src) {
    buffer |= value << held;
    for (held += bits; held >= 8; held -= 8) {
      *next++ = static_cast<std::uint8_t>(buffer);
      buffer >>= 8;
    }
  }
  if (held > 0) {
    *next = static_cast<std::uint8_t>(buffer);
  }
}

void unpack_bits(std::span<std::uint64_t> dst, std::span<const std::uint8_t> src, int bits) {
  const std::uint8_t* next = src.data();
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  std::uint64_t buffer = 0;
  int held = 0;
  for (std::uint64_t& value : dst) {
    for (; held < bits; held += 8) {
      buffer |= std::uint64_t{*next++} << held;
    }
    value = buffer & mask;
    buffer >>= bits;
    held -= bits;
  }
}

std::size_t poly_bytes(const Params& params, int level, bool extended) {
  std::size_t bytes = 0;
  for (const std::uint16_t k : params.level(level).primes) {
    bytes += limb_bytes(params.n(), params.q()[k]);
  }
  for (const std::uint16_t k : params.level(level).special) {
    bytes += extended ? limb_bytes(params.n(), params.p()[k]) : 0;
  }
  return bytes;
}

void write_poly(ByteWriter& writer, const Poly<Eval>& poly) {
  const std::size_t n = poly.ring().n();
  AlignedBuffer<std::uint64_t> residues(n);
  std::vector<std::uint8_t> packed;
  for (std::size_t i = 0; i < poly.limb_count(); ++i) {
    const std::uint64_t q = poly.tables(i).q;
    export_limb(residues.span(), poly, i);
    packed.resize(limb_bytes(n, q));
    pack_bits(packed, residues.span(), residue_bits(q));
    writer.bytes(packed);
  }
}

Poly<Eval> read_poly(ByteReader& reader, const Ring& ring, const Basis& basis) {
  std::size_t size = 0;
  for (const std::uint16_t prime : basis) {
    size += limb_bytes(ring.n(), ring.prime(prime));
  }
  std::span<const std::uint8_t> packed = reader.bytes(size);
  AlignedBuffer<std::uint64_t> residues(ring.n());
  Poly<Eval> poly(ring, basis);
  for (std::size_t i = 0; i < basis.size(); ++i) {
    const std::uint64_t q = ring.prime(basis[i]);
    unpack_bits(residues.span(), packed.first(limb_bytes(ring.n(), q)), residue_bits(q));
    if (!std::all_of(residues.begin(), residues.end(), [q](std::uint64_t r) { return r < q; })) {
      reader.reject(
          fmt::format("a residue in limb {} of the polynomial that ends here is not below "
                      "its prime {}",
                      i, q));
    }
    import_limb(poly, i, residues.span());
    packed = packed.subspan(limb_bytes(ring.n(), q));
  }
  return poly;
}

}  // namespace ffconv::wire
