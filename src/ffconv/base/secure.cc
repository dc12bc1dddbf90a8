#include "ffconv/base/secure.h"

#include <sodium.h>

#include "ffconv/base/error.h"
#include "ffconv/base/random.h"

namespace ffconv {

void zeroize(void* data, std::size_t bytes) {
  sodium_memzero(data, bytes);
}

namespace internal {

// sodium_malloc aligns to the end of a page: sizes are rounded up so that the start is 64-byte
// aligned.
void* secure_allocate(std::size_t bytes) {
  ensure_sodium();
  void* data = sodium_malloc((bytes + 63) / 64 * 64);
  if (data == nullptr) {
    fail(ErrorCode::kIo, "the system refused {} bytes of protected memory for a secret", bytes);
  }
  return data;
}

void secure_free(void* data) noexcept {
  sodium_free(data);
}

}  // namespace internal
}  // namespace ffconv
