// Little-endian byte strings: a writer that grows and a reader that never passes its end.
//
// The reader is the only way foreign bytes enter the library. count() bounds a declared number of
// elements by the bytes that are left, so that no allocation exceeds what the input justifies.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ffconv {

class ByteWriter {
 public:
  void u8(std::uint8_t value) { bytes_.push_back(value); }
  void u16(std::uint16_t value) { little_endian(value, 2); }
  void u32(std::uint32_t value) { little_endian(value, 4); }
  void u64(std::uint64_t value) { little_endian(value, 8); }
  void i32(std::int32_t value) { u32(static_cast<std::uint32_t>(value)); }
  void i64(std::int64_t value) { u64(static_cast<std::uint64_t>(value)); }
  void f64(double value);
  void bytes(std::span<const std::uint8_t> data);
  void string(std::string_view text);  // u32 length, then the bytes

  std::size_t size() const { return bytes_.size(); }
  const std::vector<std::uint8_t>& view() const { return bytes_; }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  void little_endian(std::uint64_t value, int width);
  std::vector<std::uint8_t> bytes_;
};

// Reads from `data`, which must outlive the reader. `what` names the input in errors.
// Every function throws kFormat when fewer bytes are left than it needs.
class ByteReader {
 public:
  ByteReader(std::span<const std::uint8_t> data, std::string what)
      : data_(data), what_(std::move(what)) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(little_endian(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(little_endian(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(little_endian(4)); }
  std::uint64_t u64() { return little_endian(8); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  double f64();          // finite, else kFormat
  std::string string();  // as written by ByteWriter::string
  // The next `size` bytes, not copied.
  std::span<const std::uint8_t> bytes(std::size_t size);
  // A u32 element count whose elements take at least `min_bytes` bytes each of what is left.
  std::size_t count(std::size_t min_bytes);

  std::size_t remaining() const { return data_.size() - position_; }
  // Throws kFormat unless everything was read.
  void expect_end() const;
  // Throws kFormat with the position and `problem`.
  [[noreturn]] void reject(std::string_view problem) const;

 private:
  std::uint64_t little_endian(int width);
  std::span<const std::uint8_t> data_;
  std::string what_;
  std::size_t position_ = 0;
};

}  // namespace ffconv
