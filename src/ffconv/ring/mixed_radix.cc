#include "ffconv/ring/mixed_radix.h"

#include <algorithm>

#include "ffconv/base/assert.h"
#include "ffconv/base/parallel.h"
#include "ffconv/base/secure.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

constexpr std::size_t kChunk = 1024;  // words of every limb at a time: they stay in cache

// What digit i needs.
struct Step {
  std::vector<Constant> weights;  // R_j modulo q_i, j < i
  Constant inverse;               // of R_i
};

std::vector<Step> make_steps(const Ring& ring, const Basis& basis) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < basis.size(); ++i) {
    const std::uint64_t q = ring.prime(basis[i]);
    Step step;
    std::uint64_t radix = 1;
    for (std::size_t j = 0; j < i; ++j) {
      step.weights.push_back(ring.constant(radix, basis[i]));
      radix = mul_mod(radix, ring.prime(basis[j]) % q, q);
    }
    step.inverse = ring.constant(inverse_mod(radix, q), basis[i]);
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace

void centred_values(double* values, const std::vector<Word*>& limbs, const Ring& ring,
                    const Basis& basis) {
  FFCONV_ASSERT(limbs.size() == basis.size() && !limbs.empty());
  const Kernels& kernels = ring.kernels();
  const std::vector<Step> steps = make_steps(ring, basis);
  std::vector<double> moduli;
  for (const std::uint16_t prime : basis) {
    moduli.push_back(static_cast<double>(ring.prime(prime)));
  }
  const std::size_t chunk = std::min(kChunk, ring.n());
  parallel_for(ring.n() / chunk, [&](std::size_t part) {
    alignas(64) Word lower[kChunk];
    std::vector<const Word*> digits;
    for (std::size_t i = 0; i < basis.size(); ++i) {
      const LimbTables& tables = ring.tables(basis[i]);
      Word* limb = limbs[i] + part * chunk;
      if (i > 0) {
        kernels.extend(lower, digits.data(), steps[i].weights.data(), i, nullptr, Constant{}, chunk,
                       tables);
        kernels.sub(limb, limb, lower, chunk, tables);
      }
      kernels.make_digit(limb, limb, steps[i].inverse, chunk, tables);
      digits.push_back(limb);
    }
    kernels.combine_digits(values + part * chunk, digits.data(), moduli.data(), basis.size(),
                           chunk);
    zeroize(lower, chunk * sizeof(Word));
  });
}

}  // namespace ffconv
