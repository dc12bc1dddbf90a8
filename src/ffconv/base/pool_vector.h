// std::vector whose memory comes from the pool of AlignedBuffer: what an evaluation makes and drops
// again and again takes nothing from the system once the pool holds a block of its size.
#pragma once

#include <cstddef>
#include <vector>

#include "ffconv/base/aligned_buffer.h"

namespace ffconv {

template <typename T>
struct PoolAllocator {
  static_assert(alignof(T) <= AlignedBuffer<std::byte>::kAlignment);
  using value_type = T;

  PoolAllocator() = default;
  template <typename U>
  PoolAllocator(const PoolAllocator<U>&) {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(internal::pool_allocate(count * sizeof(T)));
  }
  void deallocate(T* data, std::size_t count) noexcept {
    internal::pool_free(data, count * sizeof(T));
  }
  template <typename U>
  bool operator==(const PoolAllocator<U>&) const {
    return true;
  }
};

template <typename T>
using PoolVector = std::vector<T, PoolAllocator<T>>;

}  // namespace ffconv
