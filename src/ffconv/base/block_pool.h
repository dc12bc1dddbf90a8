// Blocks of memory kept for the next request of the same size.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace ffconv::internal {

// Holds at most max_kept_bytes; never frees by itself. Safe from several threads.
class BlockPool {
 public:
  explicit BlockPool(std::size_t max_kept_bytes) : max_kept_bytes_(max_kept_bytes) {}

  // A kept block of exactly this size, or nullptr.
  void* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const auto found = free_blocks_.find(bytes);
    if (found == free_blocks_.end() || found->second.empty()) {
      return nullptr;
    }
    void* data = found->second.back();
    found->second.pop_back();
    kept_bytes_ -= bytes;
    return data;
  }

  // False where the block is not kept: it remains the caller's.
  bool keep(void* data, std::size_t bytes) noexcept {
    const std::lock_guard lock(mutex_);
    if (kept_bytes_ + bytes > max_kept_bytes_) {
      return false;
    }
    try {
      free_blocks_[bytes].push_back(data);
      kept_bytes_ += bytes;
      return true;
    } catch (const std::bad_alloc&) {  // no room to remember it
      return false;
    }
  }

 private:
  const std::size_t max_kept_bytes_;
  std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_blocks_;  // by size
  std::size_t kept_bytes_ = 0;
};

}  // namespace ffconv::internal
