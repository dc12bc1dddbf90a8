#include "ffconv/base/aligned_buffer.h"

#include <new>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "ffconv/base/slab_pool.h"

namespace ffconv {
namespace internal {
namespace {

constexpr std::align_val_t kAlignment{SlabPool::kAlignment};
// A block that is kept hides its late use from the address sanitizer, and its reuse by another
// thread looks like a race: nothing is kept there.
#ifdef FFCONV_SANITIZED
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif
constexpr std::size_t kMinLargeBytes = std::size_t{32} << 10;

// Never destroyed: buffers may outlive every other static object. Small blocks have slabs of their
// own, as one that lives long would hold back a slab of large ones.
SlabPool& pool(std::size_t bytes) {
  static SlabPool* const small = new SlabPool(kMaxIdleBytes);
  static SlabPool* const large = new SlabPool(kMaxIdleBytes);
  return bytes < kMinLargeBytes ? *small : *large;
}

}  // namespace

void* pool_allocate(std::size_t bytes) {
  if (bytes == 0) {
    return nullptr;
  }
  return kPooled ? pool(bytes).allocate(bytes) : ::operator new(bytes, kAlignment);
}

void pool_free(void* data, std::size_t bytes) noexcept {
  if (data == nullptr) {
    return;
  }
  if (kPooled) {
    pool(bytes).free(data, bytes);
  } else {
    ::operator delete(data, kAlignment);
  }
}

std::size_t pool_cut_bytes() {
  return pool(0).cut_bytes() + pool(kMinLargeBytes).cut_bytes();
}

}  // namespace internal

void release_freed_memory() noexcept {
  internal::pool(0).release();
  internal::pool(internal::kMinLargeBytes).release();
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace ffconv
