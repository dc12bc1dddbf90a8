#include "ffconv/plan/errors.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

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
  const double log_p = std::accumulate(spec_.p_bits.begin(), spec_.p_bits.end(), 0.0);
  const auto count = static_cast<std::size_t>(level) + 1;
  const auto digit = static_cast<std::size_t>(spec_.digit_primes);
  double sum = 0;
  for (std::size_t i = 0; i < count; i += digit) {
    const auto first = spec_.q_bits.begin() + static_cast<std::ptrdiff_t>(i);
    const auto last =
        spec_.q_bits.begin() + static_cast<std::ptrdiff_t>(std::min(i + digit, count));
    const double ratio = std::exp2(std::accumulate(first, last, 0.0) - log_p);
    sum += ratio * ratio;
  }
  return 2 * n_ * kErrorSigma * std::sqrt(sum / 12);
}

}  // namespace ffconv::plan
