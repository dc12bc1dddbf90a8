// FFCONV_ASSERT(condition): a false condition is our bug. Aborts with file and line where
// FFCONV_CHECKS is defined (dev and sanitizer builds); expands to nothing elsewhere.
#pragma once

#include <cstdio>
#include <cstdlib>

#ifdef FFCONV_CHECKS
#define FFCONV_ASSERT(condition)                                                             \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
#else
#define FFCONV_ASSERT(condition) \
  do {                           \
  } while (false)
#endif
