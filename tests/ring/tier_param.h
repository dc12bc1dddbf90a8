// Tests that run once per kernel tier.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ffconv/ring/kernels/tiers.h"

namespace ffconv {

// Every tier that this machine executes, and the portable emulations of the vector tiers.
inline std::vector<const Kernels*> tiers_under_test() {
  std::vector<const Kernels*> tiers(available_kernels().begin(), available_kernels().end());
  tiers.push_back(&kEmulatedAvx2Kernels);
  tiers.push_back(&kEmulatedAvx512Kernels);
  tiers.push_back(&kEmulatedIfmaKernels);
  return tiers;
}

inline std::string tier_name(const testing::TestParamInfo<const Kernels*>& info) {
  std::string name(info.param->name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class TierTest : public testing::TestWithParam<const Kernels*> {};

}  // namespace ffconv
