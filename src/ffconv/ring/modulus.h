// Arithmetic modulo one prime on canonical residues [0, q): the plain, readable form used for
// tables, constants and the scalar tier. Hot loops stand in kernels/.
#pragma once

#include <cstdint>

namespace ffconv {

__extension__ using u128 = unsigned __int128;

// x, y in [0, q); q < 2^63.
constexpr std::uint64_t add_mod(std::uint64_t x, std::uint64_t y, std::uint64_t q) {
  const std::uint64_t sum = x + y;
  return sum >= q ? sum - q : sum;
}

constexpr std::uint64_t sub_mod(std::uint64_t x, std::uint64_t y, std::uint64_t q) {
  return x >= y ? x - y : x + q - y;
}

constexpr std::uint64_t mul_mod(std::uint64_t x, std::uint64_t y, std::uint64_t q) {
  return static_cast<std::uint64_t>(static_cast<u128>(x) * y % q);
}

constexpr std::uint64_t pow_mod(std::uint64_t base, std::uint64_t exponent, std::uint64_t q) {
  std::uint64_t result = 1 % q;
  for (base %= q; exponent != 0; exponent >>= 1) {
    if (exponent & 1) {
      result = mul_mod(result, base, q);
    }
    base = mul_mod(base, base, q);
  }
  return result;
}

// Inverse modulo the prime q; x not 0 modulo q (Fermat).
constexpr std::uint64_t inverse_mod(std::uint64_t x, std::uint64_t q) {
  return pow_mod(x, q - 2, q);
}

// The residue in [0, q) of a signed integer.
constexpr std::uint64_t reduce_signed(std::int64_t x, std::uint64_t q) {
  const std::int64_t r = x % static_cast<std::int64_t>(q);
  return r < 0 ? static_cast<std::uint64_t>(r + static_cast<std::int64_t>(q))
               : static_cast<std::uint64_t>(r);
}

// The representative in [-(q-1)/2, (q-1)/2] of x in [0, q), q odd.
constexpr std::int64_t centred(std::uint64_t x, std::uint64_t q) {
  return x > (q - 1) / 2 ? static_cast<std::int64_t>(x) - static_cast<std::int64_t>(q)
                         : static_cast<std::int64_t>(x);
}

// The low `bits` bits of x in reverse order.
constexpr std::uint64_t reverse_bits(std::uint64_t x, int bits) {
  std::uint64_t reversed = 0;
  for (int i = 0; i < bits; ++i) {
    reversed = (reversed << 1) | ((x >> i) & 1);
  }
  return reversed;
}

}  // namespace ffconv
