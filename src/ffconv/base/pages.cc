#include "ffconv/base/pages.h"

#include <cstddef>

#include <sys/mman.h>
#include <unistd.h>

namespace ffconv {

void forget_pages(std::span<std::uint8_t> bytes) noexcept {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t end = (begin + bytes.size()) / page * page;
  if (first < end) {
    ::madvise(bytes.data() + (first - begin), end - first, MADV_DONTNEED);
  }
}

}  // namespace ffconv
