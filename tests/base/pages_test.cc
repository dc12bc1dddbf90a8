#include "ffconv/base/pages.h"

#include <algorithm>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

namespace ffconv {
namespace {

TEST(ForgetPages, ClearsWholePagesAndLeavesWhatSharesOne) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<std::uint8_t> buffer(64 * page, 7);
  const std::span<std::uint8_t> inner = std::span(buffer).subspan(page / 2, 40 * page);
  forget_pages(inner);
  EXPECT_LE(std::ranges::count(inner, 7), static_cast<std::ptrdiff_t>(2 * page));
  EXPECT_TRUE(
      std::ranges::all_of(std::span(buffer).first(page / 2), [](auto b) { return b == 7; }));
  EXPECT_TRUE(
      std::ranges::all_of(std::span(buffer).last(23 * page), [](auto b) { return b == 7; }));
}

TEST(ForgetPages, LeavesLessThanAPageAlone) {
  std::vector<std::uint8_t> buffer(100, 7);
  forget_pages(buffer);
  forget_pages({});
  EXPECT_EQ(std::ranges::count(buffer, 7), 100);
}

}  // namespace
}  // namespace ffconv
