// Folds: adding up all slots that are congruent modulo a period.
//
// A fold of 2^k slots at distance d is a chain of stages; a stage of factor f adds the rotations
// 0, d, .., (f-1) d, all from one decomposition, and leaves f replicas for the next stage, whose
// distance is f d. Afterwards every slot holds the sum: the result has period d.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ffconv/ckks/cost.h"

namespace ffconv::plan {

// The factors, each a power of two of at least 2, of the cheapest chain that folds `size` slots (a
// power of two), larger factors first; empty for size 1. A key, one a rotation, is priced at
// key_us.
std::vector<std::size_t> fold_factors(std::size_t size, const CostTable& table,
                                      const CostShape& shape, double key_us = 0);

// Its rotations other than by 0.
int fold_keys(const std::vector<std::size_t>& factors);

// Microseconds of that chain on one ciphertext.
double fold_us(const std::vector<std::size_t>& factors, const CostTable& table,
               const CostShape& shape);

// The rotations of each stage for slots at distance `distance`.
std::vector<std::vector<std::int32_t>> fold_rotations(const std::vector<std::size_t>& factors,
                                                      std::size_t distance);

}  // namespace ffconv::plan
