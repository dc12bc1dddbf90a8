// What the benchmark programs share: names, statistics, the main function's body.
//
// Names read operation/log_n=14/.../tier. One thread; microseconds. Besides mean, median and
// deviation the minimum over the repetitions is reported (docs/benchmarks.md says why).
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "ffconv/base/parallel.h"

namespace ffconv::bench {

// Runs body(state) under this name; body loops over the state.
template <typename Body>
void add(const std::string& name, Body body) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(body))
      ->Unit(benchmark::kMicrosecond)
      ->ComputeStatistics("min", [](const std::vector<double>& times) {
        return *std::min_element(times.begin(), times.end());
      });
}

// Adds a counter: seconds for each of the `count` parts of one iteration (printed as microseconds).
inline void count_parts(benchmark::State& state, const char* name, double count) {
  state.counters[name] = benchmark::Counter(
      count, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// Call it from main after all add().
inline int run(int argc, char** argv) {
  set_thread_count(1);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace ffconv::bench
