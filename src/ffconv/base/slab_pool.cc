#include "ffconv/base/slab_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <new>
#include <utility>

namespace ffconv::internal {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
// Blocks of up to half a slab share slabs; larger ones share wide ones, up to a quarter of these:
// a slab each would leave a third of its pages touched in part.
constexpr std::size_t kSlabBytes = 4 * kHugePage, kWideSlabBytes = 16 * kSlabBytes;

// Blocks of whole pages would begin at the same place of their pages, and operands read side by
// side would meet in the same sets of the first-level cache: a line more moves every block on.
std::size_t footprint(std::size_t bytes) {
  constexpr std::size_t kLine = SlabPool::kAlignment, kPage = 4096;
  const std::size_t rounded = (bytes + kLine - 1) / kLine * kLine;
  return rounded % kPage == 0 ? rounded + kLine : rounded;
}

std::byte* new_slab(std::size_t bytes) {
  void* const data = ::operator new (bytes, std::align_val_t{kHugePage});
#ifdef MADV_HUGEPAGE
  madvise(data, bytes, MADV_HUGEPAGE);  // advice: nothing depends on it
#endif
  return static_cast<std::byte*>(data);
}

void delete_slab(std::byte* data) noexcept {
  ::operator delete (data, std::align_val_t{kHugePage});
}

}  // namespace

SlabPool::~SlabPool() {
  for (const auto& [data, slab] : slabs_) {
    delete_slab(data);
  }
}

void* SlabPool::allocate(std::size_t bytes) {
  if (bytes > PTRDIFF_MAX) {  // no block of the system is that large
    throw std::bad_alloc();
  }
  const std::size_t size = footprint(bytes);
  const std::lock_guard lock(mutex_);
  std::vector<void*>& idle = idle_[size];
  void* block;
  if (!idle.empty()) {
    block = idle.back();
    idle.pop_back();
    idle_bytes_ -= size;
  } else {
    idle.reserve(blocks_[size] + 1);  // free() must not need memory
    block = cut(size);
    ++blocks_[size];
  }
  ++slab_of(block)->second.in_use;
  return block;
}

void SlabPool::free(void* block, std::size_t bytes) noexcept {
  const std::size_t size = footprint(bytes);
  const std::lock_guard lock(mutex_);
  idle_[size].push_back(block);
  idle_bytes_ += size;
  if (--slab_of(block)->second.in_use == 0 && idle_bytes_ > max_idle_bytes_) {
    release_unused();
  }
}

void SlabPool::release() noexcept {
  const std::lock_guard lock(mutex_);
  release_unused();
}

std::size_t SlabPool::cut_bytes() const {
  const std::lock_guard lock(mutex_);
  return cut_bytes_;
}

std::size_t SlabPool::slab_bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t bytes = 0;
  for (const auto& [data, slab] : slabs_) {
    bytes += slab.bytes;
  }
  return bytes;
}

std::byte* SlabPool::cut(std::size_t bytes) {
  const bool wide = bytes > kSlabBytes / 2;
  const bool shares = bytes <= kWideSlabBytes / 4;
  auto slab = shares ? slabs_.find(wide ? open_wide_ : open_) : slabs_.end();
  if (slab == slabs_.end() || slab->second.bytes - slab->second.cut < bytes) {
    const std::size_t rounded = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    const std::size_t size = !shares ? rounded : wide ? kWideSlabBytes : kSlabBytes;
    std::byte* const data = new_slab(size);
    try {
      slab = slabs_.emplace(data, Slab{size}).first;
    } catch (...) {
      delete_slab(data);
      throw;
    }
    if (shares) {
      (wide ? open_wide_ : open_) = data;
    }
  }
  std::byte* const block = slab->first + slab->second.cut;
  slab->second.cut += bytes;
  cut_bytes_ += bytes;
  return block;
}

SlabPool::Slabs::iterator SlabPool::slab_of(void* block) {
  return std::prev(slabs_.upper_bound(static_cast<std::byte*>(block)));
}

void SlabPool::release_unused() noexcept {
  for (auto& [size, blocks] : idle_) {
    const std::size_t removed =
        std::erase_if(blocks, [this](void* block) { return slab_of(block)->second.in_use == 0; });
    blocks_[size] -= removed;
    idle_bytes_ -= removed * size;
  }
  for (auto slab = slabs_.begin(); slab != slabs_.end();) {
    if (slab->second.in_use == 0) {
      for (std::byte** open : {&open_, &open_wide_}) {
        *open = *open == slab->first ? nullptr : *open;
      }
      delete_slab(slab->first);
      slab = slabs_.erase(slab);
    } else {
      ++slab;
    }
  }
}

}  // namespace ffconv::internal
