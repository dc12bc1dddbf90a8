// The kernel tables that are compiled in; dispatch.cc chooses among them.
#pragma once

#include "ffconv/ring/kernels/kernels.h"

namespace ffconv {

extern const Kernels kScalarKernels;

// The bodies of the double-precision tiers over a portable emulation of vectors of 4 doubles. Slow;
// proves on every machine what avx2 does. Never chosen by active_kernels.
extern const Kernels kEmulatedAvx2Kernels;

#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
#endif

}  // namespace ffconv
