// Levels to bits: primes, scales and the precision that follow for a program.
//
// A chain is made from two numbers: a level that a square consumes takes b bits off the modulus,
// one that a linear map consumes w bits, and the last modulus has b + 3: the largest score, its
// sign and two to spare. Levels are packed into words (ckks/level_packing.h); each level with keys
// takes the special primes and digits that make its rotations cheapest within the security row.
// After every linear map the scale is the one at which the tensor's bound is 2^b, so that every
// tensor uses the full range: weights are encoded at exactly the scale that rescaling turns into
// it. Squares give scale^2 / factor.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ffconv/ckks/cost.h"
#include "ffconv/plan/program.h"

namespace ffconv::plan {

// The fewest bits of b with which outputs can be precise enough in this ring: the last rescaling's
// rounding alone must not exceed `error`, the largest standard deviation of an output's error as a
// part of its bound.
double least_value_bits(int log_n, double error);

// A lower bound on log2 Q of any chain with `levels` levels that is as precise: rules rings out
// before anything is lowered.
double least_chain_bits(int log_n, int levels, double error);

// What a program asks of its chain, by level.
struct ChainShape {
  std::vector<bool> square;       // whether a square consumes the level; [0] is unused
  std::vector<bool> keyed;        // whether keys are used at the level
  std::vector<LinearShape> maps;  // the linear maps at the level, added up
};
// program.params is not read.
ChainShape chain_shape(const Program& program);

struct ChainBits {
  double value_bits = 0;             // b
  double weight_bits = 0;            // w
  double word_bits = kMaxPrimeBits;  // primes have at most these
};

// What keys a chain must have.
enum class Keys {
  kAsAsked,        // at the levels of the shape: no chain where one has no room for them
  kWherePossible,  // at every level that has room
};

// The chain with these bits within `limit` bits; nullopt where there is none.
std::optional<ParamsSpec> make_chain(const ChainShape& shape, int log_n, const ChainBits& bits,
                                     Keys keys, double limit, const CostTable& table);

struct ParameterGoal {
  double largest_std = 0;                       // of an output's error
  std::function<double(const Program&)> price;  // of the program with parameters, lower is better
};

// Fills in params, scales and output_noise_std for the cheapest secure chain of the ring whose
// error is small enough, and among chains of its shape the most precise; program.params.log_n is
// the ring. If there is none, false, and output_noise_std is the smallest error of any secure chain
// (infinity where none is secure).
bool assign_parameters(Program& program, const ParameterGoal& goal, const CostTable& table);

// Scales of every register and plaintext for a chain in which a tensor's bound is 2^value_bits;
// factors[l] is what rescaling from level l divides by, [0] is unused.
void assign_scales(Program& program, std::span<const double> factors, double value_bits);

}  // namespace ffconv::plan
