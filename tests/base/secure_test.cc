#include "ffconv/base/secure.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ffconv {
namespace {

using ::testing::Each;

static_assert(!std::is_copy_constructible_v<SecureBuffer<std::int64_t>>);
static_assert(!std::is_copy_assignable_v<SecureBuffer<std::int64_t>>);
static_assert(std::is_nothrow_move_constructible_v<SecureBuffer<std::int64_t>>);

// Kilobytes of this process that are locked in memory, as the kernel reports them.
long locked_kilobytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == "VmLck:") {
      long kilobytes = -1;
      status >> kilobytes;
      return kilobytes;
    }
  }
  return -1;
}

TEST(Zeroize, OverwritesExactlyTheGivenBytes) {
  std::vector<std::uint8_t> bytes(32, 0xaa);
  zeroize(bytes.data() + 8, 16);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(bytes[i], i >= 8 && i < 24 ? 0 : 0xaa) << i;
  }
}

TEST(SecureBuffer, HoldsWhatIsWrittenAndIsAlignedForVectorLoads) {
  for (const std::size_t size : {1u, 7u, 8u, 1000u, 8192u}) {
    SecureBuffer<std::int64_t> buffer(size);
    ASSERT_EQ(buffer.size(), size);
    ASSERT_EQ(buffer.span().size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.span().data()) % 64, 0u) << size;
    for (std::size_t i = 0; i < size; ++i) {
      buffer[i] = static_cast<std::int64_t>(i);
    }
    for (std::size_t i = 0; i < size; ++i) {
      ASSERT_EQ(std::as_const(buffer)[i], static_cast<std::int64_t>(i));
    }
  }
}

TEST(SecureBuffer, MovesItsSecretAndLeavesNothingBehind) {
  SecureBuffer<std::uint8_t> source(16);
  for (std::uint8_t& byte : source.span()) {
    byte = 0x5a;
  }
  SecureBuffer<std::uint8_t> target(std::move(source));
  EXPECT_THAT(target.span(), Each(0x5a));
  EXPECT_EQ(source.size(),
            0u);  // NOLINT(bugprone-use-after-move): the state after a move is the test

  SecureBuffer<std::uint8_t> assigned;
  assigned = std::move(target);
  EXPECT_THAT(assigned.span(), Each(0x5a));
  EXPECT_EQ(target.size(), 0u);  // NOLINT(bugprone-use-after-move)
}

TEST(SecureBuffer, IsLockedInMemoryWhereTheLimitAllows) {
#ifdef FFCONV_SANITIZED
  GTEST_SKIP() << "the sanitizers turn mlock into a call without effect";
#endif
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
  const long before = locked_kilobytes();
  if (before < 0 || limit.rlim_cur < 4 * 65536) {
    GTEST_SKIP() << "this system does not let a process lock 256 KiB";
  }
  const SecureBuffer<std::uint8_t> buffer(69632);  // a size of its own: no kept block serves it
  EXPECT_GE(locked_kilobytes(), before + 68);
}

TEST(SecureBuffer, MemoryUsedAgainHoldsNothingOfItsFormerOwner) {
  for (const std::size_t size : {std::size_t{100}, std::size_t{20480}}) {
    SecureBuffer<std::uint8_t> first(size);
    std::ranges::fill(first.span(), std::uint8_t{0x5a});
    first = SecureBuffer<std::uint8_t>();
    const SecureBuffer<std::uint8_t> second(size);
    EXPECT_THAT(second.span(), Each(::testing::Ne(0x5a)));
  }
}

TEST(WipedBuffer, LeavesNothingToTheNextOwnerOfItsMemory) {
  const std::size_t size = 40000;  // large enough to be kept for the next of its size
  {
    WipedBuffer<std::uint8_t> buffer(size);
    std::ranges::fill(buffer.span(), std::uint8_t{0x5a});
  }
  const AlignedBuffer<std::uint8_t> next(size);
  EXPECT_THAT(next.span(), Each(::testing::Ne(0x5a)));
}

TEST(SecureBufferDeathTest, StandsBetweenPagesThatCannotBeTouched) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::size_t size = 4096;
  SecureBuffer<std::uint8_t> buffer(size);
  const volatile std::uint8_t* data = buffer.span().data();
  EXPECT_EQ(data[size - 1], data[size - 1]);
  EXPECT_DEATH(static_cast<void>(data[size]), "");
}

TEST(SecureBufferDeathTest, CannotBeTouchedOnceFreed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  SecureBuffer<std::uint8_t> buffer(4096);
  const volatile std::uint8_t* data = buffer.span().data();
  EXPECT_EQ(data[0], data[0]);
  buffer = SecureBuffer<std::uint8_t>();
  EXPECT_DEATH(static_cast<void>(data[0]), "");
}

}  // namespace
}  // namespace ffconv
