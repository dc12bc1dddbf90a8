// Keys and weights stream from memory, in pieces: the part of a limb that a block needs, of one
// operand after the other. Hardware prefetchers begin anew with every piece, and at every page;
// what a kernel asks for ahead of them halves the time of whole networks (docs/benchmarks.md).
#pragma once

#include <cstddef>
#include <cstdint>

namespace ffconv {

// Of a key; 1 to 8 KiB were tried on Zen 5.
inline constexpr std::size_t kKeyBytesAhead = 6144;

// Of weights whose runs stand `stride` bytes apart: the next run's, but far enough where runs are
// short (1 to 12 KiB were tried on Zen 5).
inline std::size_t weight_bytes_ahead(std::size_t stride) {
  constexpr std::size_t kLeast = 2048;
  return stride < kLeast ? kLeast : stride;
}

// Asks for the cache line `bytes` behind p, where nothing needs to be.
[[gnu::always_inline]] inline void prefetch(const void* p, std::size_t bytes) {
  __builtin_prefetch(
      reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(p) + bytes));  // NOLINT
}

}  // namespace ffconv
