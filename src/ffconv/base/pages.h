// Pages of memory, where their number matters.
#pragma once

#include <cstdint>
#include <span>

namespace ffconv {

// Gives the pages that lie within `bytes` back to the system, what stands there lost: for large
// buffers that are used up from their beginning on. Bytes on pages that reach beyond stay.
void forget_pages(std::span<std::uint8_t> bytes) noexcept;

}  // namespace ffconv
