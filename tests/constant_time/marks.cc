#include "constant_time/marks.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <valgrind/memcheck.h>

#include "ffconv/base/secret_marks.h"

namespace ffconv {

// In the place of the library's own, which do nothing.
void mark_secret(const void* data, std::size_t bytes) noexcept {
  VALGRIND_MAKE_MEM_UNDEFINED(data, bytes);
}

void mark_public(const void* data, std::size_t bytes) noexcept {
  VALGRIND_MAKE_MEM_DEFINED(data, bytes);
}

namespace constant_time {

bool checked() {
  return RUNNING_ON_VALGRIND != 0;
}

// Asked for the bits themselves: the request that only checks counts as an error.
bool is_secret(const void* data, std::size_t bytes) {
  std::vector<std::uint8_t> bits(bytes, 0);
  VALGRIND_GET_VBITS(data, bits.data(), bytes);
  return std::ranges::any_of(bits, [](std::uint8_t b) { return b != 0; });
}

}  // namespace constant_time
}  // namespace ffconv
