#include "ffconv/ring/ring.h"

#include <algorithm>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ring/modulus.h"
#include "ffconv/ring/primes.h"

namespace ffconv {

Ring::Ring(int log_n, std::span<const std::uint64_t> primes, const Kernels& kernels)
    : log_n_(log_n), kernels_(&kernels), tables_(primes.size()) {
  if (log_n < kernels.min_log_n || log_n > 17) {
    fail(ErrorCode::kInvalidArgument, "ring degree: expected 2^{} to 2^17 in tier {}, got 2^{}",
         kernels.min_log_n, kernels.name, log_n);
  }
  for (std::size_t i = 0; i < primes.size(); ++i) {
    const std::uint64_t q = primes[i];
    const bool repeated = std::count(primes.begin(), primes.end(), q) != 1;
    if (repeated || q >> 46 != 0 || q % (std::uint64_t{4} << log_n) != 1 || !is_prime(q)) {
      fail(ErrorCode::kInvalidArgument,
           "modulus {}: expected distinct primes = 1 mod 2^{} below 2^46, got {}", i, log_n + 2, q);
    }
  }
  parallel_for(primes.size(), [&](std::size_t i) {
    tables_[i].q = primes[i];
    tables_[i].log_n = log_n;
    tables_[i].root = primitive_root(primes[i], log_n);
    kernels_->prepare(tables_[i]);
  });
}

Constant Ring::constant(std::uint64_t value, std::size_t prime) const {
  const std::uint64_t q = tables_[prime].q;
  return kernels_->make_constant(value % q, q);
}

WordPermutation Ring::rotation(std::size_t step) const {
  const std::size_t mask = 4 * n() - 1;
  const std::uint64_t exponent = galois_exponent(step, log_n_);
  WordPermutation permutation{AlignedBuffer<std::uint32_t>(n())};
  for (std::size_t i = 0; i < n(); ++i) {
    const std::uint64_t source = (1 + 4 * reverse_bits(i, log_n_)) * exponent & mask;
    permutation.source[i] = static_cast<std::uint32_t>(reverse_bits((source - 1) / 4, log_n_));
  }
  return permutation;
}

std::uint64_t galois_exponent(std::size_t step, int log_n) {
  return pow_mod(5, step, std::uint64_t{4} << log_n);
}

}  // namespace ffconv
