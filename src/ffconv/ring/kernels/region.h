// Target regions: FFCONV_BEGIN_TARGET("avx2,fma") ... FFCONV_END_TARGET compile what stands between
// for those instruction sets, by gcc and clang alike. Standard headers are included before the
// region, and everything inside has internal linkage, so that no function shared with other files
// is compiled twice.
//
// gcc optimizes a region as -O3 does, whatever the build asks for: at -O2 (RelWithDebInfo, and what
// distributions build with) it leaves most of a kernel's small functions as calls, and kernels take
// up to five times as long.
#pragma once

#define FFCONV_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
#define FFCONV_BEGIN_TARGET(features) \
  FFCONV_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define FFCONV_END_TARGET FFCONV_PRAGMA(clang attribute pop)
#else
#define FFCONV_BEGIN_TARGET(features) \
  FFCONV_PRAGMA(GCC push_options)     \
  FFCONV_PRAGMA(GCC optimize("O3"))   \
  FFCONV_PRAGMA(GCC target(features))
#define FFCONV_END_TARGET FFCONV_PRAGMA(GCC pop_options)
#endif
