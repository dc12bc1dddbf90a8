#include "ffconv/base/aligned_buffer.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ffconv {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

TEST(AlignedBuffer, StandsOnA64ByteBoundaryAtEverySize) {
  for (std::size_t size = 1; size < 100; ++size) {
    const AlignedBuffer<std::uint64_t> buffer(size, 7);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u);
    EXPECT_EQ(buffer.size(), size);
    EXPECT_THAT(buffer.span(), Each(7u));
  }
}

TEST(AlignedBuffer, OfNoElementsIsEmptyAndCanBeCopied) {
  const AlignedBuffer<double> empty;
  const AlignedBuffer<double> copy(empty);  // NOLINT(performance-unnecessary-copy-initialization)
  EXPECT_TRUE(copy.empty());
  EXPECT_EQ(copy.begin(), copy.end());
  EXPECT_TRUE(AlignedBuffer<double>(0).empty());
}

TEST(AlignedBuffer, CopiesAreDeep) {
  AlignedBuffer<int> original(3, 1);
  AlignedBuffer<int> copy(original);
  copy[1] = 2;
  EXPECT_THAT(original.span(), ElementsAre(1, 1, 1));
  original = copy;
  copy[0] = 3;
  EXPECT_THAT(original.span(), ElementsAre(1, 2, 1));
}

TEST(AlignedBuffer, MovesLeaveAnEmptyBufferBehind) {
  AlignedBuffer<int> source(3, 1);
  const int* data = source.data();
  const AlignedBuffer<int> target(std::move(source));
  EXPECT_EQ(target.data(), data);
  EXPECT_TRUE(
      source.empty());  // NOLINT(bugprone-use-after-move): the state after a move is the test
}

TEST(AlignedBuffer, LargeBlocksAreSeparateWhileInUseAndAlignedWhenReused) {
  const std::size_t words = std::size_t{1} << 14;
  for (int round = 0; round < 3; ++round) {
    AlignedBuffer<std::uint64_t> a(words, 1);
    AlignedBuffer<std::uint64_t> b(words, 2);
    AlignedBuffer<std::uint64_t> other_size(2 * words, 3);
    EXPECT_THAT(a.span(), Each(1u));
    EXPECT_THAT(b.span(), Each(2u));
    EXPECT_THAT(other_size.span(), Each(3u));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data()) % 64, 0u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(b.data()) % 64, 0u);
  }
}

TEST(AlignedBuffer, LargeBlocksMayBeTakenAndGivenBackByManyThreads) {
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t id = 0; id < 4; ++id) {
    threads.emplace_back([id, &wrong] {
      for (int round = 0; round < 200; ++round) {
        const AlignedBuffer<std::uint64_t> buffer(std::size_t{1} << 13, id);
        wrong += std::count(buffer.begin(), buffer.end(), id) != 1 << 13;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace ffconv
