// How much memory the server needs at its peak, read off the program; and which weights to keep
// small so that it fits into a budget.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "ffconv/base/slab_pool.h"
#include "ffconv/ckks/cost.h"
#include "ffconv/ckks/params.h"
#include "ffconv/plan/program.h"

namespace ffconv::plan {

// Of every instruction, whether it is a linear map whose weights are kept as small integer
// polynomials and transformed whenever they are used (PackedPlaintexts); empty: of none.
using SmallWeights = std::vector<bool>;

// Bytes.
struct Memory {
  // The process itself with its libraries and the ring's tables, about.
  static constexpr std::uint64_t kProcess = 28'000'000;

  std::uint64_t weights = 0;      // encoded plaintexts
  std::uint64_t slots = 0;        // the same as slot vectors, gone when they are encoded
  std::uint64_t keys = 0;         // of one client, both halves
  std::uint64_t ciphertexts = 0;  // registers, rotated inputs and, where weights are small, limbs
                                  // of some a thread, where most are alive

  // The pool of blocks keeps what is freed, up to a limit, and leaves some of its slabs unused.
  std::uint64_t total() const {
    const std::uint64_t idle = std::min<std::uint64_t>(ciphertexts, internal::kMaxIdleBytes);
    const std::uint64_t running = keys + ciphertexts + idle;
    const std::uint64_t blocks = weights + std::max(slots, running);
    return kProcess + blocks + blocks / 32;
  }
};

Memory memory_of(const Program& program, const Params& params, const SmallWeights& small = {},
                 int threads = 1);

// What `op` takes longer with small weights, one thread, microseconds; 0 where it cannot have them.
double expansion_us(const Program& program, const Instruction& op, const CostTable& table);

// Small weights, as few as it takes to stay within `budget` bytes, with a twentieth to spare for
// what the estimate misses; those first that save most bytes for the time they cost; none without a
// budget. Throws kUnsupported, naming the least budget, where even all do not.
SmallWeights fit_memory(const Program& program, const Params& params,
                        std::optional<std::uint64_t> budget, const CostTable& table,
                        int threads = 1);

}  // namespace ffconv::plan
