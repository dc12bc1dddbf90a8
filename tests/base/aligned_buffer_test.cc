#include "ffconv/base/aligned_buffer.h"

#include <cstddef>
#include <cstdint>
#include <utility>

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

}  // namespace
}  // namespace ffconv
