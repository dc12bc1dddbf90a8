// Keys and weights stream from memory, in pieces: the part of a limb that a block needs, of one
// operand after the other. Hardware prefetchers begin anew with every piece, and at every page;
// what a kernel asks for ahead of them halves the time of whole networks (docs/benchmarks.md).
#pragma once

#include <cstddef>
#include <cstdint>

namespace ffconv {

// Of a key, 1 to 8 KiB were tried on Zen 5; of each input of packed products, which come from
// memory where a map does not rotate them, 512 to 2048 bytes.
inline constexpr std::size_t kKeyBytesAhead = 6144, kInputBytesAhead = 512;

// Asks for the cache line `bytes` behind p, where nothing needs to be.
[[gnu::always_inline]] inline void prefetch(const void* p, std::size_t bytes) {
  __builtin_prefetch(
      reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(p) + bytes));  // NOLINT
}

}  // namespace ffconv
