// A kernel table that times every call of another one: what an operation's kernels take by
// themselves.
//
// While timing, each call is repeated at once on the same operands: the first shows the kernel as
// the operation runs it, the shortest the kernel with operands in cache, as far as they fit.
// Repetitions overwrite results: words stay in form, values are wrong. For timing only, on one
// thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "ffconv/ring/kernels/kernels.h"

namespace ffconv::bench {

struct KernelTime {
  int calls = 0;
  double us = 0;           // of all calls, the shortest repetition each
  double in_place_us = 0;  // of all calls, the first repetition each
};

// The table, over `base`; one base a program.
const Kernels& timed_kernels(const Kernels& base);

// The calls of an operation on that table, by kernel. Its results are of no use.
std::map<std::string, KernelTime> kernel_times(const std::function<void()>& operation);

// Members of Kernels on limbs that are not timed: 0 unless kernels were added since.
int untimed_kernels();

}  // namespace ffconv::bench
