// A progress bar with the time that is left, on stderr.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "ffconv/base/progress.h"

namespace ffconv::cli {

// The bar of one task. It appears once the task has taken a moment, and is gone with the object.
// Nothing is drawn where `quiet` or where stderr is not a terminal.
class ProgressBar {
 public:
  explicit ProgressBar(bool quiet);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // For the library: valid while the bar lives; empty where nothing is to be drawn.
  Progress callback();

 private:
  using Clock = std::chrono::steady_clock;
  void update(std::string_view stage, std::size_t done, std::size_t total);

  bool enabled_;
  bool drawn_ = false;
  Clock::time_point begin_, next_;
};

// "weights              [#########---------------------]  30 %  2 min 05 s left", in at most
// `columns` characters. 0 < done <= total.
std::string progress_line(std::string_view stage, std::size_t done, std::size_t total,
                          double elapsed_seconds, std::size_t columns);

}  // namespace ffconv::cli
