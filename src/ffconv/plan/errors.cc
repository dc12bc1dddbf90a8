#include "ffconv/plan/errors.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace ffconv::plan {

ErrorModel::ErrorModel(const ParamsSpec& spec) : spec_(spec), n_(std::ldexp(1.0, spec.log_n)) {}

double ErrorModel::fresh() const {
  return kErrorSigma * std::sqrt(2 * n_);
}

// Coefficient 0 counts once, the others twice.
double ErrorModel::encoding(double period) {
  return std::sqrt((2 * period - 1) / 12);
}

// Two roundings: one of c0, and one of c1 that the secret s multiplies. A slot of s is close to a
// Gaussian of variance 2N * 2/3, so that s^2 has mean square 3 (2N * 2/3)^2.
double ErrorModel::rounding() const {
  return rescaling(2);
}

double ErrorModel::rescaling(int polynomials) const {
  const double secret = 2 * n_ * 2.0 / 3;
  const double third = polynomials == 3 ? 3 * secret * secret : 0.0;
  return std::sqrt(2 * n_ / 12 * (1 + secret + third));
}

// Each digit, uniform below the product D of its primes, meets a key error; P divides the sum.
double ErrorModel::key_switch(int level) const {
  const LevelSpec& spec = spec_.levels[static_cast<std::size_t>(level)];
  double log_p = 0;
  for (const std::uint16_t k : spec.special) {
    log_p += spec_.p_bits[k];
  }
  const auto size = static_cast<std::size_t>(spec.digit_primes);
  double sum = 0;
  for (std::size_t first = 0; first < spec.primes.size(); first += size) {
    double log_digit = 0;
    for (std::size_t i = first; i < std::min(first + size, spec.primes.size()); ++i) {
      log_digit += spec_.q_bits[spec.primes[i]];
    }
    sum += std::exp2(2 * (log_digit - log_p));
  }
  return 2 * n_ * kErrorSigma * std::sqrt(sum / 12);
}

}  // namespace ffconv::plan
