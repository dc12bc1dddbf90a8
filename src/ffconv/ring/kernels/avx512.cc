// The avx512 tier: double-precision FMA on vectors of eight.
#if defined(__x86_64__)

// gcc 12's own intrinsics start from undefined registers on purpose (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include <immintrin.h>

#include "ffconv/ring/kernels/double_tables.h"
#include "ffconv/ring/kernels/prefetch.h"
#include "ffconv/ring/kernels/region.h"
#include "ffconv/ring/kernels/scalar_fft.h"
#include "ffconv/ring/kernels/tiers.h"

FFCONV_BEGIN_TARGET("avx2,fma,avx512f,avx512dq,avx512vl")

namespace ffconv {
namespace {

#include "ffconv/ring/kernels/simd_avx512-inl.h"

#include "ffconv/ring/kernels/double-inl.h"
#include "ffconv/ring/kernels/double_ntt-inl.h"
#include "ffconv/ring/kernels/fft-inl.h"
#include "ffconv/ring/kernels/sampling-inl.h"

#include "ffconv/ring/kernels/double_table-inl.h"

}  // namespace

constinit const Kernels kAvx512Kernels = double_kernels<Avx512>("avx512");

}  // namespace ffconv

FFCONV_END_TARGET

#endif
