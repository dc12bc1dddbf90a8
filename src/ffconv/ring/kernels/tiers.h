// The kernel tables that are compiled in; dispatch.cc chooses among them.
#pragma once

#include "ffconv/ring/kernels/kernels.h"

namespace ffconv {

extern const Kernels kScalarKernels;

// The bodies of the double-precision tiers over a portable emulation of vectors of 4 and of 8
// doubles. Slow; they prove on every machine what avx2 and avx512 do. Never chosen by
// active_kernels.
extern const Kernels kEmulatedAvx2Kernels;
extern const Kernels kEmulatedAvx512Kernels;

#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

}  // namespace ffconv
