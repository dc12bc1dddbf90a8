#include "ffconv/base/aligned_buffer.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <new>
#include <vector>

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

struct Pool {
  std::mutex mutex;
  std::map<std::size_t, std::vector<void*>> free_blocks;  // by size
  std::size_t kept_bytes = 0;
};

// Never destroyed: buffers may outlive every other static object.
Pool& pool() {
  static Pool* const instance = new Pool;
  return *instance;
}

}  // namespace

void* pool_allocate(std::size_t bytes) {
  if (bytes == 0) {
    return nullptr;
  }
  if (bytes >= kMinPooledBytes) {
    Pool& p = pool();
    const std::lock_guard lock(p.mutex);
    const auto found = p.free_blocks.find(bytes);
    if (found != p.free_blocks.end() && !found->second.empty()) {
      void* data = found->second.back();
      found->second.pop_back();
      p.kept_bytes -= bytes;
      return data;
    }
  }
  return ::operator new(bytes, kAlignment);
}

void pool_free(void* data, std::size_t bytes) noexcept {
  if (bytes >= kMinPooledBytes) {
    Pool& p = pool();
    const std::lock_guard lock(p.mutex);
    if (data != nullptr && p.kept_bytes + bytes <= kMaxKeptBytes) {
      try {
        p.free_blocks[bytes].push_back(data);
        p.kept_bytes += bytes;
        return;
      } catch (const std::bad_alloc&) {  // no room to remember it: give it back
      }
    }
  }
  ::operator delete(data, kAlignment);
}

}  // namespace ffconv::internal
