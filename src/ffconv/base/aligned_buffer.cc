#include "ffconv/base/aligned_buffer.h"

#include <cstdint>
#include <new>

#include "ffconv/base/block_pool.h"

namespace ffconv::internal {
namespace {

constexpr std::align_val_t kAlignment{64};
// A block that is kept hides its late use from the address sanitizer, and its reuse by another
// thread looks like a race: nothing is kept there.
#ifdef FFCONV_SANITIZED
constexpr std::size_t kMinPooledBytes = SIZE_MAX;
#else
constexpr std::size_t kMinPooledBytes = std::size_t{32} << 10;
#endif
constexpr std::size_t kMaxKeptBytes = std::size_t{256} << 20;

// Never destroyed: buffers may outlive every other static object.
BlockPool& pool() {
  static BlockPool* const instance = new BlockPool(kMaxKeptBytes);
  return *instance;
}

}  // namespace

void* pool_allocate(std::size_t bytes) {
  if (bytes == 0) {
    return nullptr;
  }
  void* kept = bytes >= kMinPooledBytes ? pool().take(bytes) : nullptr;
  return kept != nullptr ? kept : ::operator new(bytes, kAlignment);
}

void pool_free(void* data, std::size_t bytes) noexcept {
  if (data == nullptr || bytes < kMinPooledBytes || !pool().keep(data, bytes)) {
    ::operator delete(data, kAlignment);
  }
}

}  // namespace ffconv::internal
