#include "ffconv/ckks/noise.h"

#include <algorithm>
#include <cmath>

namespace ffconv {
namespace {

constexpr double kTernaryVariance = 2.0 / 3.0;
constexpr double kRoundingVariance = 1.0 / 12.0;

// Variance of a slot of a polynomial whose coefficients have variance v.
double slot_variance(const Params& params, double v) {
  return 2.0 * static_cast<double>(params.n()) * v;
}

double secret_variance(const Params& params) {
  return slot_variance(params, kTernaryVariance);
}

}  // namespace

double Noise::error_bits(double scale) const {
  return std::log2(error_std / scale);
}

double encoding_noise(const Params& params) {
  return std::sqrt(slot_variance(params, kRoundingVariance));
}

double secret_key_encryption_noise(const Params& params) {
  return std::sqrt(slot_variance(params, kErrorSigma * kErrorSigma + kRoundingVariance));
}

// v e + e_0 + e_1 s with ternary v and s.
double public_key_encryption_noise(const Params& params, bool extended) {
  const double e = slot_variance(params, kErrorSigma * kErrorSigma);
  const double variance = 2.0 * e * secret_variance(params) + e;
  const double rounding = extended ? rounding_noise(params) : 0.0;
  const double p = extended ? static_cast<double>(params.p()[0]) : 1.0;
  return std::sqrt(variance / (p * p) + rounding * rounding +
                   slot_variance(params, kRoundingVariance));
}

double rounding_noise(const Params& params) {
  return std::sqrt(slot_variance(params, kRoundingVariance) * (1.0 + secret_variance(params)));
}

// Digits are uniform modulo D_j: sum_j d_j e_j / P, then the rounding of the division by P.
double key_switching_noise(const Params& params, int level) {
  const double e = slot_variance(params, kErrorSigma * kErrorSigma);
  const double p = std::exp2(params.log_p());
  double variance = 0.0;
  for (int digit = 0; digit < params.digit_count(level); ++digit) {
    const int first = digit * params.digit_primes();
    const int last = std::min(first + params.digit_primes() - 1, level);
    const double log_digit = params.log_q(last) - (first == 0 ? 0.0 : params.log_q(first - 1));
    const double ratio = std::exp2(log_digit) / p;
    variance += slot_variance(params, ratio * ratio / 12.0) * e;
  }
  const double rounding = rounding_noise(params);
  return std::sqrt(variance + rounding * rounding);
}

}  // namespace ffconv
