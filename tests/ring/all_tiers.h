// Every tier that this machine executes, and the portable emulations of the vector tiers.
#pragma once

#include <vector>

#include "ffconv/ring/kernels/tiers.h"

namespace ffconv {

inline std::vector<const Kernels*> all_tiers() {
  std::vector<const Kernels*> tiers(available_kernels().begin(), available_kernels().end());
  tiers.insert(tiers.end(),
               {&kEmulatedAvx2Kernels, &kEmulatedAvx512Kernels, &kEmulatedIfmaKernels});
  return tiers;
}

}  // namespace ffconv
