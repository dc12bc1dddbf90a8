// Baby steps and giant steps for the diagonals of a linear map.
//
// rotate(x, baby + giant) = rotate(rotate(x, baby), giant): rotations of an input by baby steps
// share one decomposition, giant steps are paid once per output after the products. Splits are
// tried by predicted cost; source of the idea: Halevi and Shoup, ePrint 2018/244, here for several
// inputs and outputs at once and any set of rotations.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ffconv/ckks/cost.h"

namespace ffconv::plan {

struct Diagonal {
  std::int32_t output, input;
  std::int32_t rotation;  // in [0, modulus)

  auto operator<=>(const Diagonal&) const = default;
};

struct Steps {
  std::int32_t baby, giant;  // in [0, slot_count)
};

// With v = (rotation + offset) mod modulus: baby = v mod high - v mod low - offset, giant the rest.
// low divides high. low = 1, high = modulus: baby steps only; low = high: giant steps only.
struct Split {
  std::size_t modulus = 1;
  std::size_t offset = 0;
  std::size_t low = 1, high = 1;

  Steps steps(std::int32_t rotation, std::size_t slot_count) const;
};

// A split and what a linear map is composed of under it.
struct SplitOption {
  Split split;
  LinearShape shape;
  int keys = 0;  // rotations, babies and giants, other than by 0: a key each
};

LinearShape split_shape(std::span<const Diagonal> diagonals, const Split& split);

// The splits that may be the cheapest at some ring and level: bit ranges [low, high) and radixes of
// the rotations' common step, with offset 0 and with the offsets that let negative rotations join
// their neighbours; those that are no better than another in any count are left out.
std::vector<SplitOption> split_options(std::span<const Diagonal> diagonals, std::size_t modulus);

// A key priced at key_us.
const SplitOption& cheapest(std::span<const SplitOption> options, const CostTable& table,
                            const CostShape& shape, double key_us = 0);

}  // namespace ffconv::plan
