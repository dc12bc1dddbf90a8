// The cost table of this machine.
#pragma once

#include "ffconv/base/progress.h"
#include "ffconv/ckks/cost.h"

namespace ffconv::cli {

// Times the kernels of the tier in use, each the minimum of many repetitions. Operands that an
// evaluation streams from memory (keys, weights) are streamed here, all others are in cache.
// Takes about half a second.
CostTable measure_kernels(const Progress& progress = {});

}  // namespace ffconv::cli
