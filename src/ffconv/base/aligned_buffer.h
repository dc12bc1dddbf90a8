// A heap array whose first element stands on a 64-byte boundary, so that every vector load of every
// instruction-set tier is aligned. Copies are deep; new elements are uninitialized unless said.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace ffconv {

namespace internal {
// 64-byte aligned memory from slab pools, one for blocks below 32 KiB and one for larger ones,
// which let 256 MiB each lie idle. Zero bytes: null.
void* pool_allocate(std::size_t bytes);
void pool_free(void* data, std::size_t bytes) noexcept;
// SlabPool::cut_bytes of both.
std::size_t pool_cut_bytes();
}  // namespace internal

// Gives freed memory back to the system, that of malloc included: for after work that took much
// more than what comes.
void release_freed_memory() noexcept;

template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr std::size_t kAlignment = 64;

  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size)
      : data_(static_cast<T*>(internal::pool_allocate(size * sizeof(T))), Free{size * sizeof(T)}),
        size_(size) {}
  AlignedBuffer(std::size_t size, T value) : AlignedBuffer(size) {
    std::fill_n(data_.get(), size, value);
  }
  AlignedBuffer(const AlignedBuffer& other) : AlignedBuffer(other.size_) {
    std::copy_n(other.data_.get(), size_, data_.get());
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  std::span<T> span() { return {data(), size_}; }
  std::span<const T> span() const { return {data(), size_}; }

 private:
  struct Free {
    std::size_t bytes = 0;
    void operator()(T* p) const { internal::pool_free(p, bytes); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace ffconv
