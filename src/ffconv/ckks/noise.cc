#include "ffconv/ckks/noise.h"

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

// Digits are uniform modulo D_j: sum_j d_j e_j / P.
double digit_variance(const Params& params, int level) {
  const double e = slot_variance(params, kErrorSigma * kErrorSigma);
  double variance = 0.0;
  for (int digit = 0; digit < params.digit_count(level); ++digit) {
    double log_ratio = -params.log_p(level);
    for (const std::uint16_t k : params.digit(level, digit)) {
      log_ratio += std::log2(static_cast<double>(params.q()[k]));
    }
    variance += slot_variance(params, std::exp2(2.0 * log_ratio) / 12.0) * e;
  }
  return variance;
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
double public_key_encryption_noise(const Params& params, int level) {
  const bool extended = params.has_keys(level);
  const double e = slot_variance(params, kErrorSigma * kErrorSigma);
  const double variance = 2.0 * e * secret_variance(params) + e;
  const double rounding = extended ? rounding_noise(params) : 0.0;
  const double p = extended ? static_cast<double>(params.p()[params.level(level).special[0]]) : 1.0;
  return std::sqrt(variance / (p * p) + rounding * rounding +
                   slot_variance(params, kRoundingVariance));
}

double rounding_noise(const Params& params) {
  return std::sqrt(slot_variance(params, kRoundingVariance) * (1.0 + secret_variance(params)));
}

double key_switching_noise(const Params& params, int level) {
  const double rounding = rounding_noise(params);
  return std::sqrt(digit_variance(params, level) + rounding * rounding);
}

// Half the variance both ways: going down, two slots of independent errors are averaged; going up,
// digits lie in the subring and have half as many coefficients.
double ring_switching_noise(const Params& large, int level, const Params& target) {
  const double rounding = rounding_noise(target);
  return std::sqrt(digit_variance(large, level) / 2.0 + rounding * rounding);
}

}  // namespace ffconv
