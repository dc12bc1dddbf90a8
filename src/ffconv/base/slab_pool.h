// Blocks cut from slabs of huge pages and kept for the next request of the same size.
//
// Weights and keys stream from memory. On 4 KiB pages one thread reads half of what it reads on
// huge ones (docs/benchmarks.md), and fresh pages cost more than most kernels.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <vector>

namespace ffconv::internal {

// What each of the pools behind AlignedBuffer keeps idle (aligned_buffer.cc).
inline constexpr std::size_t kMaxIdleBytes = std::size_t{256} << 20;

// Slabs none of whose blocks is in use go back to the system once more than max_idle_bytes of
// blocks lie idle. Safe from several threads.
class SlabPool {
 public:
  static constexpr std::size_t kAlignment = 64;

  explicit SlabPool(std::size_t max_idle_bytes) : max_idle_bytes_(max_idle_bytes) {}
  ~SlabPool();
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  // Throws std::bad_alloc. bytes > 0.
  void* allocate(std::size_t bytes);
  // A block of allocate(bytes).
  void free(void* block, std::size_t bytes) noexcept;

  // Gives back the slabs none of whose blocks is in use.
  void release() noexcept;

  // Bytes of all blocks ever cut: stands still while every request is met by a kept block.
  std::size_t cut_bytes() const;
  // Bytes of the slabs held now.
  std::size_t slab_bytes() const;

 private:
  struct Slab {
    std::size_t bytes;
    std::size_t cut = 0;
    std::size_t in_use = 0;  // blocks
  };
  using Slabs = std::map<std::byte*, Slab>;

  std::byte* cut(std::size_t bytes);
  Slabs::iterator slab_of(void* block);
  void release_unused() noexcept;

  const std::size_t max_idle_bytes_;
  mutable std::mutex mutex_;
  Slabs slabs_;  // by first byte
  // The slabs that blocks of up to 4 MiB, and larger ones, are cut from.
  std::byte *open_ = nullptr, *open_wide_ = nullptr;
  std::map<std::size_t, std::vector<void*>> idle_;  // by size; room for every block of that size
  std::map<std::size_t, std::size_t> blocks_;       // cut and not released, by size
  std::size_t idle_bytes_ = 0, cut_bytes_ = 0;
};

}  // namespace ffconv::internal
