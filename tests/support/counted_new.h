// Replaces operator new for the executable that includes it, in one file only, by one that tells
// on_allocation(bytes) of every request.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace ffconv::testing {

// Defined by the file that includes this.
void on_allocation(std::size_t bytes);

inline void* counted_new(std::size_t bytes, std::size_t alignment) {
  on_allocation(bytes);
  const std::size_t rounded =
      (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  if (void* data = std::aligned_alloc(alignment, rounded)) {
    return data;
  }
  throw std::bad_alloc();
}

}  // namespace ffconv::testing

void* operator new(std::size_t bytes) {
  return ffconv::testing::counted_new(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return ffconv::testing::counted_new(bytes, static_cast<std::size_t>(alignment));
}
// What std::stable_sort asks for. A sanitizer's own would not go with the delete below.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return operator new(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* data) noexcept {
  std::free(data);
}
void operator delete(void* data, std::size_t) noexcept {
  std::free(data);
}
void operator delete(void* data, std::align_val_t) noexcept {
  std::free(data);
}
void operator delete(void* data, std::size_t, std::align_val_t) noexcept {
  std::free(data);
}
