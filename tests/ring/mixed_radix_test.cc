#include "ffconv/ring/mixed_radix.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "ffconv/ring/modulus.h"
#include "ffconv/ring/poly.h"
#include "ffconv/ring/primes.h"
#include "ring/tier_param.h"

namespace ffconv {
namespace {

constexpr std::uint64_t kSeed = 20260712;
constexpr int kLogN = 7;

std::vector<std::uint64_t> make_primes(std::size_t count, double bits) {
  std::vector<std::uint64_t> primes;
  for (std::size_t i = 0; i < count; ++i) {
    primes.push_back(find_prime(kLogN, i == 1 ? 20.0 : bits, primes));
  }
  return primes;
}

// digits[i][k]: mixed-radix digit i of word k, any integer. Gives sum over i of digits[i] R_i in
// the tier's limbs, and in long double.
struct Numbers {
  const Ring& ring;
  Basis basis;
  Poly<Coeff> poly;
  std::vector<long double> exact;

  Numbers(const Ring& r, const std::vector<std::vector<std::int64_t>>& digits)
      : ring(r), exact(r.n(), 0.0L) {
    for (std::size_t i = 0; i < ring.prime_count(); ++i) {
      basis.push_back(static_cast<std::uint16_t>(i));
    }
    poly = Poly<Coeff>(ring, basis);
    for (std::size_t limb = 0; limb < basis.size(); ++limb) {
      const std::uint64_t q = ring.prime(limb);
      AlignedBuffer<std::uint64_t> residues(ring.n(), 0);
      std::uint64_t radix = 1;
      for (std::size_t i = 0; i < digits.size(); ++i) {
        for (std::size_t k = 0; k < ring.n(); ++k) {
          const std::uint64_t digit = reduce_signed(digits[i][k], q);
          residues[k] = add_mod(residues[k], mul_mod(digit, radix, q), q);
        }
        radix = mul_mod(radix, ring.prime(i) % q, q);
      }
      ring.kernels().import_limb(poly.limb(limb), residues.data(), ring.n(), ring.tables(limb));
    }
    for (std::size_t k = 0; k < ring.n(); ++k) {
      for (std::size_t i = digits.size(); i-- > 0;) {  // Horner
        exact[k] =
            exact[k] * (i + 1 < digits.size() ? static_cast<long double>(ring.prime(i)) : 0) +
            static_cast<long double>(digits[i][k]);
      }
    }
  }

  std::vector<double> values() {
    std::vector<Word*> limbs;
    for (std::size_t i = 0; i < basis.size(); ++i) {
      limbs.push_back(poly.limb(i));
    }
    AlignedBuffer<double> result(ring.n());
    centred_values(result.data(), limbs, ring, basis);
    return {result.begin(), result.end()};
  }
};

class MixedRadix : public TierTest {};

TEST_P(MixedRadix, IntegersBelowTwoToTheFiftyThreeComeBackExactly) {
  std::mt19937_64 random(kSeed);
  for (const std::size_t count : {2u, 3u, 6u}) {
    const Ring ring(kLogN, make_primes(count, 46.0), *GetParam());
    std::vector<std::vector<std::int64_t>> x(1, std::vector<std::int64_t>(ring.n()));
    const std::int64_t limit = std::int64_t{1} << 53;
    for (std::size_t k = 0; k < ring.n(); ++k) {
      x[0][k] = k == 0   ? limit
                : k == 1 ? -limit
                : k < 20 ? static_cast<std::int64_t>(k) - 10
                         : static_cast<std::int64_t>(random() >> 10) - limit;
    }
    const auto values = Numbers(ring, x).values();
    for (std::size_t k = 0; k < ring.n(); ++k) {
      EXPECT_EQ(values[k], static_cast<double>(x[0][k])) << "word " << k << " seed " << kSeed;
    }
  }
}

TEST_P(MixedRadix, LargeIntegersKeepFiftyOneBits) {
  std::mt19937_64 random(kSeed);
  for (const std::size_t count : {1u, 2u, 5u, 12u}) {
    const Ring ring(kLogN, make_primes(count, 46.0), *GetParam());
    std::vector<std::vector<std::int64_t>> digits(count, std::vector<std::int64_t>(ring.n()));
    for (std::size_t i = 0; i < count; ++i) {
      const auto half = static_cast<std::int64_t>((ring.prime(i) - 1) / 2);
      for (std::size_t k = 0; k < ring.n(); ++k) {
        // The extremes of the range; one digit against all below it; then anything.
        digits[i][k] = k == 0   ? half
                       : k == 1 ? -half
                       : k == 2 ? (i + 1 == count ? 1 : -half)
                       : k == 3 ? (i + 1 == count ? -1 : half)
                                : static_cast<std::int64_t>(random() % ring.prime(i)) - half;
      }
    }
    Numbers numbers(ring, digits);
    const auto values = numbers.values();
    for (std::size_t k = 0; k < ring.n(); ++k) {
      const long double error = std::abs(static_cast<long double>(values[k]) - numbers.exact[k]);
      EXPECT_LE(error, 0x1p-51L * std::abs(numbers.exact[k]))
          << count << " primes, word " << k << " seed " << kSeed;
    }
  }
}

TEST_P(MixedRadix, AsManyPrimesAsParametersMayHaveKeepSmallIntegers) {
  const Ring ring(kLogN, make_primes(128, 45.9), *GetParam());
  std::vector<std::vector<std::int64_t>> x(1, std::vector<std::int64_t>(ring.n()));
  for (std::size_t k = 0; k < ring.n(); ++k) {
    x[0][k] = k % 2 == 0 ? static_cast<std::int64_t>(k) : -static_cast<std::int64_t>(k);
  }
  const auto values = Numbers(ring, x).values();
  for (std::size_t k = 0; k < ring.n(); ++k) {
    EXPECT_EQ(values[k], static_cast<double>(x[0][k])) << "word " << k;
  }
}

// All digits and all weights as large as they can be: what deferred reduction must hold.
TEST_P(MixedRadix, ExtensionOfOneHundredTwentySevenExtremeDigitsIsExact) {
  const auto primes = make_primes(128, 45.9);
  const std::size_t n = std::size_t{1} << kLogN, count = primes.size() - 1;
  const Ring ring(kLogN, primes, *GetParam());
  const std::uint64_t q = primes[127];
  for (const bool positive : {true, false}) {
    std::vector<AlignedBuffer<Word>> digits;
    std::vector<const Word*> pointers;
    std::vector<Constant> weights;
    std::uint64_t expected = 0;
    const std::uint64_t weight = (q - 1) / 2;
    for (std::size_t j = 0; j < count; ++j) {
      const std::uint64_t p = primes[j];
      const std::uint64_t extreme = positive ? (p - 1) / 2 : (p + 1) / 2;
      AlignedBuffer<std::uint64_t> residues(n, extreme);
      AlignedBuffer<Word> limb(n), digit(n);
      ring.kernels().import_limb(limb.data(), residues.data(), n, ring.tables(j));
      ring.kernels().make_digit(digit.data(), limb.data(), ring.constant(1, j), n, ring.tables(j));
      digits.push_back(std::move(digit));
      weights.push_back(ring.constant(weight, 127));
      expected = add_mod(expected, mul_mod(reduce_signed(centred(extreme, p), q), weight, q), q);
    }
    for (const auto& digit : digits) {
      pointers.push_back(digit.data());
    }
    AlignedBuffer<Word> limb(n);
    ring.kernels().extend(limb.data(), pointers.data(), weights.data(), count, nullptr, Constant{},
                          n, ring.tables(127));
    AlignedBuffer<std::uint64_t> residues(n);
    ring.kernels().export_limb(residues.data(), limb.data(), n, ring.tables(127));
    for (const std::uint64_t residue : residues) {
      ASSERT_EQ(residue, expected);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tiers, MixedRadix, testing::ValuesIn(all_tiers()), tier_name);

}  // namespace
}  // namespace ffconv
