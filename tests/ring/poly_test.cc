#include "ffconv/ring/poly.h"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "ffconv/base/error.h"
#include "ffconv/ring/basis_extension.h"
#include "ffconv/ring/modulus.h"
#include "ffconv/ring/primes.h"
#include "ring/tier_param.h"

namespace ffconv {
namespace {

std::vector<std::uint64_t> some_primes(int log_n, std::initializer_list<double> bits) {
  std::vector<std::uint64_t> primes;
  for (const double b : bits) {
    primes.push_back(find_prime(log_n, b, primes));
  }
  return primes;
}

// Coefficient form in, canonical residues out, by way of evaluation form and back.
std::vector<std::uint64_t> coefficient_residues(const Poly<Eval>& x, std::size_t limb) {
  const Poly<Coeff> coefficients = to_coeff(Poly<Eval>(x));
  std::vector<std::uint64_t> residues(x.ring().n());
  x.ring().kernels().export_limb(residues.data(), coefficients.limb(limb), residues.size(),
                                 coefficients.tables(limb));
  return residues;
}

// (X^i + X^-i)(X^j + X^-j) in the basis 1, X^k + X^-k with X^2N = -1, coefficient by coefficient.
std::vector<std::uint64_t> schoolbook(const std::vector<std::int64_t>& a,
                                      const std::vector<std::int64_t>& b, std::uint64_t q) {
  const auto n = static_cast<std::int64_t>(a.size());
  std::vector<std::uint64_t> c(a.size(), 0);
  const auto add_power = [&](std::int64_t exponent, std::uint64_t value) {
    // X^e + X^-e for any integer e, e = 0 counted as 2.
    std::int64_t e = ((exponent % (4 * n)) + 4 * n) % (4 * n);
    bool negative = false;
    if (e >= 2 * n) {
      e -= 2 * n;
      negative = true;
    }
    if (e > n) {  // X^e = -X^(e - 2N)
      e = 2 * n - e;
      negative = !negative;
    }
    if (e == n) {  // X^N + X^-N = 0
      return;
    }
    if (e == 0) {
      value = add_mod(value, value, q);
    }
    auto& slot = c[static_cast<std::size_t>(e)];
    slot = negative ? sub_mod(slot, value, q) : add_mod(slot, value, q);
  };
  const std::uint64_t half = inverse_mod(2, q);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      std::uint64_t product = mul_mod(reduce_signed(a[static_cast<std::size_t>(i)], q),
                                      reduce_signed(b[static_cast<std::size_t>(j)], q), q);
      // With 1 = (X^0 + X^-0) / 2.
      for (const std::int64_t index : {i, j}) {
        if (index == 0) {
          product = mul_mod(product, half, q);
        }
      }
      add_power(i + j, product);
      add_power(i - j, product);
    }
  }
  return c;
}

class RingTest : public TierTest {};

TEST_P(RingTest, ProductsAreSchoolbookProducts) {
  std::mt19937_64 random(11);
  for (const int log_n : {1, 2, 3, 4, 6, 8}) {
    if (log_n < GetParam()->min_log_n) {
      continue;
    }
    const auto primes = some_primes(log_n, {24.0, 45.9});
    const Ring ring(log_n, primes, *GetParam());
    std::vector<std::int64_t> a(ring.n()), b(ring.n());
    for (std::size_t i = 0; i < ring.n(); ++i) {
      a[i] = static_cast<std::int64_t>(random()) >> 3;
      b[i] = static_cast<std::int64_t>(random()) >> 3;
    }
    const Basis basis = {0, 1};
    Poly<Eval> product = to_eval(from_signed(ring, basis, a));
    mul_into(product, product, to_eval(from_signed(ring, basis, b)));
    for (std::size_t limb = 0; limb < 2; ++limb) {
      EXPECT_EQ(coefficient_residues(product, limb), schoolbook(a, b, primes[limb]))
          << "N = " << ring.n() << ", seed 11";
    }
  }
}

// X -> X^g on coefficients: X^i + X^-i -> X^(g i) + X^-(g i).
std::vector<std::uint64_t> automorphism(const std::vector<std::int64_t>& a, std::uint64_t g,
                                        std::uint64_t q) {
  const std::size_t n = a.size();
  std::vector<std::uint64_t> c(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t e = g * i % (4 * n);
    bool negative = false;
    if (e >= 2 * n) {
      e -= 2 * n;
      negative = true;
    }
    if (e > n) {
      e = 2 * n - e;
      negative = !negative;
    }
    const std::uint64_t value = reduce_signed(a[i], q);
    c[e] = negative ? sub_mod(c[e], value, q) : add_mod(c[e], value, q);
  }
  return c;
}

TEST_P(RingTest, RotationsAreAutomorphismsAndCompose) {
  std::mt19937_64 random(12);
  for (const int log_n : {4, 5, 6, 8}) {
    if (log_n < GetParam()->min_log_n) {
      continue;
    }
    const auto primes = some_primes(log_n, {40.0});
    const Ring ring(log_n, primes, *GetParam());
    std::vector<std::int64_t> a(ring.n());
    for (std::int64_t& x : a) {
      x = static_cast<std::int64_t>(random()) >> 3;
    }
    const Poly<Eval> x = to_eval(from_signed(ring, {0}, a));
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, ring.n() / 2, ring.n() - 1}) {
      const Poly<Eval> rotated = permute(x, ring.rotation(step));
      EXPECT_EQ(coefficient_residues(rotated, 0),
                automorphism(a, galois_exponent(step, log_n), primes[0]));
      const Poly<Eval> twice = permute(rotated, ring.rotation(5));
      const Poly<Eval> once = permute(x, ring.rotation((step + 5) % ring.n()));
      EXPECT_EQ(coefficient_residues(twice, 0), coefficient_residues(once, 0));
    }
  }
}

TEST_P(RingTest, DivisionByPrimesRoundsToTheNearest) {
  std::mt19937_64 random(13);
  const int log_n = 7;
  const auto primes = some_primes(log_n, {46.0, 40.0, 30.0, 31.0});
  const Ring ring(log_n, primes, *GetParam());
  std::vector<std::int64_t> a(ring.n());
  for (std::int64_t& x : a) {
    x = static_cast<std::int64_t>(random()) >> 2;
  }
  const auto divisor = static_cast<std::int64_t>(primes[2] * primes[3]);  // about 2^61
  // On both sides of a half, outside the stated margin.
  const std::int64_t margin = divisor >> 40;
  a[0] = divisor / 2 - margin;
  a[1] = divisor / 2 + margin;
  a[2] = -divisor / 2 - margin;
  const ModulusChange divide(ring, {0, 1, 2, 3}, {0, 1});
  const Poly<Eval> quotient = divide(to_eval(from_signed(ring, {0, 1, 2, 3}, a)));
  std::vector<std::int64_t> expected(ring.n());
  for (std::size_t i = 0; i < ring.n(); ++i) {
    const std::int64_t half = a[i] < 0 ? -(divisor / 2) : divisor / 2;
    expected[i] = (a[i] + half) / divisor;
  }
  for (std::size_t limb = 0; limb < 2; ++limb) {
    const auto residues = coefficient_residues(quotient, limb);
    for (std::size_t i = 0; i < ring.n(); ++i) {
      EXPECT_EQ(residues[i], reduce_signed(expected[i], primes[limb])) << "coefficient " << i;
    }
  }
}

// Primes 30 and 31 leave, 28 enters; limbs given times a constant.
TEST_P(RingTest, ChangeOfModulusMultipliesByWhatEntersAndDividesByWhatLeaves) {
  std::mt19937_64 random(15);
  const int log_n = 7;
  const auto primes = some_primes(log_n, {46.0, 28.0, 30.0, 31.0});
  const Ring ring(log_n, primes, *GetParam());
  std::vector<std::int64_t> a(ring.n());
  for (std::int64_t& x : a) {
    x = static_cast<std::int64_t>(random()) >> 2;
  }
  const std::vector<std::uint64_t> scale = {primes[0] - 1, 12345, 3};
  const ModulusChange change(ring, {0, 2, 3}, {1, 0}, scale);
  Poly<Eval> x = to_eval(from_signed(ring, {0, 2, 3}, a));
  mul_constant_inplace(x, scale);
  const Poly<Eval> result = change(x);
  for (std::size_t limb = 0; limb < 2; ++limb) {
    const auto residues = coefficient_residues(result, limb);
    for (std::size_t i = 0; i < ring.n(); ++i) {
      const u128 numerator = static_cast<u128>(std::abs(a[i])) * primes[1];
      const u128 divisor = static_cast<u128>(primes[2]) * primes[3];
      const auto magnitude = static_cast<std::int64_t>((numerator + divisor / 2) / divisor);
      const std::int64_t expected = a[i] < 0 ? -magnitude : magnitude;
      EXPECT_EQ(residues[i], reduce_signed(expected, primes[limb == 0 ? 1 : 0]));
    }
  }
}

TEST_P(RingTest, BaseExtensionKeepsTheCentredInteger) {
  std::mt19937_64 random(14);
  const int log_n = 7;
  const auto primes = some_primes(log_n, {33.0, 29.0, 46.0, 21.0});
  const Ring ring(log_n, primes, *GetParam());
  const std::int64_t product = static_cast<std::int64_t>(primes[0] * primes[1]);
  std::vector<std::int64_t> a(ring.n());
  for (std::int64_t& x : a) {
    x = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(product)) - product / 2;
  }
  a[0] = product / 2 - (product >> 40);
  a[1] = -a[0];
  a[2] = 0;
  const Poly<Coeff> source = from_signed(ring, {0, 1}, a);
  const BasisExtension extension(ring, {0, 1}, {2, 3});
  const std::array limbs = {source.limb(0), source.limb(1)};
  const auto digits = extension.make_digits(limbs);
  for (std::size_t target = 0; target < 2; ++target) {
    AlignedBuffer<Word> limb(ring.n());
    extension.extend_limb(limb.data(), digits, target);
    std::vector<std::uint64_t> residues(ring.n());
    ring.kernels().export_limb(residues.data(), limb.data(), ring.n(), ring.tables(2 + target));
    for (std::size_t i = 0; i < ring.n(); ++i) {
      EXPECT_EQ(residues[i], reduce_signed(a[i], primes[2 + target])) << "coefficient " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tiers, RingTest, testing::ValuesIn(all_tiers()), tier_name);

TEST(Ring, RefusesWhatIsNotAPrimeOfTheRightForm) {
  const std::uint64_t q = find_prime(10, 40, {});
  const std::vector<std::uint64_t> repeated = {q, q}, even = {q + 1}, wrong_form = {97};
  EXPECT_THROW(Ring(10, repeated), Error);
  EXPECT_THROW(Ring(10, even), Error);
  EXPECT_THROW(Ring(10, wrong_form), Error);
  EXPECT_THROW(Ring(18, std::vector<std::uint64_t>{q}), Error);
}

// The bounds of the lazy butterflies are largest in the largest ring.
TEST(SlowRing, TransformsAgreeInTheLargestRing) {
  const int log_n = 17;
  const std::uint64_t q = find_prime(log_n, 46.0, {});
  std::mt19937_64 random(15);
  const std::vector<std::uint64_t> primes = {q};
  for (int pattern = 0; pattern < 3; ++pattern) {
    std::vector<std::vector<std::uint64_t>> results;
    std::vector<std::uint64_t> x(std::size_t{1} << log_n);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = pattern == 0 ? q - 1 : pattern == 1 ? (q - 1) / 2 + (random() & 1) : random() % q;
    }
    for (const Kernels* kernels : all_tiers()) {
      const Ring ring(log_n, primes, *kernels);
      Poly<Coeff> poly(ring, {0});
      kernels->import_limb(poly.limb(0), x.data(), x.size(), ring.tables(0));
      const Poly<Eval> values = to_eval(std::move(poly));
      std::vector<std::uint64_t> residues(x.size());
      export_limb(residues, values, 0);
      results.push_back(residues);
      EXPECT_EQ(coefficient_residues(values, 0), x) << kernels->name;
    }
    for (const auto& result : results) {
      EXPECT_EQ(result, results.front());
    }
  }
}

}  // namespace
}  // namespace ffconv
