#include "ffconv/ring/primes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "ffconv/base/error.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

constexpr std::uint64_t kPrimeLimit = std::uint64_t{1} << 46;
constexpr std::array<std::uint64_t, 12> kBases = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};

bool is_strong_probable_prime(std::uint64_t x, std::uint64_t base) {
  std::uint64_t odd = x - 1;
  int twos = 0;
  for (; odd % 2 == 0; odd /= 2) {
    ++twos;
  }
  std::uint64_t power = pow_mod(base, odd, x);
  if (power == 1 || power == x - 1) {
    return true;
  }
  for (int i = 1; i < twos; ++i) {
    power = mul_mod(power, power, x);
    if (power == x - 1) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool is_prime(std::uint64_t x) {
  for (const std::uint64_t base : kBases) {
    if (x % base == 0) {
      return x == base;
    }
  }
  return x > 1 && std::all_of(kBases.begin(), kBases.end(), [x](std::uint64_t base) {
           return is_strong_probable_prime(x, base);
         });
}

std::uint64_t find_prime(int log_n, double bits, std::span<const std::uint64_t> taken) {
  if (!(bits >= log_n + 4 && bits <= 46)) {
    fail(ErrorCode::kInvalidArgument,
         "prime size: expected {} to 46 bits at N = 2^{}, got {:.2f} bits", log_n + 4, log_n, bits);
  }
  const std::uint64_t step = std::uint64_t{4} << log_n;
  const auto target = static_cast<std::uint64_t>(std::llround(std::exp2(bits)));
  const auto usable = [&](std::uint64_t candidate) {
    return candidate < kPrimeLimit &&
           std::find(taken.begin(), taken.end(), candidate) == taken.end() && is_prime(candidate);
  };
  // Candidates on both sides of the target, taken in the order of their distance.
  std::uint64_t below = (target - 1) / step * step + 1;
  std::uint64_t above = below + step;
  while (below > target / 2 || above < 2 * target) {
    const bool take_below = target - below <= above - target && below > target / 2;
    std::uint64_t& candidate = take_below ? below : above;
    if (usable(candidate)) {
      return candidate;
    }
    if (take_below) {
      below -= step;
    } else {
      above += step;
    }
  }
  fail(ErrorCode::kInvalidArgument,
       "no prime = 1 mod 2^{} near 2^{:.2f} is left: use larger primes or a smaller ring",
       log_n + 2, bits);
}

std::uint64_t primitive_root(std::uint64_t q, int log_n) {
  const std::uint64_t order = std::uint64_t{4} << log_n;
  for (std::uint64_t g = 2;; ++g) {
    const std::uint64_t root = pow_mod(g, (q - 1) / order, q);
    if (pow_mod(root, order / 2, q) == q - 1) {
      return root;
    }
  }
}

}  // namespace ffconv
