#include "ffconv/model/extremes.h"

#include <algorithm>
#include <array>
#include <random>

namespace ffconv::model {
namespace {

constexpr std::uint8_t kWhite = 255;

// Appends images pixel by pixel: f(channel, row, column).
class Painter {
 public:
  explicit Painter(const Shape& shape) { data_ = {shape, 1, {"any"}, {}, {}}; }

  template <typename Function>
  void paint(const Function& f) {
    const Shape& shape = data_.shape;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const std::size_t plane = shape.height() * shape.width();
      data_.pixels.push_back(f(i / plane, i % plane / shape.width(), i % shape.width()));
    }
    data_.labels.push_back(0);
  }

  Dataset take() { return std::move(data_); }

 private:
  Dataset data_;
};

void paint_colours(Painter& painter, std::size_t channels) {
  const std::size_t varied = std::min<std::size_t>(channels, 3);
  for (std::size_t code = 0; code < std::size_t{1} << varied; ++code) {
    painter.paint([&](std::size_t channel, std::size_t, std::size_t) {
      return (code >> channel % varied & 1) != 0 ? kWhite : std::uint8_t{0};
    });
  }
}

// Fields of `rows` x `columns` pixels; 0: as long as the image.
void paint_board(Painter& painter, std::size_t rows, std::size_t columns) {
  for (const std::size_t negative : {0u, 1u}) {
    painter.paint([&](std::size_t, std::size_t y, std::size_t x) {
      const std::size_t field = (rows == 0 ? 0 : y / rows) + (columns == 0 ? 0 : x / columns);
      return (field + negative) % 2 != 0 ? kWhite : std::uint8_t{0};
    });
  }
}

void paint_noise(Painter& painter, const Shape& shape, std::size_t block, bool is_binary,
                 std::mt19937_64& random) {
  std::vector<std::uint8_t> noise(shape.size());
  for (std::uint8_t& pixel : noise) {
    pixel = static_cast<std::uint8_t>(random() >> 56);
    if (is_binary) {
      pixel = pixel < 128 ? 0 : kWhite;
    }
  }
  painter.paint([&](std::size_t channel, std::size_t y, std::size_t x) {
    return noise[(channel * shape.height() + y / block) * shape.width() + x / block];
  });
}

}  // namespace

Dataset extreme_images(const Shape& shape) {
  Painter painter(shape);
  paint_colours(painter, shape.channels());
  constexpr std::array<std::array<std::size_t, 2>, 10> kFields{
      {{1, 1}, {2, 2}, {4, 4}, {8, 8}, {1, 0}, {0, 1}, {2, 0}, {0, 2}, {4, 0}, {0, 4}}};
  for (const auto& [rows, columns] : kFields) {
    paint_board(painter, rows, columns);
  }
  constexpr std::array<std::size_t, 4> kBlocks{1, 1, 2, 4};
  std::mt19937_64 random(2024);
  for (std::size_t k = 0; k < 100; ++k) {
    paint_noise(painter, shape, kBlocks[k % kBlocks.size()], k % 2 == 0, random);
  }
  return painter.take();
}

}  // namespace ffconv::model
