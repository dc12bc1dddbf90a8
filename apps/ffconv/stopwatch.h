// Wall-clock time.
#pragma once

#include <chrono>
#include <utility>

namespace ffconv::cli {

class Stopwatch {
 public:
  // Microseconds since construction or the last lap.
  double lap_us() {
    const auto begin = std::exchange(begin_, Clock::now());
    return std::chrono::duration<double, std::micro>(begin_ - begin).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace ffconv::cli
