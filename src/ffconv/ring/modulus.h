// Arithmetic modulo one prime on canonical residues [0, q): the plain, readable form used for
// tables and constants, whose time depends on its operands, and the Residues of the scalar tier,
// whose time does not. Hot loops stand in kernels/.
#pragma once

#include <bit>
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

// Residues modulo one odd q < 2^62, without a division or a branch on them (Barrett, CRYPTO 1986).
class Residues {
 public:
  explicit constexpr Residues(std::uint64_t q)
      : q_(q),
        shift_(static_cast<int>(std::bit_width(q)) - 1),
        ratio_(static_cast<std::uint64_t>((static_cast<u128>(1) << (64 + shift_)) / q)),
        offset_(((std::uint64_t{1} << 62) + q - 1) / q * q) {}

  // x mod q; x < 2^(63 + bits of q). The quotient is too small by at most two.
  constexpr std::uint64_t reduce(u128 x) const {
    const auto top = static_cast<std::uint64_t>(x >> shift_);
    const auto quotient = static_cast<std::uint64_t>(static_cast<u128>(top) * ratio_ >> 64);
    const std::uint64_t r = static_cast<std::uint64_t>(x) - quotient * q_;
    return subtract_once(subtract_once(r, q_), q_);
  }

  // |x| < 2^62, made positive by a multiple of q.
  constexpr std::uint64_t reduce_signed(std::int64_t x) const {
    return reduce(static_cast<std::uint64_t>(x) + offset_);
  }

  constexpr std::uint64_t add(std::uint64_t x, std::uint64_t y) const {
    return subtract_once(x + y, q_);
  }
  constexpr std::uint64_t sub(std::uint64_t x, std::uint64_t y) const {
    return subtract_once(x + q_ - y, q_);
  }
  constexpr std::uint64_t mul(std::uint64_t x, std::uint64_t y) const {
    return reduce(static_cast<u128>(x) * y);
  }

  // The representative in [-(q-1)/2, (q-1)/2] of x in [0, q).
  constexpr std::int64_t centred(std::uint64_t x) const {
    const std::uint64_t half = q_ / 2;
    return static_cast<std::int64_t>(add(x, half)) - static_cast<std::int64_t>(half);
  }

 private:
  // x - q where that is not negative; |x - q| < 2^63.
  static constexpr std::uint64_t subtract_once(std::uint64_t x, std::uint64_t q) {
    const std::uint64_t difference = x - q;
    return difference + (q & (0 - (difference >> 63)));
  }

  std::uint64_t q_;
  int shift_;
  std::uint64_t ratio_;   // floor(2^(64 + shift) / q)
  std::uint64_t offset_;  // the least multiple of q from 2^62 on
};

}  // namespace ffconv
