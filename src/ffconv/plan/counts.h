// How many homomorphic operations a program performs, and how long they are predicted to take.
#pragma once

#include <cstdint>
#include <vector>

#include "ffconv/ckks/cost.h"
#include "ffconv/plan/program.h"

namespace ffconv::plan {

struct OpCounts {
  std::int64_t rotations = 0;  // with a decomposition of their own; giant steps are such
  std::int64_t hoisted_rotations =
      0;                            // from a shared decomposition: baby steps, kRotateSum's members
  std::int64_t plain_products = 0;  // ciphertext x plaintext vector
  std::int64_t scalar_products = 0;  // ciphertext x one constant in all slots
  std::int64_t ciphertext_products = 0;
  std::int64_t rescales = 0;      // of one ciphertext
  std::int64_t key_switches = 0;  // rotations, hoisted rotations and relinearizations
  std::int64_t levels = 0;        // rescalings one after the other
  double predicted_us = 0;        // one thread

  OpCounts& operator+=(const OpCounts& other);
};

// How the terms of a kLinear are composed.
LinearShape linear_shape(const Instruction& op);

// What instruction `op` of `program` performs. `levels` stays 0: it belongs to paths, not to
// instructions.
OpCounts count(const Program& program, const Instruction& op, const CostTable& table);

struct ProgramCounts {
  OpCounts total;
  std::vector<OpCounts> layers;  // one per Program::layers
};

// A layer consumes the difference between the highest level that it reads and the lowest that it
// writes.
ProgramCounts count(const Program& program, const CostTable& table);

}  // namespace ffconv::plan
