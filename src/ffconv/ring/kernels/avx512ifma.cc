// The avx512ifma tier: 52-bit integer multiply-add on vectors of eight.
#if defined(__x86_64__)

// gcc 12's own intrinsics start from undefined registers on purpose (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <immintrin.h>

#include "ffconv/ring/kernels/ifma_tables.h"
#include "ffconv/ring/kernels/prefetch.h"
#include "ffconv/ring/kernels/region.h"
#include "ffconv/ring/kernels/scalar_fft.h"
#include "ffconv/ring/kernels/tiers.h"
#include "ffconv/ring/modulus.h"

FFCONV_BEGIN_TARGET("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")

namespace ffconv {
namespace {

#include "ffconv/ring/kernels/simd_avx512-inl.h"
#include "ffconv/ring/kernels/simd_avx512ifma-inl.h"

#include "ffconv/ring/kernels/fft-inl.h"
#include "ffconv/ring/kernels/ifma_arithmetic-inl.h"
#include "ffconv/ring/kernels/sampling-inl.h"

#include "ffconv/ring/kernels/ifma-inl.h"
#include "ffconv/ring/kernels/ifma_stages-inl.h"

#include "ffconv/ring/kernels/ifma_ntt-inl.h"

#include "ffconv/ring/kernels/ifma_table-inl.h"

}  // namespace

constinit const Kernels kAvx512IfmaKernels = ifma_kernels<Avx512Ifma, Avx512>("avx512ifma");

}  // namespace ffconv

FFCONV_END_TARGET

#endif
