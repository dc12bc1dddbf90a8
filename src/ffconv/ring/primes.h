// Primes q = 1 mod 4N below 2^46, and their roots of unity.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ffconv {

// Deterministic Miller-Rabin with the first twelve primes as bases, exact below 2^64
// (Sorenson and Webster, Math. Comp. 86, 2017).
bool is_prime(std::uint64_t x);

// The prime = 1 mod 4 * 2^log_n, below 2^46, that is nearest to 2^bits and not in `taken`; on a tie
// the smaller one. bits in [log_n + 4, 46]. Throws kInvalidArgument outside that range, and when no
// prime within a factor of two of 2^bits is left.
std::uint64_t find_prime(int log_n, double bits, std::span<const std::uint64_t> taken);

// A primitive 4 * 2^log_n-th root of unity modulo the prime q = 1 mod 4 * 2^log_n: the power
// (q - 1) / 4N of the smallest g >= 2 for which it is primitive.
std::uint64_t primitive_root(std::uint64_t q, int log_n);

}  // namespace ffconv
