#include "picture.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace ffconv::cli {
namespace {

// The mean of the pixels from `from` to `to`, in rows and columns, over all channels.
double mean(std::span<const double> image, const model::Shape& shape, std::size_t row,
            std::size_t column, std::size_t size) {
  const auto range = [size](std::size_t i, std::size_t extent) {
    const std::size_t begin = i * extent / size;
    return std::pair(begin, std::max(begin + 1, (i + 1) * extent / size));
  };
  const auto [top, bottom] = range(row, shape.height());
  const auto [left, right] = range(column, shape.width());
  double sum = 0;
  for (std::size_t c = 0; c < shape.channels(); ++c) {
    for (std::size_t y = top; y < bottom; ++y) {
      for (std::size_t x = left; x < right; ++x) {
        sum += image[(c * shape.height() + y) * shape.width() + x];
      }
    }
  }
  return sum / static_cast<double>(shape.channels() * (bottom - top) * (right - left));
}

// The control sequence's tail that selects a grey: after "38;" for the foreground, "48;" behind.
std::string grey(double value, Colours colours) {
  if (colours == Colours::kTrue24) {
    const auto level = static_cast<int>(std::lround(value));
    return fmt::format("2;{0};{0};{0}", level);
  }
  // 256-colour terminals: black, 24 greys from 232 on, white.
  constexpr int kBlack = 16, kFirstGrey = 232, kWhite = 231, kGreys = 24;
  const auto level = static_cast<int>(std::lround(value / 255 * (kGreys + 1)));
  return fmt::format("5;{}", level == 0            ? kBlack
                             : level == kGreys + 1 ? kWhite
                                                   : kFirstGrey + level - 1);
}

}  // namespace

std::vector<std::string> draw(std::span<const double> image, const model::Shape& shape,
                              std::size_t columns, Colours colours) {
  constexpr std::string_view kRamp = " .:-=+*#%@";
  constexpr std::string_view kReset = "\x1b[0m";
  std::vector<std::string> lines(columns / 2);
  for (std::size_t line = 0; line < lines.size(); ++line) {
    for (std::size_t x = 0; x < columns; ++x) {
      const double upper = mean(image, shape, 2 * line, x, columns);
      const double lower = mean(image, shape, 2 * line + 1, x, columns);
      if (colours == Colours::kNone) {
        const double darkness = (upper + lower) / 2 / 255 * static_cast<double>(kRamp.size() - 1);
        lines[line] += kRamp[static_cast<std::size_t>(std::lround(darkness))];
      } else {
        lines[line] +=
            fmt::format("\x1b[38;{};48;{}m\u2580", grey(upper, colours), grey(lower, colours));
      }
    }
    if (colours != Colours::kNone) {
      lines[line] += kReset;
    }
  }
  return lines;
}

}  // namespace ffconv::cli
