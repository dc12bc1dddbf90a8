#include "ffconv/ckks/context.h"

#include <algorithm>

#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

std::vector<std::uint64_t> all_primes(const Params& params) {
  std::vector<std::uint64_t> primes = params.q();
  primes.insert(primes.end(), params.p().begin(), params.p().end());
  return primes;
}

Basis range(std::size_t begin, std::size_t end) {
  Basis basis;
  for (std::size_t i = begin; i < end; ++i) {
    basis.push_back(static_cast<std::uint16_t>(i));
  }
  return basis;
}

}  // namespace

std::shared_ptr<const Context> Context::make(const Params& params, const Kernels& kernels) {
  return std::shared_ptr<const Context>(new Context(params, kernels));
}

Context::Context(const Params& params, const Kernels& kernels)
    : params_(params),
      ring_(params.log_n(), all_primes(params), kernels),
      embedding_(params.log_n(), kernels) {
  const std::size_t q_count = params.q().size(), p_count = params.p().size();
  const Basis special = range(q_count, q_count + p_count);
  for (std::size_t level = 1; level < q_count; ++level) {
    rescale_.emplace_back(ring_, range(0, level), range(level, level + 1));
  }
  for (std::size_t i = 0; i < q_count; ++i) {
    std::uint64_t residue = 1;
    for (const std::uint64_t p : params.p()) {
      residue = mul_mod(residue, p % params.q()[i], params.q()[i]);
    }
    p_residues_.push_back(residue);
  }
  for (int level = 0; level <= params.max_key_level(); ++level) {
    const auto limbs = static_cast<std::size_t>(level) + 1;
    mod_down_.emplace_back(ring_, range(0, limbs), special);
    if (level > 0) {
      Basis dropped = range(limbs - 1, limbs);
      dropped.insert(dropped.end(), special.begin(), special.end());
      mod_down_rescale_.emplace_back(ring_, range(0, limbs - 1), dropped);
    }
    std::vector<BasisExtension> digits;
    for (int digit = 0; digit < params.digit_count(level); ++digit) {
      const auto first = static_cast<std::size_t>(digit * params.digit_primes());
      const auto last = std::min(first + static_cast<std::size_t>(params.digit_primes()), limbs);
      Basis others = range(0, first);
      const Basis above = range(last, limbs);
      others.insert(others.end(), above.begin(), above.end());
      others.insert(others.end(), special.begin(), special.end());
      digits.emplace_back(ring_, range(first, last), others);
    }
    mod_up_.push_back(std::move(digits));
  }
}

Basis Context::q_basis(int level) const {
  return range(0, static_cast<std::size_t>(level) + 1);
}

Basis Context::qp_basis(int level) const {
  Basis basis = q_basis(level);
  const Basis special = range(params_.q().size(), params_.q().size() + params_.p().size());
  basis.insert(basis.end(), special.begin(), special.end());
  return basis;
}

}  // namespace ffconv
