// Memory for secrets: locked where the system allows, between guard pages, wiped before it is
// freed.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace ffconv {

// Overwrites the bytes with zeros; never optimized away.
void zeroize(void* data, std::size_t bytes);

namespace internal {
void* secure_allocate(std::size_t bytes);  // throws kIo when the system refuses
void secure_free(void* data) noexcept;     // wipes first
}  // namespace internal

// An array of secrets. Move-only: a secret is never copied by accident.
template <typename T>
class SecureBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  SecureBuffer() = default;
  explicit SecureBuffer(std::size_t size)
      : data_(static_cast<T*>(internal::secure_allocate(size * sizeof(T)))), size_(size) {}
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
    void operator()(T* p) const { internal::secure_free(p); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace ffconv
