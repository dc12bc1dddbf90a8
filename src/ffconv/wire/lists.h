// Lists in payloads: a u32 count, then the elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "ffconv/base/assert.h"
#include "ffconv/base/bytes.h"

namespace ffconv::wire {

template <typename T, typename Write>
void write_list(ByteWriter& writer, const std::vector<T>& list, const Write& write) {
  FFCONV_ASSERT(list.size() <= std::numeric_limits<std::uint32_t>::max());
  writer.u32(static_cast<std::uint32_t>(list.size()));
  for (const T& element : list) {
    write(element);
  }
}

// `read` returns one element, which takes at least `min_bytes` of the input.
template <typename Read>
auto read_list(ByteReader& reader, std::size_t min_bytes, const Read& read) {
  std::vector<decltype(read())> list(reader.count(min_bytes));
  for (auto& element : list) {
    element = read();
  }
  return list;
}

}  // namespace ffconv::wire
