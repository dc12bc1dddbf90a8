#include "ffconv/base/slab_pool.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ffconv::internal {
namespace {

constexpr std::size_t kKiB = 1024, kMiB = kKiB * kKiB;

TEST(SlabPool, BlocksInUseNeverOverlapAndKeepWhatIsWritten) {
  constexpr std::uint64_t kSeed = 11;
  SCOPED_TRACE(::testing::Message() << "seed " << kSeed);
  std::mt19937_64 random(kSeed);
  struct Block {
    unsigned char* data;
    std::size_t bytes;
    unsigned char value;
  };
  SlabPool pool(8 * kMiB);
  std::vector<Block> blocks;
  for (int step = 0; step < 2000; ++step) {
    if (blocks.size() < 40 && random() % 2 == 0) {
      const std::size_t bytes = std::size_t{32} * kKiB << random() % 9;  // up to 8 MiB
      auto* data = static_cast<unsigned char*>(pool.allocate(bytes));
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(data) % SlabPool::kAlignment, 0u);
      const auto value = static_cast<unsigned char>(random());
      std::memset(data, value, bytes);
      blocks.push_back({data, bytes, value});
    } else if (!blocks.empty()) {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      const Block& block = blocks.back();
      ASSERT_TRUE(std::all_of(block.data, block.data + block.bytes,
                              [&](unsigned char c) { return c == block.value; }))
          << "step " << step;
      pool.free(block.data, block.bytes);
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) {
    pool.free(block.data, block.bytes);
  }
}

TEST(SlabPool, ABlockGivenBackServesTheNextRequestOfItsSize) {
  SlabPool pool(64 * kMiB);
  void* const first = pool.allocate(100 * kKiB);
  pool.free(first, 100 * kKiB);
  const std::size_t cut = pool.cut_bytes();
  EXPECT_EQ(pool.allocate(100 * kKiB), first);
  EXPECT_EQ(pool.cut_bytes(), cut);
  EXPECT_NE(pool.allocate(100 * kKiB), first);
  EXPECT_GT(pool.cut_bytes(), cut);
}

TEST(SlabPool, SlabsWithoutABlockInUseGoBackOnceTooMuchLiesIdle) {
  SlabPool pool(40 * kMiB);
  void* const held = pool.allocate(kMiB);
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) {
    blocks.push_back(pool.allocate(kMiB));
  }
  const std::size_t most = pool.slab_bytes();
  EXPECT_GE(most, 101 * kMiB);
  for (void* block : blocks) {
    pool.free(block, kMiB);
  }
  EXPECT_LE(pool.slab_bytes(), 80 * kMiB);
  pool.free(held, kMiB);
  EXPECT_GT(pool.slab_bytes(), 0u);  // less than the limit lies idle: kept
}

TEST(SlabPool, ReleaseGivesBackWhatIsIdleAndNothingElse) {
  SlabPool pool(64 * kMiB);
  void* const used = pool.allocate(6 * kMiB);
  void* const idle = pool.allocate(kMiB);
  pool.free(idle, kMiB);
  const std::size_t before = pool.slab_bytes();
  pool.release();
  EXPECT_LT(pool.slab_bytes(), before);
  std::memset(used, 1, 6 * kMiB);
  pool.free(used, 6 * kMiB);
  pool.release();
  EXPECT_EQ(pool.slab_bytes(), 0u);
}

TEST(SlabPool, BlocksOfMoreThanHalfASlabShareWideOnes) {
  SlabPool pool(0);
  std::vector<void*> blocks;
  for (int i = 0; i < 25; ++i) {
    blocks.push_back(pool.allocate(5 * kMiB));
  }
  EXPECT_LE(pool.slab_bytes(), 128 * kMiB);
  for (void* block : blocks) {
    pool.free(block, 5 * kMiB);
  }
  EXPECT_EQ(pool.slab_bytes(), 0u);
}

TEST(SlabPool, ABlockLargerThanASlabHasOneOfItsOwn) {
  SlabPool pool(0);
  void* const small = pool.allocate(kMiB);
  const std::size_t before = pool.slab_bytes();
  void* const large = pool.allocate(100 * kMiB);
  EXPECT_GE(pool.slab_bytes(), before + 100 * kMiB);
  EXPECT_LE(pool.slab_bytes(), before + 102 * kMiB);
  pool.free(large, 100 * kMiB);
  EXPECT_EQ(pool.slab_bytes(), before);
  void* const next = pool.allocate(kMiB);
  EXPECT_EQ(pool.slab_bytes(), before);  // the open slab is still cut from
  pool.free(next, kMiB);
  pool.free(small, kMiB);
  EXPECT_EQ(pool.slab_bytes(), 0u);
}

TEST(SlabPool, RefusesSizesThatOverflow) {
  SlabPool pool(0);
  EXPECT_THROW(pool.allocate(SIZE_MAX), std::bad_alloc);
  EXPECT_THROW(pool.allocate(SIZE_MAX - 4 * kMiB), std::bad_alloc);
}

}  // namespace
}  // namespace ffconv::internal
