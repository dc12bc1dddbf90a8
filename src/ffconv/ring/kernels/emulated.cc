// The bodies of the vector tiers over portable emulations of their vectors.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "ffconv/ring/kernels/double_tables.h"
#include "ffconv/ring/kernels/ifma_tables.h"
#include "ffconv/ring/kernels/prefetch.h"
#include "ffconv/ring/kernels/scalar_fft.h"
#include "ffconv/ring/kernels/tiers.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

#include "ffconv/ring/kernels/double-inl.h"
#include "ffconv/ring/kernels/double_ntt-inl.h"
#include "ffconv/ring/kernels/fft-inl.h"
#include "ffconv/ring/kernels/sampling-inl.h"

#include "ffconv/ring/kernels/double_table-inl.h"

#include "ffconv/ring/kernels/ifma_arithmetic-inl.h"

#include "ffconv/ring/kernels/ifma-inl.h"
#include "ffconv/ring/kernels/ifma_stages-inl.h"

#include "ffconv/ring/kernels/ifma_ntt-inl.h"

#include "ffconv/ring/kernels/ifma_table-inl.h"

#include "ffconv/ring/kernels/simd_portable-inl.h"
#include "ffconv/ring/kernels/simd_portable_ifma-inl.h"

}  // namespace

constinit const Kernels kEmulatedAvx2Kernels = double_kernels<Portable<4>>("emulated-avx2");
constinit const Kernels kEmulatedAvx512Kernels = double_kernels<Portable<8>>("emulated-avx512");
constinit const Kernels kEmulatedIfmaKernels =
    ifma_kernels<PortableIfma, Portable<8>>("emulated-ifma");

}  // namespace ffconv
