// Levels packed into words: as few primes for each level's modulus as its bits need (BitPacker,
// ISCA 2024; Grafting, ePrint 2024/1014).
//
// A level of B bits takes n = ceil(B / 46) primes: the first of a list shared by all levels, all of
// one size, and one or two *terminal* primes of its own that bring the product to B. The shared
// size is the smallest that keeps n at every level, so that special primes exceed digits by as much
// as they can.
#pragma once

#include <span>

#include "ffconv/ckks/params.h"

namespace ffconv {

// Levels of level_bits[l] bits, ascending, each at least log_n + 4; none carries keys yet.
ParamsSpec pack_levels(int log_n, std::span<const double> level_bits);

// The smallest number of primes below 2^46 for a modulus of this many bits.
int word_count(double bits);

// Special primes for keys at `level`: `special` primes of one size, kSpecialMargin bits more in all
// than the largest digit of `digit_primes` primes, as far as 46 bits each allow. Primes of the same
// size are shared with other levels. Returns false, changing nothing, where even 46 bits each do
// not cover the digits.
bool add_keys(ParamsSpec& spec, int level, int special, int digit_primes);

// With this many bits more in P than in a digit, key errors stay below the rounding of the division
// by P (docs/precision.md).
inline constexpr double kSpecialMargin = 5.0;

}  // namespace ffconv
