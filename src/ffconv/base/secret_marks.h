// Where secrets begin and end, for a checker of constant time.
//
// Both functions do nothing. A test program that defines them itself is linked with its own
// definitions in their place and can tell memcheck (tests/constant_time/), so that what is tested
// is the very code that runs.
#pragma once

#include <cstddef>

namespace ffconv {

// From here on these bytes, and all that is computed from them, must decide no branch and no
// address.
void mark_secret(const void* data, std::size_t bytes) noexcept;

// These bytes are public, although they were computed from secrets.
void mark_public(const void* data, std::size_t bytes) noexcept;

}  // namespace ffconv
