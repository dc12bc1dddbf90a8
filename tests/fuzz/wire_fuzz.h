// What the fuzzers of files share. Checksums would keep a fuzzer out, so it writes payloads, or
// edits of a valid one, and they are sealed here as an adversary would.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "ffconv/base/error.h"
#include "ffconv/wire/file.h"

namespace ffconv::fuzz {

inline void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

inline std::vector<std::uint8_t> sealed(std::span<const std::uint8_t> payload,
                                        wire::Header header) {
  ByteWriter writer = wire::begin_file();
  writer.bytes(payload);
  return wire::end_file(std::move(writer), header);
}

// `base` with edits: three bytes for the place, modulo its size, one for the value; the place that
// `input` ends in cuts the file off.
inline std::vector<std::uint8_t> edited(std::span<const std::uint8_t> base,
                                        std::span<const std::uint8_t> input) {
  std::vector<std::uint8_t> payload(base.begin(), base.end());
  const auto place = [&](std::size_t at) {
    return (input[at] + input[at + 1] * 256u + input[at + 2] * 65536u) % payload.size();
  };
  std::size_t at = 0;
  for (; at + 4 <= input.size(); at += 4) {
    payload[place(at)] = input[at + 3];
  }
  if (at + 3 == input.size()) {
    payload.resize(place(at));
  }
  return payload;
}

// Parses `file`: either it is refused, with an error of the outside, or what was read is the same
// file again when written.
template <typename Parse, typename Write>
void parse_and_compare(const std::vector<std::uint8_t>& file, const Parse& parse,
                       const Write& write) {
  try {
    require(write(parse(file)) == file);
  } catch (const Error& error) {
    require(error.code() == ErrorCode::kFormat || error.code() == ErrorCode::kMismatch ||
            error.code() == ErrorCode::kInsecure || error.code() == ErrorCode::kInvalidArgument);
  }
}

}  // namespace ffconv::fuzz
