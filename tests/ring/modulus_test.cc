#include "ffconv/ring/modulus.h"

#include <bit>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ffconv {
namespace {

// Odd moduli of every size, at both ends of each.
std::vector<std::uint64_t> moduli() {
  std::vector<std::uint64_t> result;
  for (int bits = 2; bits <= 61; ++bits) {
    result.push_back((std::uint64_t{1} << (bits - 1)) + 1);
    result.push_back((std::uint64_t{1} << bits) - 1);
  }
  return result;
}

TEST(Residues, ReduceAsDivisionDoesUpToTheirBound) {
  std::mt19937_64 random(31);
  for (const std::uint64_t q : moduli()) {
    const Residues mod(q);
    const u128 bound = static_cast<u128>(1) << (63 + std::bit_width(q));
    std::vector<u128> inputs = {0, 1, q - 1, q, bound - 1, bound - q};
    // Around multiples of q, where a quotient that is off by one shows.
    for (int i = 0; i < 1000; ++i) {
      const u128 x = ((static_cast<u128>(random()) << 64) | random()) % bound;
      const u128 multiple = x - x % q;
      inputs.insert(inputs.end(), {x, multiple, multiple + q - 1});
    }
    for (const u128 x : inputs) {
      if (x < bound) {
        ASSERT_EQ(mod.reduce(x), static_cast<std::uint64_t>(x % q)) << "q " << q << " seed 31";
      }
    }
  }
}

TEST(Residues, AgreeWithThePlainFunctions) {
  std::mt19937_64 random(32);
  const std::int64_t limit = (std::int64_t{1} << 62) - 1;
  for (const std::uint64_t q : moduli()) {
    const Residues mod(q);
    std::vector<std::uint64_t> values = {0, 1, q / 2, q / 2 + 1, q - 1};
    for (int i = 0; i < 20; ++i) {
      values.push_back(random() % q);
    }
    for (const std::uint64_t x : values) {
      ASSERT_EQ(mod.centred(x), centred(x, q));
      for (const std::uint64_t y : values) {
        ASSERT_EQ(mod.add(x, y), add_mod(x, y, q));
        ASSERT_EQ(mod.sub(x, y), sub_mod(x, y, q));
        ASSERT_EQ(mod.mul(x, y), mul_mod(x, y, q));
      }
    }
    for (const std::int64_t x : {limit, -limit, std::int64_t{0}, std::int64_t{-1}, std::int64_t{1},
                                 static_cast<std::int64_t>(random()) >> 2}) {
      ASSERT_EQ(mod.reduce_signed(x), reduce_signed(x, q)) << "q " << q << " x " << x;
    }
  }
}

}  // namespace
}  // namespace ffconv
