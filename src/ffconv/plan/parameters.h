// Levels to bits: primes, scales and the precision that follow for a program.
//
// One prime a level. A level that a square consumes gets a prime of b bits, one that a linear map
// consumes a prime of w bits, and q_0 holds b + 3 bits: the largest score, its sign and two to
// spare. After every linear map the scale is the one at which the tensor's bound is 2^b, so that
// every tensor uses the full range: weights are encoded at exactly the scale that the division by
// the real prime turns into it. Squares give scale^2 / q. Special primes hold the largest digit and
// a few bits more. Among all (b, w) that the security row allows, the pair with the smallest
// predicted error is taken: cost depends on the number of primes, not on their bits.
#pragma once

#include <span>
#include <vector>

#include "ffconv/plan/lowering.h"
#include "ffconv/plan/program.h"

namespace ffconv::plan {

// The fewest bits of b that can reach the precision in this ring: the last rescaling's rounding
// alone must not exceed it.
double least_value_bits(int log_n, double precision_bits, double margin);

// A lower bound on log2 Q of any chain with `levels` levels that reaches the precision: rules rings
// out before anything is lowered.
double least_chain_bits(int log_n, int levels, double precision_bits, double margin);

// What a program asks of its chain.
struct ChainShape {
  std::vector<bool> square;  // [levels]: whether a square consumes the level's prime; [0] is unused
  int max_key_level = -1;
};
ChainShape chain_shape(const Program& program);

// Whether the ring can hold such a chain with value bits that can reach the precision at all.
bool chain_fits(const ChainShape& shape, const RingShape& ring, double margin,
                double precision_bits);

// Fills in params, scales and output_noise_std for the most precise chain of the ring that is
// secure. False, with `program` in an unspecified but valid state, if there is none; true does not
// promise that a precision is reached.
//   margin: a value is at most its bound divided by this.
bool assign_parameters(Program& program, const RingShape& ring, double margin);

// Scales of every register and plaintext for a chain of these primes (primes[l] belongs to level l)
// in which a tensor's bound is 2^value_bits.
void assign_scales(Program& program, std::span<const double> primes, double value_bits);

}  // namespace ffconv::plan
