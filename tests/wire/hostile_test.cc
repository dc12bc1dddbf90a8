// Every kind of file against damage and against an adversary who can compute checksums.

#include <algorithm>
#include <atomic>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/base/error.h"
#include "support/counted_new.h"
#include "support/error_of.h"
#include "wire/small_files.h"

namespace {

// Bytes requested from operator new since the last reset, freed or not.
std::atomic<std::size_t> requested_bytes{0};

}  // namespace

void ffconv::testing::on_allocation(std::size_t bytes) {
  requested_bytes += bytes;
}

namespace ffconv::testing {
namespace {

class HostileFile : public ::testing::TestWithParam<FileCase> {};

// Sizes and positions to try: all of a small file, about 1,500 of a large one, its ends among them.
std::vector<std::size_t> positions(std::size_t size) {
  std::vector<std::size_t> chosen;
  const std::size_t stride = std::max<std::size_t>(1, size / 500);
  for (std::size_t i = 0; i < size; ++i) {
    if (i < 500 || i + 500 >= size || i % stride == 0) {
      chosen.push_back(i);
    }
  }
  return chosen;
}

TEST_P(HostileFile, IsReadUnaltered) {
  GetParam().parse(GetParam().bytes());
}

TEST_P(HostileFile, IsRefusedTruncated) {
  const auto file = GetParam().bytes();
  for (const std::size_t size : positions(file.size())) {
    SCOPED_TRACE(size);
    error_of(ErrorCode::kFormat, [&] { GetParam().parse(std::span(file).first(size)); });
  }
}

TEST_P(HostileFile, IsRefusedWithAnyByteAltered) {
  auto file = GetParam().bytes();
  for (const std::size_t i : positions(file.size())) {
    SCOPED_TRACE(i);
    file[i] ^= 0x10;
    error_of(ErrorCode::kFormat, [&] { GetParam().parse(file); });
    file[i] ^= 0x10;
  }
}

// Many such files are still valid; whatever they are, nothing but an Error may come of them, and no
// memory beyond a small multiple of the file. 100,000 bytes: the parameters' prime search and
// messages.
TEST_P(HostileFile, WithARightChecksumIsReadOrRefusedInLittleMemory) {
  const auto original = GetParam().bytes();
  const std::uint64_t seed = 20240611;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::size_t refused = 0;
  const auto positions_in_payload = positions(original.size() - wire::kFrameBytes);
  for (std::size_t round = 0; round < 300; ++round) {
    auto file = original;
    // Often a whole field of four bytes: counts, numbers, halves of a double.
    const std::size_t at =
        wire::kHeaderBytes + positions_in_payload[random() % positions_in_payload.size()];
    const std::uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    for (std::size_t i = at; i < std::min(at + 4, file.size() - wire::kChecksumBytes); ++i) {
      file[i] = values[random() % 5];
    }
    reseal(file);
    requested_bytes = 0;
    try {
      GetParam().parse(file);
    } catch (const Error&) {
      ++refused;
    }
    ASSERT_LE(requested_bytes, 32 * file.size() + 100000) << "round " << round << ", byte " << at;
  }
  EXPECT_GT(refused, 0u);
}

// The largest count that a field can declare, in the place of every field.
TEST_P(HostileFile, CannotDeclareMoreThanItHolds) {
  const auto original = GetParam().bytes();
  const std::size_t end = original.size() - wire::kChecksumBytes;
  for (std::size_t at = wire::kHeaderBytes; at + 4 <= std::min(end, std::size_t{700}); ++at) {
    auto file = original;
    std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), 4, std::uint8_t{0xff});
    reseal(file);
    requested_bytes = 0;
    try {
      GetParam().parse(file);
    } catch (const Error&) {
    }
    ASSERT_LE(requested_bytes, 32 * file.size() + 100000) << "byte " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(AllKinds, HostileFile, ::testing::ValuesIn(file_cases()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace ffconv::testing
