#include "ffconv/base/parallel.h"

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ffconv/base/error.h"

namespace ffconv {
namespace {

// Every test runs with 1, 2 and 5 threads; the process's own number is restored afterwards.
class ParallelFor : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_thread_count(GetParam()); }
  void TearDown() override { set_thread_count(before_); }

 private:
  int before_ = thread_count();
};

TEST_P(ParallelFor, VisitsEveryIndexExactlyOnce) {
  for (const std::size_t count : {0u, 1u, 2u, 3u, 64u, 1000u}) {
    std::vector<std::atomic<int>> visits(count);
    parallel_for(count, [&](std::size_t i) { ++visits.at(i); });
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(visits[i], 1) << "index " << i << " of " << count;
    }
  }
}

TEST_P(ParallelFor, MayBeNested) {
  std::vector<std::atomic<int>> visits(20 * 30);
  parallel_for(20, [&](std::size_t i) {
    parallel_for(30, [&](std::size_t j) { ++visits.at(30 * i + j); });
  });
  for (const auto& visit : visits) {
    ASSERT_EQ(visit, 1);
  }
}

TEST_P(ParallelFor, PassesAnExceptionToItsCallerAndWorksAfterwards) {
  for (const std::size_t thrower : {0u, 57u, 99u}) {
    try {
      parallel_for(100, [&](std::size_t i) {
        if (i == thrower) {
          fail(ErrorCode::kMissingKey, "index {}", i);
        }
      });
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kMissingKey);
      EXPECT_EQ(error.what(), "index " + std::to_string(thrower));
    }
    std::atomic<int> visits = 0;
    parallel_for(10, [&](std::size_t) { ++visits; });
    EXPECT_EQ(visits, 10);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ParallelFor, ::testing::Values(1, 2, 5));

TEST(ThreadCount, KeepsTheLastValueInItsRangeAndRefusesOthers) {
  const int before = thread_count();
  set_thread_count(3);
  for (const int refused : {0, -1, 1025}) {
    try {
      set_thread_count(refused);
      ADD_FAILURE() << refused << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    }
    EXPECT_EQ(thread_count(), 3);
  }
  set_thread_count(before);
}

}  // namespace
}  // namespace ffconv
