// The library's marks told to memcheck, and questions to it.
#pragma once

#include <cstddef>

namespace ffconv::constant_time {

// Whether the program runs under valgrind.
bool checked();

// Whether memcheck holds any bit of these bytes for secret (undefined).
bool is_secret(const void* data, std::size_t bytes);

}  // namespace ffconv::constant_time
