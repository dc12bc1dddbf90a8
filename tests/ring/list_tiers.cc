// Prints the instruction-set tiers that this machine can execute, one a line: what .ci/run forces
// by FFCONV_SIMD one after the other.
#include <cstdio>
#include <string>

#include "ffconv/ring/kernels/kernels.h"

int main() {
  for (const ffconv::Kernels* kernels : ffconv::available_kernels()) {
    std::puts(std::string(kernels->name).c_str());
  }
  return 0;
}
