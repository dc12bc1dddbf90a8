// ByteReader on foreign bytes: the first half of the input says which fields to read, the second
// half is read. Every read either advances by exactly its size within the input or throws kFormat.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "ffconv/base/bytes.h"
#include "ffconv/base/error.h"

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

// Reads one field chosen by `choice` and returns the bytes that it takes.
std::size_t read_one(ffconv::ByteReader& reader, std::uint8_t choice) {
  const std::size_t min_bytes = 1 + choice / 8u;
  switch (choice % 8) {
    case 0:
      reader.u8();
      return 1;
    case 1:
      reader.u16();
      return 2;
    case 2:
      reader.u32();
      return 4;
    case 3:
      reader.u64();
      return 8;
    case 4:
      reader.f64();
      return 8;
    case 5:
      return 4 + reader.string().size();
    case 6:
      return reader.bytes(min_bytes).size();
    default:
      require(reader.count(min_bytes) * min_bytes <= reader.remaining());
      return 4;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> input(data, size);
  const auto choices = input.first(size / 2);
  ffconv::ByteReader reader(input.subspan(size / 2), "fuzz input");
  try {
    for (const std::uint8_t choice : choices) {
      const std::size_t before = reader.remaining();
      const std::size_t taken = read_one(reader, choice);
      require(reader.remaining() == before - taken);
    }
    reader.expect_end();
    require(reader.remaining() == 0);
  } catch (const ffconv::Error& error) {
    require(error.code() == ffconv::ErrorCode::kFormat);
  }
  return 0;
}
