// Pearson's chi-square test of observed counts against exact probabilities.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace ffconv::testing {

// P(X >= statistic) for a chi-square variable of `degrees` degrees of freedom, at least 1.
// Q(a + 1, x) = Q(a, x) + x^a e^-x / Gamma(a + 1) with a = degrees / 2, x = statistic / 2, from
// Q(1/2, x) = erfc(sqrt x) or Q(1, x) = e^-x (Abramowitz and Stegun 26.4.4, 26.4.5).
inline double chi_square_survival(double statistic, int degrees) {
  const double x = statistic / 2.0;
  const bool odd = degrees % 2 == 1;
  double survival = odd ? std::erfc(std::sqrt(x)) : std::exp(-x);
  for (double a = odd ? 0.5 : 1.0; a < degrees / 2.0; a += 1.0) {
    survival += std::exp(a * std::log(x) - x - std::lgamma(a + 1.0));
  }
  return survival;
}

// How likely counts are that differ from the probabilities by at least as much. counts.size() ==
// probabilities.size() >= 2, the probabilities sum to 1; every expected count should be 5 or more.
inline double chi_square_p_value(const std::vector<std::uint64_t>& counts,
                                 const std::vector<double>& probabilities) {
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts) {
    total += count;
  }
  double statistic = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = probabilities[i] * static_cast<double>(total);
    const double difference = static_cast<double>(counts[i]) - expected;
    statistic += difference * difference / expected;
  }
  return chi_square_survival(statistic, static_cast<int>(counts.size()) - 1);
}

}  // namespace ffconv::testing
