// How much memory the server will need at its peak, read off the program.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ffconv/ckks/params.h"
#include "ffconv/plan/program.h"

namespace ffconv::cli {

// Bytes. The process itself, a few megabytes, comes on top.
struct Memory {
  std::uint64_t weights = 0;      // encoded plaintexts
  std::uint64_t keys = 0;         // of one client, both halves
  std::uint64_t ciphertexts = 0;  // registers and rotated inputs, where most are alive
  std::uint64_t key_file = 0;     // gone before the first ciphertext is made

  std::uint64_t total() const { return weights + keys + std::max(ciphertexts, key_file); }
};

Memory memory_of(const plan::Program& program, const Params& params);

}  // namespace ffconv::cli
