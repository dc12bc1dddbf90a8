#include "ffconv/model/convolution.h"

#include <algorithm>
#include <vector>

#include <Eigen/Core>

namespace ffconv::model {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Output positions handled together: enough for Eigen's blocking, and it bounds the patches by 64
// times the weights' size however large the image is.
constexpr std::size_t kBlock = 64;

// The input elements that output position `position` reads in one group, in the order of a row of
// the weights; zero where they are padding. patch.size() == group_inputs * kernel elements.
void gather_patch(const ConvGeometry& geometry, const Shape& in, const double* group_input,
                  std::size_t y, std::size_t x, std::span<double> patch) {
  const auto width = static_cast<std::ptrdiff_t>(in.width());
  const std::size_t plane = in.height() * in.width();
  const std::size_t channels = patch.size() / (geometry.kernel[0] * geometry.kernel[1]);
  auto next = patch.begin();
  for (std::size_t c = 0; c < channels; ++c) {
    const double* channel = group_input + c * plane;
    for (std::size_t i = 0; i < geometry.kernel[0]; ++i) {
      const std::ptrdiff_t row = input_position(geometry, 0, y, i);
      for (std::size_t j = 0; j < geometry.kernel[1]; ++j) {
        const std::ptrdiff_t column = input_position(geometry, 1, x, j);
        const bool inside = is_inside(row, in.height()) && is_inside(column, in.width());
        *next++ = inside ? channel[row * width + column] : 0.0;
      }
    }
  }
}

}  // namespace

std::size_t count_inside(const ConvGeometry& geometry, std::size_t axis, std::size_t position,
                         std::size_t extent) {
  // The smallest offset whose position is at least `bound`.
  const auto offset_at = [&](std::size_t bound) {
    const std::ptrdiff_t distance =
        static_cast<std::ptrdiff_t>(bound) - input_position(geometry, axis, position, 0);
    const std::size_t step = geometry.dilations[axis];
    const std::size_t offset =
        distance <= 0 ? 0 : (static_cast<std::size_t>(distance) + step - 1) / step;
    return std::min(offset, geometry.kernel[axis]);
  };
  return offset_at(extent) - offset_at(0);
}

void convolve(const ConvGeometry& geometry, std::span<const double> weights, const Shape& in,
              std::span<const double> input, const Shape& out, std::span<double> output) {
  const std::size_t group_inputs = in.channels() / geometry.groups;
  const std::size_t group_outputs = out.channels() / geometry.groups;
  const std::size_t taps = group_inputs * geometry.kernel[0] * geometry.kernel[1];
  const std::size_t positions = out.height() * out.width();
  const auto index = [](std::size_t i) { return static_cast<Eigen::Index>(i); };

  std::vector<double> patches(std::min(kBlock, positions) * taps);
  for (std::size_t g = 0; g < geometry.groups; ++g) {
    const double* group_input = input.data() + g * group_inputs * in.height() * in.width();
    const Eigen::Map<const Matrix> kernels(weights.data() + g * group_outputs * taps,
                                           index(group_outputs), index(taps));
    Eigen::Map<Matrix> result(output.data() + g * group_outputs * positions, index(group_outputs),
                              index(positions));
    for (std::size_t first = 0; first < positions; first += kBlock) {
      const std::size_t count = std::min(kBlock, positions - first);
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t position = first + k;
        gather_patch(geometry, in, group_input, position / out.width(), position % out.width(),
                     std::span(patches).subspan(k * taps, taps));
      }
      const Eigen::Map<const Matrix> block(patches.data(), index(count), index(taps));
      result.middleCols(index(first), index(count)).noalias() = kernels * block.transpose();
    }
  }
}

}  // namespace ffconv::model
