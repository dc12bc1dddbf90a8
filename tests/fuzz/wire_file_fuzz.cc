// The frame, on raw bytes and on edits of a valid file: what opens, seals again to the same.

#include "ffconv/wire/file.h"
#include "fuzz/wire_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ffconv;
  static const auto valid =
      fuzz::sealed(std::vector<std::uint8_t>{1, 2, 3, 4}, {wire::Kind::kParameters, {5}, {6}});
  for (const auto& file :
       {std::vector<std::uint8_t>(data, data + size), fuzz::edited(valid, {data, size})}) {
    fuzz::parse_and_compare(
        file,
        [](const auto& bytes) { return wire::open(bytes, wire::Kind::kParameters, "fuzz input"); },
        [](const wire::Opened& opened) { return fuzz::sealed(opened.payload, opened.header); });
  }
  return 0;
}
