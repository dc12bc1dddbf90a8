// compile(): from a network and the ranges of its values to the program that evaluates it
// encrypted.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "ffconv/base/progress.h"
#include "ffconv/ckks/cost.h"
#include "ffconv/model/network.h"
#include "ffconv/model/ranges.h"
#include "ffconv/plan/counts.h"
#include "ffconv/plan/packings.h"
#include "ffconv/plan/program.h"

namespace ffconv::plan {

struct CompileOptions {
  Packing packing = Packing::kAuto;
  CostTable cost = default_cost_table();
  // Values may exceed the ranges by this factor without harm.
  double margin = 1.5;
  // The predicted standard deviation of a score's error is at most 2^-precision_bits of the scores'
  // root mean square.
  double precision_bits = 10;
  std::optional<int> log_n;  // otherwise the smallest ring that is secure and precise enough
  // Auto weighs a client's upload at this bandwidth, in 10^6 bits per second, beside the time of
  // evaluation; infinity: not at all.
  double upload_mbit_per_s = std::numeric_limits<double>::infinity();
  // At most so many evaluation keys, for more time: baby and giant steps, folds and layouts are
  // then chosen with a price on every rotation key, the least at which few enough are left.
  std::optional<std::size_t> max_keys;
  Progress progress;  // of what takes long: layouts of large layers
};

// One program that was considered.
struct Alternative {
  Packing packing;
  int log_n = 0;
  int words = 0;            // primes of a fresh ciphertext
  double predicted_us = 0;  // evaluation, one thread
  double upload_us = 0;     // at the bandwidth of the options
  double precision_bits = 0;
};

struct CompileReport {
  Packing
      packing;  // what the program uses; kAuto for layouts that neither dense nor lola would take
  ProgramCounts counts;
  double precision_bits = 0;  // log2 of the scores' root mean square over output_noise_std
  std::vector<Alternative> alternatives;  // feasible ones, the chosen one included
};

struct Compiled {
  Program program;
  CompileReport report;
};

// Under auto, neighbouring linear layers are merged where the program is cheaper for it.
// Throws kInvalidArgument for options or ranges out of their domain (a layer whose range is zero is
// named) and kUnsupported for a network that no ring up to N = 2^17, or not the one asked for,
// holds at the precision asked for, or that needs more keys.
Compiled compile(const model::Network& network, const model::Ranges& ranges,
                 const CompileOptions& options = {});

}  // namespace ffconv::plan
