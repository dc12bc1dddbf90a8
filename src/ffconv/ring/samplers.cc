#include "ffconv/ring/samplers.h"

#include <array>
#include <bit>
#include <cmath>

#include "ffconv/base/parallel.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

constexpr double kSigma = 3.2;
constexpr int kTailCut = 41;

// Entry k: 2^63 P(|x| <= k), rounded down; a 63-bit uniform u has magnitude #{k : u >= entry k}.
std::array<std::uint64_t, kTailCut> make_cumulative_table() {
  std::array<long double, kTailCut + 1> mass;
  long double total = 0.0L;
  for (int k = 0; k <= kTailCut; ++k) {
    const long double weight =
        std::exp(-static_cast<long double>(k * k) / (2.0L * kSigma * kSigma));
    mass[static_cast<std::size_t>(k)] = k == 0 ? weight : 2.0L * weight;
    total += mass[static_cast<std::size_t>(k)];
  }
  std::array<std::uint64_t, kTailCut> table;
  long double cumulative = 0.0L;
  for (std::size_t k = 0; k < table.size(); ++k) {
    cumulative += mass[k];
    table[k] = static_cast<std::uint64_t>(std::floor(cumulative / total * 0x1p63L));
  }
  return table;
}

}  // namespace

Poly<Eval> sample_uniform_vartime(const Ring& ring, const Basis& basis, const Seed& seed,
                                  std::uint64_t stream) {
  FFCONV_ASSERT(stream >> 48 == 0);
  Poly<Eval> result(ring, basis);
  parallel_for(basis.size(), [&](std::size_t limb) {
    const std::uint64_t q = ring.prime(basis[limb]);
    const std::uint64_t mask = ~std::uint64_t{0} >> std::countl_zero(q);
    SeededStream random(seed, (stream << 16) + basis[limb]);
    AlignedBuffer<std::uint64_t> residues(ring.n());
    for (std::uint64_t& residue : residues) {
      do {
        residue = random.next_u64() & mask;
      } while (residue >= q);
    }
    import_limb(result, limb, residues.span());
  });
  return result;
}

void sample_ternary(std::span<std::int64_t> out, SeededStream& random) {
  for (std::int64_t& x : out) {
    x = static_cast<std::int64_t>(static_cast<u128>(random.next_u64()) * 3 >> 64) - 1;
  }
}

void sample_gaussian(std::span<std::int64_t> out, SeededStream& random) {
  static const std::array<std::uint64_t, kTailCut> kTable = make_cumulative_table();
  for (std::int64_t& x : out) {
    const std::uint64_t bits = random.next_u64();
    const std::uint64_t u = bits >> 1;
    std::int64_t magnitude = 0;
    for (const std::uint64_t bound : kTable) {
      magnitude += static_cast<std::int64_t>((bound - 1 - u) >> 63);  // 1 where u >= bound
    }
    const std::int64_t sign = -static_cast<std::int64_t>(bits & 1);
    x = (magnitude ^ sign) - sign;
  }
}

}  // namespace ffconv
