#include "ffconv/wire/file.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"

namespace ffconv::wire {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

const Header kHeader{Kind::kCiphertexts, {1, 2, 3}, {4, 5, 6}};

std::vector<std::uint8_t> small_file() {
  ByteWriter writer = begin_file();
  writer.u32(0x12345678);
  return end_file(std::move(writer), kHeader);
}

TEST(File, HasTheWrittenLayout) {
  const auto file = small_file();
  ASSERT_EQ(file.size(), kFrameBytes + 4);
  EXPECT_EQ(std::string(file.begin(), file.begin() + 8), "FFConv\r\n");
  const auto rest = std::span<const std::uint8_t>(file).subspan(8);
  ByteReader reader(rest, "test");
  EXPECT_EQ(reader.u16(), 3);  // ciphertexts
  EXPECT_EQ(reader.u16(), 2);  // version
  EXPECT_EQ(reader.bytes(32)[2], 3);
  EXPECT_EQ(reader.bytes(32)[2], 6);
  EXPECT_EQ(reader.u64(), 4u);
  EXPECT_EQ(reader.u32(), 0x12345678u);
  EXPECT_EQ(reader.remaining(), 32u);
}

TEST(File, OpensToWhatWasSealed) {
  const auto file = small_file();
  const Opened opened = open(file, Kind::kCiphertexts, "test");
  EXPECT_EQ(opened.header.params, kHeader.params);
  EXPECT_EQ(opened.header.bundle, kHeader.bundle);
  EXPECT_EQ(opened.payload.data(), file.data() + kHeaderBytes);
  EXPECT_EQ(opened.payload.size(), 4u);
}

// RFC 7693's hash with 32 bytes of output, computed by Python's hashlib.blake2b(b"abc",
// digest_size=32).
TEST(File, ChecksumIsBlake2b256) {
  const std::vector<std::uint8_t> abc = {'a', 'b', 'c'};
  const Fingerprint hash = blake2b(abc);
  EXPECT_EQ(hash[0], 0xbd);
  EXPECT_EQ(hash[1], 0xdd);
  EXPECT_EQ(hash[2], 0x81);
  EXPECT_EQ(hash[31], 0x19);
}

TEST(File, EveryTruncationIsRefused) {
  const auto file = small_file();
  for (std::size_t size = 0; size < file.size(); ++size) {
    SCOPED_TRACE(size);
    error_of(ErrorCode::kFormat,
             [&] { open(std::span(file).first(size), Kind::kCiphertexts, "test"); });
  }
}

TEST(File, EveryAlteredByteIsRefused) {
  const auto file = small_file();
  for (std::size_t i = 0; i < file.size(); ++i) {
    SCOPED_TRACE(i);
    for (const int flip : {0x01, 0x80, 0xff}) {
      auto altered = file;
      altered[i] = static_cast<std::uint8_t>(altered[i] ^ flip);
      error_of(ErrorCode::kFormat, [&] { open(altered, Kind::kCiphertexts, "test"); });
    }
  }
}

TEST(File, AppendedBytesAreRefused) {
  auto file = small_file();
  file.push_back(0);
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { open(file, Kind::kCiphertexts, "x.ct"); }),
              HasSubstr("x.ct: truncated or extended"));
}

TEST(File, AnotherKindIsNamedOnBothSides) {
  const auto file = small_file();
  EXPECT_EQ(error_of(ErrorCode::kFormat, [&] { open(file, Kind::kEvaluationKeys, "eval.keys"); }),
            "eval.keys: expected evaluation keys, got ciphertexts");
}

TEST(File, AnotherVersionIsNamedOnBothSides) {
  auto file = small_file();
  file[10] = 1;
  EXPECT_THAT(error_of(ErrorCode::kFormat, [&] { open(file, Kind::kCiphertexts, "x.ct"); }),
              HasSubstr("x.ct: expected format version 2, got 1"));
}

TEST(File, ForeignFilesAreSaidToBeForeign) {
  const std::vector<std::uint8_t> png(200, 0x89);
  EXPECT_EQ(error_of(ErrorCode::kFormat, [&] { open(png, Kind::kCiphertexts, "x.ct"); }),
            "x.ct: expected ciphertexts written by FFConv, got something else");
}

TEST(File, OtherParametersAndBundlesAreNamedOnBothSides) {
  EXPECT_EQ(error_of(ErrorCode::kMismatch, [] { expect_params(kHeader, {9}, "x.ct"); }),
            "x.ct: made for parameters 0102030000000000, expected 0900000000000000");
  EXPECT_EQ(error_of(ErrorCode::kMismatch, [] { expect_bundle(kHeader, {9}, "x.ct"); }),
            "x.ct: made for bundle 0405060000000000, expected 0900000000000000");
}

}  // namespace
}  // namespace ffconv::wire
