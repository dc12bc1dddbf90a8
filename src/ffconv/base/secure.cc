#include "ffconv/base/secure.h"

#include <sodium.h>

#include "ffconv/base/block_pool.h"
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

// Never destroyed: buffers may outlive every other static object.
BlockPool& pool() {
  static BlockPool* const instance = new BlockPool(kMaxKeptBytes);
  return *instance;
}

// sodium_malloc aligns to the end of a page: with such sizes the start is 64-byte aligned.
std::size_t rounded_up(std::size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

}  // namespace

void* secure_allocate(std::size_t bytes) {
  const std::size_t size = rounded_up(bytes);
  if (void* kept = pool().take(size)) {
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
  if (sodium_mprotect_noaccess(data) != 0 || !pool().keep(data, size)) {
    sodium_free(data);
  }
}

}  // namespace internal
}  // namespace ffconv
