#include "ffconv/ckks/context.h"

#include <algorithm>
#include <iterator>

#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

std::vector<std::uint64_t> all_primes(const Params& params) {
  std::vector<std::uint64_t> primes = params.q();
  primes.insert(primes.end(), params.p().begin(), params.p().end());
  return primes;
}

}  // namespace

std::shared_ptr<const Context> Context::make(const Params& params, const Kernels& kernels) {
  return std::shared_ptr<const Context>(new Context(params, kernels));
}

Context::Context(const Params& params, const Kernels& kernels)
    : params_(params),
      ring_(params.log_n(), all_primes(params), kernels),
      embedding_(params.log_n(), kernels) {
  for (int level = 0; level <= params.max_level(); ++level) {
    levels_.push_back(make_level(level));
  }
}

Context::Level Context::make_level(int number) const {
  Level level;
  const auto& primes = params_.level(number).primes;
  level.q = level.qp = Basis(primes.begin(), primes.end());
  for (const std::uint16_t special : params_.level(number).special) {
    level.qp.push_back(static_cast<std::uint16_t>(params_.q().size() + special));
  }
  if (number > 0) {
    level.rescale.emplace(ring_, level.q, q_basis(number - 1));
  }
  if (params_.has_keys(number)) {
    add_key_tables(level, number);
  }
  return level;
}

void Context::add_key_tables(Level& level, int number) const {
  const Basis special(level.qp.begin() + static_cast<std::ptrdiff_t>(level.q.size()),
                      level.qp.end());
  // Extended polynomials hold 1 / P times the residues of Q, and those of P as they are.
  std::vector<std::uint64_t> scale(level.qp.size(), 1);
  for (std::size_t i = 0; i < level.q.size(); ++i) {
    const std::uint64_t q = ring_.prime(level.q[i]);
    std::uint64_t p = 1;
    for (const std::uint16_t prime : special) {
      p = mul_mod(p, ring_.prime(prime) % q, q);
    }
    scale[i] = inverse_mod(p, q);
    level.inverse_p.push_back(scale[i]);
  }
  level.switch_down.emplace(ring_, level.qp, level.q, scale);
  if (number > 0) {
    level.switch_down_rescale.emplace(ring_, level.qp, q_basis(number - 1), scale);
  }
  for (int digit = 0; digit < params_.digit_count(number); ++digit) {
    const auto own = params_.digit(number, digit);
    Basis others;
    std::copy_if(
        level.qp.begin(), level.qp.end(), std::back_inserter(others),
        [&](std::uint16_t prime) { return std::find(own.begin(), own.end(), prime) == own.end(); });
    level.mod_up.emplace_back(ring_, Basis(own.begin(), own.end()), others);
  }
}

}  // namespace ffconv
