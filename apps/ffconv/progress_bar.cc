#include "progress_bar.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "terminal.h"

namespace ffconv::cli {
namespace {

using namespace std::chrono_literals;
constexpr auto kFirstDrawing = 200ms;
constexpr auto kBetweenDrawings = 100ms;
constexpr std::string_view kEraseLine = "\r\x1b[K";

std::string duration(double seconds) {
  const auto s = static_cast<long>(seconds + 0.5);
  if (s < 60) {
    return fmt::format("{} s", s);
  }
  if (s < 3600) {
    return fmt::format("{} min {:02} s", s / 60, s % 60);
  }
  return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

}  // namespace

std::string progress_line(std::string_view stage, std::size_t done, std::size_t total,
                          double elapsed_seconds, std::size_t columns) {
  constexpr std::size_t kStageColumns = 20;
  constexpr std::size_t kBarColumns = 30;
  const double left =
      elapsed_seconds * static_cast<double>(total - done) / static_cast<double>(done);
  const std::size_t filled = kBarColumns * done / total;
  std::string line = fmt::format("{:<{}} [{:#<{}}{:-<{}}] {:3} %  {} left",
                                 printable(stage, kStageColumns), kStageColumns, "", filled, "",
                                 kBarColumns - filled, 100 * done / total, duration(left));
  return line.substr(0, columns);
}

ProgressBar::ProgressBar(bool quiet)
    : enabled_(!quiet && is_terminal(stderr)),
      begin_(Clock::now()),
      next_(begin_ + kFirstDrawing) {}

ProgressBar::~ProgressBar() {
  if (drawn_) {
    fmt::print(stderr, "{}", kEraseLine);
  }
}

Progress ProgressBar::callback() {
  if (!enabled_) {
    return {};
  }
  return [this](std::string_view stage, std::size_t done, std::size_t total) {
    update(stage, done, total);
  };
}

void ProgressBar::update(std::string_view stage, std::size_t done, std::size_t total) {
  const auto now = Clock::now();
  if (now < next_) {
    return;
  }
  next_ = now + kBetweenDrawings;
  drawn_ = true;
  const std::chrono::duration<double> elapsed = now - begin_;
  // The last column stays free: some terminals wrap as soon as it is written.
  fmt::print(stderr, "{}{}", kEraseLine,
             progress_line(stage, done, total, elapsed.count(), terminal_columns(stderr) - 1));
}

}  // namespace ffconv::cli
