#include "ffconv/base/random.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ffconv {
namespace {

std::vector<std::uint8_t> from_hex(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

Seed counting_seed() {
  Seed seed;
  for (std::size_t i = 0; i < seed.size(); ++i) {
    seed[i] = static_cast<std::uint8_t>(i);
  }
  return seed;
}

std::vector<std::uint8_t> stream_bytes(const Seed& seed, std::uint64_t stream, std::size_t size) {
  SeededStream source(seed, stream);
  std::vector<std::uint8_t> bytes(size);
  source.fill(bytes);
  return bytes;
}

TEST(SeededStream, GivesTheKnownChaCha20KeyStreams) {
  const std::string path = FFCONV_SOURCE_DIR "/tests/vectors/chacha20.json";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  const auto vectors = nlohmann::json::parse(file);
  ASSERT_GE(vectors.size(), 5u);
  for (const auto& vector : vectors) {
    SCOPED_TRACE(vector.dump());
    const auto key = from_hex(vector["key"].get<std::string>());
    Seed seed;
    ASSERT_EQ(key.size(), seed.size());
    std::copy(key.begin(), key.end(), seed.begin());
    const std::uint64_t stream = std::stoull(vector["stream"].get<std::string>(), nullptr, 16);
    const auto expected = from_hex(vector["bytes"].get<std::string>());
    const auto offset = vector["offset"].get<std::ptrdiff_t>();

    auto bytes = stream_bytes(seed, stream, static_cast<std::size_t>(offset) + expected.size());
    bytes.erase(bytes.begin(), bytes.begin() + offset);
    EXPECT_EQ(bytes, expected);
  }
}

TEST(SeededStream, DoesNotDependOnHowItIsReadInPieces) {
  const std::size_t size = 3 * 4096 + 17;
  const auto whole = stream_bytes(counting_seed(), 7, size);
  for (const std::size_t piece : {1u, 7u, 64u, 4095u, 4096u, 4097u}) {
    SeededStream stream(counting_seed(), 7);
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t i = 0; i < size; i += piece) {
      stream.fill(std::span(bytes).subspan(i, std::min(piece, size - i)));
    }
    EXPECT_EQ(bytes, whole) << "read in pieces of " << piece;
  }
}

TEST(SeededStream, WordsAreItsBytesLittleEndian) {
  const auto bytes = stream_bytes(counting_seed(), 0, 16);
  SeededStream stream(counting_seed(), 0);
  for (std::size_t word = 0; word < 2; ++word) {
    std::uint64_t expected = 0;
    for (std::size_t i = 8; i-- > 0;) {
      expected = expected << 8 | bytes[8 * word + i];
    }
    EXPECT_EQ(stream.next_u64(), expected);
  }
}

TEST(SeededStream, DiffersForOtherSeedsAndOtherStreams) {
  Seed other = counting_seed();
  other[31] ^= 0x80;
  const auto bytes = stream_bytes(counting_seed(), 1, 64);
  EXPECT_NE(bytes, stream_bytes(other, 1, 64));
  EXPECT_NE(bytes, stream_bytes(counting_seed(), 2, 64));
  EXPECT_NE(bytes, stream_bytes(counting_seed(), 1 + (std::uint64_t{1} << 63), 64));
}

TEST(Random, FreshBytesDifferFromCallToCall) {
  EXPECT_NE(random_seed(), random_seed());  // equal once in 2^256
}

TEST(Random, AllBytesOfTheBufferAreFilled) {
  // A byte that is never written keeps 0 in all 16 draws; a written one does once in 2^128.
  std::vector<std::uint8_t> seen(100, 0);
  for (int draw = 0; draw < 16; ++draw) {
    std::vector<std::uint8_t> bytes(seen.size(), 0);
    random_bytes(bytes);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      seen[i] = static_cast<std::uint8_t>(seen[i] | bytes[i]);
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0);
}

}  // namespace
}  // namespace ffconv
