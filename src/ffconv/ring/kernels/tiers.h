// The kernel tables that are compiled in; dispatch.cc chooses among them.
#pragma once

#include "ffconv/ring/kernels/kernels.h"

namespace ffconv {

extern const Kernels kScalarKernels;

// The bodies of the vector tiers over portable emulations of their vectors. Slow; they prove on
// every machine what avx2, avx512 and avx512ifma do. Never chosen by active_kernels.
extern const Kernels kEmulatedAvx2Kernels;
extern const Kernels kEmulatedAvx512Kernels;
extern const Kernels kEmulatedIfmaKernels;

#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
extern const Kernels kAvx512IfmaKernels;
#endif

}  // namespace ffconv
