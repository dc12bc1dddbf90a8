#include "ffconv/base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/base/error.h"

namespace ffconv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The message of the kFormat error that `action` throws; "" and a failure where it throws none.
std::string format_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kFormat) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(Bytes, NumbersAreWrittenLittleEndian) {
  ByteWriter writer;
  writer.u8(0x01);
  writer.u16(0x0302);
  writer.u32(0x07060504);
  writer.i32(-2);
  EXPECT_THAT(writer.view(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 0xfe, 0xff, 0xff, 0xff));
}

TEST(Bytes, DoublesAreWrittenAsTheirIeeeBits) {
  ByteWriter writer;
  writer.f64(-2.0);  // sign 1, exponent 0x400, fraction 0
  EXPECT_THAT(writer.view(), ElementsAre(0, 0, 0, 0, 0, 0, 0, 0xc0));
}

TEST(Bytes, EveryKindOfFieldComesBackAsItWasWritten) {
  ByteWriter writer;
  writer.u8(255);
  writer.u16(65535);
  writer.u32(std::numeric_limits<std::uint32_t>::max());
  writer.u64(0x0123456789abcdef);
  writer.i32(std::numeric_limits<std::int32_t>::min());
  writer.i64(std::numeric_limits<std::int64_t>::min());
  writer.f64(-0.1);
  writer.string("");
  writer.string(std::string_view("a\0b", 3));
  writer.bytes(std::vector<std::uint8_t>{9, 8});
  const std::vector<std::uint8_t> data = writer.take();

  ByteReader reader(data, "field test");
  EXPECT_EQ(reader.u8(), 255);
  EXPECT_EQ(reader.u16(), 65535);
  EXPECT_EQ(reader.u32(), std::numeric_limits<std::uint32_t>::max());
  EXPECT_EQ(reader.u64(), 0x0123456789abcdef);
  EXPECT_EQ(reader.i32(), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(reader.i64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(reader.f64(), -0.1);
  EXPECT_EQ(reader.string(), "");
  EXPECT_EQ(reader.string(), std::string("a\0b", 3));
  EXPECT_THAT(reader.bytes(2), ElementsAre(9, 8));
  EXPECT_NO_THROW(reader.expect_end());
}

TEST(Bytes, EveryReadRefusesAnInputOneByteTooShort) {
  struct Field {
    std::size_t bytes;
    std::function<void(ByteReader&)> read;
  };
  const std::vector<Field> fields = {
      {1, [](ByteReader& r) { r.u8(); }},     {2, [](ByteReader& r) { r.u16(); }},
      {4, [](ByteReader& r) { r.u32(); }},    {8, [](ByteReader& r) { r.u64(); }},
      {4, [](ByteReader& r) { r.i32(); }},    {8, [](ByteReader& r) { r.i64(); }},
      {8, [](ByteReader& r) { r.f64(); }},    {4, [](ByteReader& r) { r.count(1); }},
      {4, [](ByteReader& r) { r.string(); }}, {3, [](ByteReader& r) { r.bytes(3); }},
  };
  for (const Field& field : fields) {
    const std::vector<std::uint8_t> data(field.bytes, 0);
    ByteReader enough(data, "input");
    EXPECT_NO_THROW(field.read(enough)) << field.bytes;
    ByteReader short_by_one(std::span<const std::uint8_t>(data).first(field.bytes - 1), "input");
    EXPECT_THAT(format_error([&] { field.read(short_by_one); }), HasSubstr("truncated at byte 0"));
    EXPECT_EQ(short_by_one.remaining(), field.bytes - 1) << "a refused read must not advance";
  }
}

TEST(Bytes, AnErrorNamesTheInputThePositionAndBothSizes) {
  const std::vector<std::uint8_t> data(5, 0);
  ByteReader reader(data, "digit.ct");
  reader.u8();
  EXPECT_EQ(format_error([&] { reader.u64(); }),
            "digit.ct: truncated at byte 1: expected 8 more bytes, got 4");
}

TEST(Bytes, ACountIsBoundedByTheBytesThatAreLeft) {
  const auto declared = [](std::uint32_t count, std::size_t payload_bytes) {
    ByteWriter writer;
    writer.u32(count);
    writer.bytes(std::vector<std::uint8_t>(payload_bytes, 0));
    return writer.take();
  };
  for (const std::size_t min_bytes : {1u, 3u, 8u}) {
    const auto justified = declared(4, 4 * min_bytes);
    EXPECT_EQ(ByteReader(justified, "input").count(min_bytes), 4u);
    const auto one_short = declared(4, 4 * min_bytes - 1);
    EXPECT_THAT(format_error([&] { ByteReader(one_short, "input").count(min_bytes); }),
                HasSubstr("4 elements"));
  }
  // The product 2^32-1 times 2^33 overflows 64 bits: the bound must not be computed by multiplying.
  const auto huge = declared(std::numeric_limits<std::uint32_t>::max(), 16);
  EXPECT_THAT(format_error([&] { ByteReader(huge, "input").count(std::size_t{1} << 33); }),
              HasSubstr("only 16 bytes left"));
}

TEST(Bytes, AStringLongerThanTheInputIsRefused) {
  ByteWriter writer;
  writer.u32(4);
  writer.bytes(std::vector<std::uint8_t>(3, 'a'));
  EXPECT_THAT(format_error([&] { ByteReader(writer.view(), "input").string(); }),
              HasSubstr("4 elements"));
}

TEST(Bytes, NumbersThatAreNotFiniteAreRefused) {
  for (const double value :
       {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()}) {
    ByteWriter writer;
    writer.f64(value);
    EXPECT_THAT(format_error([&] { ByteReader(writer.view(), "input").f64(); }),
                HasSubstr("finite"));
  }
}

TEST(Bytes, BytesAfterTheEndAreRefused) {
  const std::vector<std::uint8_t> data(3, 0);
  ByteReader reader(data, "input");
  reader.u16();
  EXPECT_EQ(format_error([&] { reader.expect_end(); }), "input: 1 unexpected bytes after the end");
}

}  // namespace
}  // namespace ffconv
