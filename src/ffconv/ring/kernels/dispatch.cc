#include <cstdlib>
#include <string>

#include "ffconv/base/error.h"
#include "ffconv/ring/kernels/tiers.h"

namespace ffconv {
namespace {

std::vector<const Kernels*> detect() {
  std::vector<const Kernels*> tiers;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    if (__builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512bw")) {
      tiers.push_back(&kAvx512IfmaKernels);
    }
    tiers.push_back(&kAvx512Kernels);
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    tiers.push_back(&kAvx2Kernels);
  }
#endif
  tiers.push_back(&kScalarKernels);
  return tiers;
}

const Kernels& choose() {
  const char* forced = std::getenv("FFCONV_SIMD");
  return forced == nullptr || *forced == '\0' ? *available_kernels().front()
                                              : kernels_by_name(forced);
}

}  // namespace

std::span<const Kernels* const> available_kernels() {
  static const std::vector<const Kernels*> tiers = detect();
  return tiers;
}

const Kernels& kernels_by_name(std::string_view name) {
  std::string available;
  for (const Kernels* kernels : available_kernels()) {
    if (kernels->name == name) {
      return *kernels;
    }
    available += available.empty() ? "" : ", ";
    available += kernels->name;
  }
  fail(ErrorCode::kUnsupported, "instruction-set tier '{}' (FFCONV_SIMD): this machine has {}",
       name, available);
}

const Kernels& active_kernels() {
  static const Kernels& active = choose();
  return active;
}

}  // namespace ffconv
