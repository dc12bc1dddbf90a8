#include "picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace ffconv::cli {
namespace {

using Pixel = std::array<double, 3>;  // red, green, blue

// The mean over pixel (row, column) of size x size, which stands for some of the image's.
Pixel mean(std::span<const double> image, const model::Shape& shape, std::size_t row,
           std::size_t column, std::size_t size) {
  const auto range = [size](std::size_t i, std::size_t extent) {
    const std::size_t begin = i * extent / size;
    return std::pair(begin, std::max(begin + 1, (i + 1) * extent / size));
  };
  const auto [top, bottom] = range(row, shape.height());
  const auto [left, right] = range(column, shape.width());
  std::vector<double> means;
  for (std::size_t c = 0; c < shape.channels(); ++c) {
    double sum = 0;
    for (std::size_t y = top; y < bottom; ++y) {
      for (std::size_t x = left; x < right; ++x) {
        sum += image[(c * shape.height() + y) * shape.width() + x];
      }
    }
    means.push_back(sum / static_cast<double>((bottom - top) * (right - left)));
  }
  if (means.size() == 3) {
    return {means[0], means[1], means[2]};
  }
  const double grey =
      std::accumulate(means.begin(), means.end(), 0.0) / static_cast<double>(means.size());
  return {grey, grey, grey};
}

double brightness(const Pixel& pixel) {
  return (pixel[0] + pixel[1] + pixel[2]) / 3;
}

// The control sequence's tail that selects a colour: after "38;" for the foreground, "48;" behind.
std::string colour(const Pixel& pixel, Colours colours) {
  const auto level = [](double value, int highest) {
    return static_cast<int>(std::lround(std::clamp(value, 0.0, 255.0) / 255 * highest));
  };
  if (colours == Colours::kTrue24) {
    return fmt::format("2;{};{};{}", level(pixel[0], 255), level(pixel[1], 255),
                       level(pixel[2], 255));
  }
  // 256-colour terminals: black, 24 greys from 232 on, white; a cube of 6 x 6 x 6 from 16 on.
  constexpr int kBlack = 16, kFirstGrey = 232, kWhite = 231, kGreys = 24;
  if (pixel[0] != pixel[1] || pixel[1] != pixel[2]) {
    return fmt::format(
        "5;{}", kBlack + 36 * level(pixel[0], 5) + 6 * level(pixel[1], 5) + level(pixel[2], 5));
  }
  const int grey = level(pixel[0], kGreys + 1);
  return fmt::format("5;{}", grey == 0            ? kBlack
                             : grey == kGreys + 1 ? kWhite
                                                  : kFirstGrey + grey - 1);
}

}  // namespace

std::vector<std::string> draw(std::span<const double> image, const model::Shape& shape,
                              std::size_t columns, Colours colours) {
  constexpr std::string_view kRamp = " .:-=+*#%@";
  constexpr std::string_view kReset = "\x1b[0m";
  std::vector<std::string> lines(columns / 2);
  for (std::size_t line = 0; line < lines.size(); ++line) {
    for (std::size_t x = 0; x < columns; ++x) {
      const Pixel upper = mean(image, shape, 2 * line, x, columns);
      const Pixel lower = mean(image, shape, 2 * line + 1, x, columns);
      if (colours == Colours::kNone) {
        const double darkness = (brightness(upper) + brightness(lower)) / 2 / 255 *
                                static_cast<double>(kRamp.size() - 1);
        lines[line] += kRamp[static_cast<std::size_t>(std::lround(darkness))];
      } else {
        lines[line] +=
            fmt::format("\x1b[38;{};48;{}m\u2580", colour(upper, colours), colour(lower, colours));
      }
    }
    if (colours != Colours::kNone) {
      lines[line] += kReset;
    }
  }
  return lines;
}

}  // namespace ffconv::cli
