#include "ffconv/ring/samplers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "ffconv/base/parallel.h"
#include "ffconv/base/secure.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

constexpr double kSigma = 3.2;
constexpr std::size_t kTailCut = 30;
constexpr std::size_t kBlockWords = 1024;  // of the stream, at a time

// A 63-bit uniform u has magnitude #{k : u > entry k}. Entry k: 2^63 P(|x| <= k), rounded down,
// less 1.
std::array<std::uint64_t, kTailCut> make_cumulative_table() {
  std::array<long double, kTailCut + 1> mass;
  long double total = 0.0L;
  for (std::size_t k = 0; k <= kTailCut; ++k) {
    const long double weight =
        std::exp(-static_cast<long double>(k * k) / (2.0L * kSigma * kSigma));
    mass[k] = k == 0 ? weight : 2.0L * weight;
    total += mass[k];
  }
  std::array<std::uint64_t, kTailCut> table;
  long double cumulative = 0.0L;
  for (std::size_t k = 0; k < table.size(); ++k) {
    cumulative += mass[k];
    table[k] = static_cast<std::uint64_t>(std::floor(cumulative / total * 0x1p63L)) - 1;
  }
  return table;
}

// Writes accepted residues to dst, which has room for kBlockWords more than `count`.
void sample_residues_vartime(std::uint64_t* dst, std::size_t count, std::uint64_t q,
                             SeededStream& random) {
  const std::uint64_t mask = ~std::uint64_t{0} >> std::countl_zero(q);
  std::array<std::uint64_t, kBlockWords> words;
  for (std::size_t accepted = 0; accepted < count;) {
    random.fill(words);
    for (const std::uint64_t word : words) {  // without a branch, which would be wrong too often
      dst[accepted] = word & mask;
      accepted += (word & mask) < q ? 1 : 0;
    }
  }
}

}  // namespace

Poly<Eval> sample_uniform_vartime(const Ring& ring, const Basis& basis, const Seed& seed,
                                  std::uint64_t stream) {
  FFCONV_ASSERT(stream >> 48 == 0);
  Poly<Eval> result(ring, basis);
  parallel_for(basis.size(), [&](std::size_t limb) {
    SeededStream random(seed, (stream << 16) + basis[limb]);
    AlignedBuffer<std::uint64_t> residues(ring.n() + kBlockWords);
    sample_residues_vartime(residues.data(), ring.n(), ring.prime(basis[limb]), random);
    import_limb(result, limb, residues.span().first(ring.n()));
  });
  return result;
}

void sample_ternary(std::span<std::int8_t> out, SeededStream& random) {
  std::array<std::uint64_t, kBlockWords> words;
  while (!out.empty()) {
    const std::size_t count = std::min(out.size(), 4 * kBlockWords);
    random.fill(std::span(words).first((count + 3) / 4));
    for (std::size_t i = 0; i < count; ++i) {
      // The word is a fraction: three times it is a digit and the fraction for the next.
      const u128 tripled = static_cast<u128>(words[i / 4]) * 3;
      words[i / 4] = static_cast<std::uint64_t>(tripled);
      out[i] = static_cast<std::int8_t>(static_cast<int>(tripled >> 64) - 1);
    }
    out = out.subspan(count);
  }
  zeroize(words.data(), sizeof(words));
}

void sample_gaussian(std::span<std::int8_t> out, SeededStream& random, const Kernels& kernels) {
  static const std::array<std::uint64_t, kTailCut> kTable = make_cumulative_table();
  alignas(64) std::array<std::uint64_t, kBlockWords> words;
  alignas(64) std::array<std::int8_t, kBlockWords> samples;
  while (!out.empty()) {
    random.fill(words);
    kernels.invert_cumulative(samples.data(), words.data(), kBlockWords, kTable.data(), kTailCut);
    const std::size_t count = std::min(out.size(), kBlockWords);
    std::copy_n(samples.begin(), count, out.begin());
    out = out.subspan(count);
  }
  zeroize(words.data(), sizeof(words));
  zeroize(samples.data(), sizeof(samples));
}

}  // namespace ffconv
