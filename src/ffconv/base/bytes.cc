#include "ffconv/base/bytes.h"

#include <bit>
#include <cmath>
#include <limits>

#include "ffconv/base/error.h"

namespace ffconv {

void ByteWriter::little_endian(std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) {
    bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

void ByteWriter::f64(double value) {
  u64(std::bit_cast<std::uint64_t>(value));
}

void ByteWriter::bytes(std::span<const std::uint8_t> data) {
  bytes_.insert(bytes_.end(), data.begin(), data.end());
}

void ByteWriter::string(std::string_view text) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
    fail(ErrorCode::kInvalidArgument, "string of {} bytes does not fit a file", text.size());
  }
  u32(static_cast<std::uint32_t>(text.size()));
  bytes_.insert(bytes_.end(), text.begin(), text.end());
}

std::uint64_t ByteReader::little_endian(int width) {
  const auto field = bytes(static_cast<std::size_t>(width));
  std::uint64_t value = 0;
  for (int i = 0; i < width; ++i) {
    value |= static_cast<std::uint64_t>(field[static_cast<std::size_t>(i)]) << (8 * i);
  }
  return value;
}

double ByteReader::f64() {
  const double value = std::bit_cast<double>(u64());
  if (!std::isfinite(value)) {
    reject("expected a finite number");
  }
  return value;
}

std::string ByteReader::string() {
  const auto text = bytes(count(1));
  return {text.begin(), text.end()};
}

std::span<const std::uint8_t> ByteReader::bytes(std::size_t size) {
  if (size > remaining()) {
    fail(ErrorCode::kFormat, "{}: truncated at byte {}: expected {} more bytes, got {}", what_,
         position_, size, remaining());
  }
  const auto field = data_.subspan(position_, size);
  position_ += size;
  return field;
}

std::size_t ByteReader::count(std::size_t min_bytes) {
  const std::size_t declared = u32();
  if (declared > remaining() / min_bytes) {
    fail(ErrorCode::kFormat,
         "{}: at byte {}: {} elements of at least {} bytes declared, only {} bytes left", what_,
         position_, declared, min_bytes, remaining());
  }
  return declared;
}

void ByteReader::expect_end() const {
  if (remaining() != 0) {
    fail(ErrorCode::kFormat, "{}: {} unexpected bytes after the end", what_, remaining());
  }
}

void ByteReader::reject(std::string_view problem) const {
  fail(ErrorCode::kFormat, "{}: at byte {}: {}", what_, position_, problem);
}

}  // namespace ffconv
