// Contexts, keys and measured precision for the tests of the scheme.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ffconv/ckks/context.h"
#include "ffconv/ckks/keys.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/ckks/secret/key_generator.h"
#include "ffconv/ckks/secret/secret_key.h"

namespace ffconv {

// Small rings, no security: fast tests of the algebra.
inline ParamsSpec insecure_spec(int log_n, int levels, double bits, int special, int digit_primes) {
  std::vector<double> q_bits(static_cast<std::size_t>(levels) + 1, bits);
  q_bits[0] = 45;
  ParamsSpec spec =
      one_prime_a_level(log_n, q_bits, std::vector<double>(static_cast<std::size_t>(special), 46.0),
                        digit_primes, levels);
  spec.security = Security::kInsecureForTesting;
  return spec;
}

// One digit per prime, digits of several primes, and uneven last digits.
inline std::vector<ParamsSpec> algebra_specs() {
  return {insecure_spec(10, 3, 40.0, 1, 1), insecure_spec(10, 4, 40.0, 2, 2),
          insecure_spec(9, 6, 30.0, 3, 3)};
}

struct Fixture {
  ContextPtr context;
  SecretKey secret;
  EvaluationKeys keys;

  explicit Fixture(const ParamsSpec& spec, const Kernels& kernels = active_kernels())
      : context(Context::make(Params(spec), kernels)), secret(SecretKey::generate(context)) {}

  void add_rotation(int step, int level) {
    keys.rotations.emplace(std::pair(step, level), KeyGenerator(secret).rotation_key(step, level));
  }
  void add_relinearization(int level) {
    keys.relinearization.emplace(level, KeyGenerator(secret).relinearization_key(level));
  }
};

inline std::vector<double> random_slots(std::size_t n, std::mt19937_64& random, double max = 1.0) {
  std::uniform_real_distribution<double> uniform(-max, max);
  std::vector<double> slots(n);
  for (double& x : slots) {
    x = uniform(random);
  }
  return slots;
}

inline std::vector<double> rotated(const std::vector<double>& x, int step) {
  std::vector<double> y(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    y[j] = x[(j + static_cast<std::size_t>(step)) % x.size()];
  }
  return y;
}

// Precision of measured against expected slots: -log2 |error| over the slots.
struct PrecisionStats {
  double min_bits, mean_bits, median_bits, std_bits;  // of the per-slot bits
  double error_std;                                   // standard deviation of the errors

  PrecisionStats(const std::vector<double>& measured, const std::vector<double>& expected) {
    std::vector<double> bits;
    double square_sum = 0.0;
    for (std::size_t j = 0; j < measured.size(); ++j) {
      const double error = measured[j] - expected[j];
      square_sum += error * error;
      bits.push_back(-std::log2(std::max(std::abs(error), 0x1p-60)));
    }
    std::sort(bits.begin(), bits.end());
    const auto count = static_cast<double>(bits.size());
    error_std = std::sqrt(square_sum / count);
    min_bits = bits.front();
    median_bits = bits[bits.size() / 2];
    mean_bits = 0.0;
    for (const double b : bits) {
      mean_bits += b / count;
    }
    double variance = 0.0;
    for (const double b : bits) {
      variance += (b - mean_bits) * (b - mean_bits) / count;
    }
    std_bits = std::sqrt(variance);
  }

  // The row of the table in docs/precision.md, on request (FFCONV_PRINT_PRECISION=1).
  void print(const std::string& name) const {
    if (std::getenv("FFCONV_PRINT_PRECISION") != nullptr) {
      std::printf("| %s | %.1f | %.1f | %.1f | %.1f |\n", name.c_str(), min_bits, mean_bits,
                  median_bits, std_bits);
    }
  }
};

// The decrypted slots are right to within 2^4.5 times the estimate, and the estimate is tight:
// measured noise between 2^-3.5 and 2^1 of it. Slots of errors are products of Gaussians (rounding
// times secret): the worst of a thousand is some 12 standard deviations out.
inline void expect_noise_as_estimated(const SecretKey& secret, const Ciphertext& c,
                                      const std::vector<double>& expected, const std::string& what,
                                      double tail_bits = 4.5) {
  const PrecisionStats stats(decrypt_raw(secret, c), expected);
  const double estimate = c.noise.error_std / c.scale;
  EXPECT_LT(std::log2(stats.error_std / estimate), 1.0) << what;
  EXPECT_GT(std::log2(stats.error_std / estimate), -3.5) << what;
  EXPECT_GT(stats.min_bits, -std::log2(estimate) - tail_bits) << what;
}

}  // namespace ffconv
