// How much memory the server will need, read off the program.
#pragma once

#include <cstdint>

#include "ffconv/ckks/params.h"
#include "ffconv/plan/program.h"

namespace ffconv::cli {

// Bytes. Files that are being read come on top for a moment.
struct Memory {
  std::uint64_t weights = 0;      // encoded plaintexts
  std::uint64_t keys = 0;         // of one client, both halves
  std::uint64_t ciphertexts = 0;  // registers and rotated inputs, where most are alive

  std::uint64_t total() const { return weights + keys + ciphertexts; }
};

Memory memory_of(const plan::Program& program, const Params& params);

}  // namespace ffconv::cli
