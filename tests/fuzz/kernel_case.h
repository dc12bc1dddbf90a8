// One input of the kernels' fuzzer: a ring, a prime, words and counts, the same for every tier.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fuzzer/FuzzedDataProvider.h>

#include "ffconv/ring/primes.h"
#include "ring/limb_tier.h"

namespace ffconv::fuzz {

using Values = std::vector<std::uint64_t>;
using Limb = AlignedBuffer<Word>;

inline constexpr int kMinLogN = 4, kMaxLogN = 9;  // from the smallest ring of a vector tier on
inline constexpr std::size_t kOperands = 6, kMaxSources = 63;
inline constexpr std::uint64_t kPrimeEnd = std::uint64_t{1} << 46;

// The finalizer of splitmix64 (Steele, Lea and Flood, 2014).
inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// The first prime = 1 mod 4N from 4N k + 1 on, or the last one below 2^46.
inline std::uint64_t prime_from(std::uint64_t k, int log_n) {
  const std::uint64_t step = std::uint64_t{4} << log_n;
  std::uint64_t q = step * k + 1;
  while (q < kPrimeEnd && !is_prime(q)) {
    q += step;
  }
  while (q >= kPrimeEnd || !is_prime(q)) {
    q -= step;
  }
  return q;
}

// A row of words: extremes among random ones, or one extreme everywhere.
struct Pattern {
  std::uint64_t seed;
  std::uint8_t style;

  template <typename Value, std::size_t kCount, typename Random>
  Value at(std::size_t i, const Value (&extremes)[kCount], const Random& random) const {
    if (style & 8) {
      return extremes[seed % kCount];
    }
    const std::uint64_t h = mix(seed + i);
    return h % 7 < style % 8u ? extremes[(h >> 8) % kCount] : random(mix(h));
  }
};

// What an input says: the same for all tiers.
struct Case {
  int log_n;
  std::size_t n;
  std::uint64_t q;
  Pattern patterns[kOperands];
  std::uint64_t constant;   // in [0, q)
  std::uint64_t forms;      // which words stand in their most extreme form, from this seed
  std::uint64_t form_mask;  // 0 none, 1 half of them
  std::uint8_t alias;       // which operands are one
  std::size_t terms, rows, sources;
  std::uint64_t choice;  // of what one kernel alone needs

  explicit Case(FuzzedDataProvider& input)
      : log_n(input.ConsumeIntegralInRange(kMinLogN, kMaxLogN)), n(std::size_t{1} << log_n) {
    const int bits = input.ConsumeIntegralInRange(0, 43 - log_n);
    const std::uint64_t k = std::uint64_t{1} << bits;
    q = prime_from(k + input.ConsumeIntegralInRange<std::uint64_t>(0, k - 1), log_n);
    forms = input.ConsumeIntegral<std::uint8_t>();
    form_mask = input.PickValueInArray<std::uint64_t>({0, 1, 3, ~std::uint64_t{0}});
    alias = input.ConsumeIntegral<std::uint8_t>();
    terms = input.ConsumeIntegralInRange<std::size_t>(0, 140);
    rows = input.ConsumeIntegralInRange<std::size_t>(1, 9);
    sources = input.ConsumeIntegralInRange<std::size_t>(1, kMaxSources);
    choice = input.ConsumeIntegral<std::uint64_t>();
    for (Pattern& pattern : patterns) {
      pattern = {input.ConsumeIntegral<std::uint32_t>(), input.ConsumeIntegral<std::uint8_t>()};
    }
    constant = residue({choice, input.ConsumeIntegral<std::uint8_t>()}, 0, q);
  }

  static std::uint64_t residue(const Pattern& pattern, std::size_t i, std::uint64_t q) {
    const std::uint64_t extremes[] = {0,           1,         q - 1,         (q - 1) / 2,
                                      (q + 1) / 2, q / 5 * 2, q - q / 5 * 2, q - 2};
    return pattern.at(i, extremes, [q](std::uint64_t h) { return h % q; });
  }
  Values residues(std::size_t operand, std::uint64_t modulus) const {
    Values x(n);
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = residue(patterns[operand], i, modulus);
    }
    return x;
  }
  // Doubles of magnitude below 2^62, or 2^62 itself.
  AlignedBuffer<double> doubles() const {
    constexpr double kExtremes[] = {
        0.0,          -0.0,         0.5,       -0.5,    1.5,
        2.5,          -2.5,         0x1p62,    -0x1p62, 0x1.fffffffffffffp61,
        0x1p51 + 0.5, 0x1p52 - 0.5, -0x1p-1074};
    AlignedBuffer<double> x(n);
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = patterns[0].at(i, kExtremes, [](std::uint64_t h) {
        return std::ldexp(static_cast<double>(static_cast<std::int64_t>(h)),
                          -1 - static_cast<int>(h % 100));
      });
    }
    return x;
  }
};

[[noreturn]] inline void report(const char* kernel, const Kernels& kernels, const Case& input,
                                const char* what) {
  std::fprintf(stderr, "%s, tier %s, log_n %d, q %llu: %s\n", kernel, kernels.name.data(),
               input.log_n, static_cast<unsigned long long>(input.q), what);
  std::abort();
}

// One tier at the ring of an input.
struct Tier : LimbTier {
  const Case& in;
  const char* kernel;  // the one that runs

  Tier(const Kernels& k, const Case& input, const char* name)
      : LimbTier(k, input.q, input.log_n), in(input), kernel(name) {}

  Limb operand(std::size_t number) const { return operand(number, *this); }
  // Of another prime.
  Limb operand(std::size_t number, const LimbTier& at) const {
    const Values x = in.residues(number, at.tables.q);
    Limb limb = at.import(x);
    const Limb extreme = at.import_extreme(x);
    for (std::size_t i = 0; i < n; ++i) {
      if ((mix(in.forms + number * n + i) & in.form_mask) != 0) {
        limb[i] = extreme[i];
      }
    }
    return limb;
  }

  Values checked(const Limb& limb) const {
    if (!(largest(limb) <= bound())) {
      report(kernel, kernels, in, "words beyond their bound");
    }
    return exported(limb);
  }

  // The integers of digits and overflows.
  Values integers(const Limb& digit) const {
    Values x(n);
    std::transform(digit.begin(), digit.end(), x.begin(), [this](Word word) {
      return holds_doubles(kernels) ? static_cast<std::uint64_t>(
                                          static_cast<std::int64_t>(std::bit_cast<double>(word)))
                                    : word;
    });
    return x;
  }
};

}  // namespace ffconv::fuzz
