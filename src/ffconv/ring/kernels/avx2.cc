// The avx2 tier: double-precision FMA on vectors of four.
#if defined(__x86_64__)

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

FFCONV_BEGIN_TARGET("avx2,fma")

namespace ffconv {
namespace {

#include "ffconv/ring/kernels/simd_avx2-inl.h"

#include "ffconv/ring/kernels/double-inl.h"
#include "ffconv/ring/kernels/double_ntt-inl.h"
#include "ffconv/ring/kernels/fft-inl.h"
#include "ffconv/ring/kernels/sampling-inl.h"

#include "ffconv/ring/kernels/double_table-inl.h"

}  // namespace

constinit const Kernels kAvx2Kernels = double_kernels<Avx2>("avx2");

}  // namespace ffconv

FFCONV_END_TARGET

#endif
