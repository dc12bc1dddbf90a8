#include "ffconv/base/aligned_buffer.h"

#include <cstdint>
#include <new>

#include "ffconv/base/slab_pool.h"

namespace ffconv::internal {
namespace {

constexpr std::align_val_t kAlignment{SlabPool::kAlignment};
// A block that is kept hides its late use from the address sanitizer, and its reuse by another
// thread looks like a race: nothing is kept there.
#ifdef FFCONV_SANITIZED
constexpr std::size_t kMinPooledBytes = SIZE_MAX;
#else
constexpr std::size_t kMinPooledBytes = std::size_t{32} << 10;
#endif
constexpr std::size_t kMaxIdleBytes = std::size_t{256} << 20;

// Never destroyed: buffers may outlive every other static object.
SlabPool& pool() {
  static SlabPool* const instance = new SlabPool(kMaxIdleBytes);
  return *instance;
}

}  // namespace

void* pool_allocate(std::size_t bytes) {
  if (bytes == 0) {
    return nullptr;
  }
  return bytes < kMinPooledBytes ? ::operator new(bytes, kAlignment) : pool().allocate(bytes);
}

void pool_free(void* data, std::size_t bytes) noexcept {
  if (data == nullptr) {
    return;
  }
  if (bytes < kMinPooledBytes) {
    ::operator delete(data, kAlignment);
  } else {
    pool().free(data, bytes);
  }
}

std::size_t pool_cut_bytes() {
  return pool().cut_bytes();
}

}  // namespace ffconv::internal
