#include "ffconv/base/secure.h"

#include <map>
#include <mutex>
#include <new>
#include <vector>

#include <sodium.h>

#include "ffconv/base/error.h"
#include "ffconv/base/random.h"

namespace ffconv {

void zeroize(void* data, std::size_t bytes) {
  sodium_memzero(data, bytes);
}

namespace internal {
namespace {

// The address sanitizer would not see the late use of a kept block.
#ifdef FFCONV_SANITIZED
constexpr std::size_t kMaxKeptBytes = 0;
#else
constexpr std::size_t kMaxKeptBytes = std::size_t{16} << 20;
#endif

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

// sodium_malloc aligns to the end of a page: with such sizes the start is 64-byte aligned.
std::size_t rounded_up(std::size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

void* take_kept(std::size_t size) {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  const auto found = p.free_blocks.find(size);
  if (found == p.free_blocks.end() || found->second.empty()) {
    return nullptr;
  }
  void* data = found->second.back();
  found->second.pop_back();
  p.kept_bytes -= size;
  return data;
}

bool keep(void* data, std::size_t size) noexcept {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  if (p.kept_bytes + size > kMaxKeptBytes) {
    return false;
  }
  try {
    p.free_blocks[size].push_back(data);
    p.kept_bytes += size;
    return true;
  } catch (const std::bad_alloc&) {  // no room to remember it
    return false;
  }
}

}  // namespace

void* secure_allocate(std::size_t bytes) {
  const std::size_t size = rounded_up(bytes);
  if (void* kept = take_kept(size)) {
    if (sodium_mprotect_readwrite(kept) == 0) {
      return kept;
    }
    sodium_free(kept);
  }
  ensure_sodium();
  void* data = sodium_malloc(size);
  if (data == nullptr) {
    fail(ErrorCode::kIo, "the system refused {} bytes of protected memory for a secret", bytes);
  }
  return data;
}

void secure_free(void* data, std::size_t bytes) noexcept {
  const std::size_t size = rounded_up(bytes);
  sodium_memzero(data, size);
  if (sodium_mprotect_noaccess(data) != 0 || !keep(data, size)) {
    sodium_free(data);
  }
}

}  // namespace internal
}  // namespace ffconv
