// Memory for secrets: locked where the system allows, between guard pages, wiped before it is
// freed.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "ffconv/base/aligned_buffer.h"

namespace ffconv {

// Overwrites the bytes with zeros; never optimized away.
void zeroize(void* data, std::size_t bytes);

namespace internal {
// Freed blocks are wiped, made inaccessible and kept, locked, for the next request of the same
// size, up to 16 MiB in all: fresh ones cost several system calls and a fault for each page.
void* secure_allocate(std::size_t bytes);  // throws kIo when the system refuses
void secure_free(void* data, std::size_t bytes) noexcept;
}  // namespace internal

// An array of secrets. Move-only: a secret is never copied by accident.
template <typename T>
class SecureBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  SecureBuffer() = default;
  explicit SecureBuffer(std::size_t size)
      : data_(static_cast<T*>(internal::secure_allocate(size * sizeof(T))), Free{size * sizeof(T)}),
        size_(size) {}
  SecureBuffer(SecureBuffer&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  SecureBuffer& operator=(SecureBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  std::span<T> span() { return {data_.get(), size_}; }
  std::span<const T> span() const { return {data_.get(), size_}; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    std::size_t bytes = 0;
    void operator()(T* p) const { internal::secure_free(p, bytes); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

// An array of intermediate values that depend on a secret: not locked, but wiped before its memory
// serves again. Elements are 64-byte aligned and uninitialized.
template <typename T>
class WipedBuffer {
 public:
  explicit WipedBuffer(std::size_t size) : buffer_(size) {}
  ~WipedBuffer() { zeroize(buffer_.data(), buffer_.size() * sizeof(T)); }
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;

  T* data() { return buffer_.data(); }
  std::span<T> span() { return buffer_.span(); }

 private:
  AlignedBuffer<T> buffer_;
};

}  // namespace ffconv
