#include "ffconv/ring/primes.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "ffconv/base/error.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

TEST(Primes, AgreeWithTrialDivision) {
  for (std::uint64_t x = 0; x < 5000; ++x) {
    bool prime = x >= 2;
    for (std::uint64_t d = 2; d * d <= x; ++d) {
      prime = prime && x % d != 0;
    }
    EXPECT_EQ(is_prime(x), prime) << x;
  }
}

TEST(Primes, StrongPseudoprimesAreRejected) {
  // Strong pseudoprimes to bases 2 to 7 and 2 to 23 (OEIS A014233).
  EXPECT_FALSE(is_prime(3215031751ULL));
  EXPECT_FALSE(is_prime(3825123056546413051ULL));
  EXPECT_TRUE(is_prime((std::uint64_t{1} << 61) - 1));
}

TEST(Primes, FoundPrimesAreTheNearestOnesOfTheRightForm) {
  for (const int log_n : {10, 13, 17}) {
    const std::uint64_t step = std::uint64_t{4} << log_n;
    std::vector<std::uint64_t> taken;
    for (int i = 0; i < 4; ++i) {
      const std::uint64_t q = find_prime(log_n, 30.0, taken);
      EXPECT_TRUE(is_prime(q));
      EXPECT_EQ(q % step, 1U);
      const double distance = std::abs(static_cast<double>(q) - 0x1p30);
      for (std::uint64_t other = (std::uint64_t{1} << 29) / step * step + 1;
           other < std::uint64_t{1} << 31; other += step) {
        if (std::abs(static_cast<double>(other) - 0x1p30) < distance && is_prime(other)) {
          EXPECT_NE(std::find(taken.begin(), taken.end(), other), taken.end()) << other;
        }
      }
      taken.push_back(q);
    }
  }
}

TEST(Primes, PrimesOf46BitsStayBelowTheLimit) {
  EXPECT_LT(find_prime(13, 46.0, {}), std::uint64_t{1} << 46);
}

TEST(Primes, SizesOutsideTheRangeAreRefused) {
  EXPECT_THROW(find_prime(13, 46.5, {}), Error);
  EXPECT_THROW(find_prime(13, 16.0, {}), Error);
  EXPECT_THROW(find_prime(13, std::nan(""), {}), Error);
}

TEST(Primes, RootsArePrimitive) {
  for (const int log_n : {1, 4, 13}) {
    const std::uint64_t q = find_prime(log_n, 40.0, {});
    const std::uint64_t w = primitive_root(q, log_n);
    EXPECT_EQ(pow_mod(w, std::uint64_t{2} << log_n, q), q - 1);
  }
}

// What makes words of a subring words of its ring (docs/ckks-conventions.md).
TEST(Primes, TheRootOfHalfTheDegreeIsTheSquare) {
  std::vector<std::uint64_t> taken;
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t q = find_prime(14, 40.0, taken);
    const std::uint64_t w = primitive_root(q, 14);
    EXPECT_EQ(primitive_root(q, 13), mul_mod(w, w, q)) << q;
    taken.push_back(q);
  }
}

}  // namespace
}  // namespace ffconv
