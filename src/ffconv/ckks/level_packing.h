// Levels packed into words: as few primes for each level's modulus as its bits need (BitPacker,
// ISCA 2024; Grafting, ePrint 2024/1014).
//
// A level of B bits takes n = ceil(B / 46) primes: the first of a list shared by all levels, all of
// one size, and one or two *terminal* primes of its own that bring the product to B. The shared
// size is the smallest that keeps n at every level, so that special primes exceed digits by as much
// as they can.
#pragma once

#include <limits>
#include <optional>
#include <span>

#include "ffconv/ckks/params.h"

namespace ffconv {

// Levels of level_bits[l] bits, ascending, each at least log_n + 4; none carries keys yet. Primes
// have at most word_bits, in (log_n + 6, 46]: smaller ones make more work, but leave room for
// levels where special primes must be small.
ParamsSpec pack_levels(int log_n, std::span<const double> level_bits,
                       double word_bits = kMaxPrimeBits);

// The smallest number of primes of word_bits for a modulus of this many bits.
int word_count(double bits, double word_bits = kMaxPrimeBits);

// How keys at a level are made: special primes of one size, and digits.
struct KeyShape {
  int special = 1;  // number of special primes
  int digit_primes = 1;
  double bits = 0;  // of each special prime
};

// With `special` primes that are kSpecialMargin bits more in all than the largest digit of
// `digit_primes` primes, as far as 46 bits each and `room` bits in all allow. nullopt where that
// does not cover the digits.
std::optional<KeyShape> fit_keys(const ParamsSpec& spec, int level, int special, int digit_primes,
                                 double room = std::numeric_limits<double>::infinity());

// Gives `level` keys of this shape; special primes of the same size are shared with other levels.
void add_keys(ParamsSpec& spec, int level, const KeyShape& keys);

// With this many bits more in P than in a digit, key errors stay below the rounding of the division
// by P (docs/precision.md).
inline constexpr double kSpecialMargin = 5.0;

}  // namespace ffconv
