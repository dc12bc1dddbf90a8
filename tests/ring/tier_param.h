// Tests that run once per tier of all_tiers().
#pragma once

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "ring/all_tiers.h"

namespace ffconv {

inline std::string tier_name(const testing::TestParamInfo<const Kernels*>& info) {
  std::string name(info.param->name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class TierTest : public testing::TestWithParam<const Kernels*> {};

}  // namespace ffconv
