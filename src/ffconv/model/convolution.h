// Two-dimensional convolution in the sense of ONNX (a cross-correlation): geometry and reference.
//
//   out[co][y][x] = sum over ci, i, j of
//       weights[co][ci][i][j] * in[g * C_in/groups + ci][y*sy + i*dy - top][x*sx + j*dx - left]
//
// where g = co / (C_out/groups) and elements outside the input are zero.
// Source: ONNX operator specification, Conv, version 11.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "ffconv/model/shape.h"

namespace ffconv::model {

struct ConvGeometry {
  std::array<std::size_t, 2> kernel{1, 1};  // rows, columns; as strides and dilations: >= 1
  std::array<std::size_t, 2> strides{1, 1};
  std::array<std::size_t, 2> dilations{1, 1};
  std::array<std::size_t, 4> pads{0, 0, 0, 0};  // top, left, bottom, right
  std::size_t groups = 1;                       // divides C_in and C_out

  bool operator==(const ConvGeometry&) const = default;
};

// Input row (or column) that kernel row `offset` of output row `position` reads, along `axis`
// (0 rows, 1 columns); negative or beyond the input where it is padding.
inline std::ptrdiff_t input_position(const ConvGeometry& geometry, std::size_t axis,
                                     std::size_t position, std::size_t offset) {
  return static_cast<std::ptrdiff_t>(position * geometry.strides[axis] +
                                     offset * geometry.dilations[axis]) -
         static_cast<std::ptrdiff_t>(geometry.pads[axis]);
}

// Whether a row or column position lies on the image rather than on padding.
inline bool is_inside(std::ptrdiff_t position, std::size_t extent) {
  return position >= 0 && position < static_cast<std::ptrdiff_t>(extent);
}

// Rows (axis 0) or columns of the window of output position `position` that lie on an input of
// `extent`.
std::size_t count_inside(const ConvGeometry& geometry, std::size_t axis, std::size_t position,
                         std::size_t extent);

// The convolution of `input` (shape in = {C_in, H, W}) with `weights`
// ([C_out][C_in/groups][kernel rows][kernel columns]) into `output` (shape out = {C_out, H', W'}),
// without a bias. The shapes must fit the geometry.
void convolve(const ConvGeometry& geometry, std::span<const double> weights, const Shape& in,
              std::span<const double> input, const Shape& out, std::span<double> output);

// Calls f(out_index, in_index, weight) for every product of the convolution that does not fall on
// padding; indices are row-major in `out` and `in`, outputs ascending.
template <typename F>
void for_each_tap(const ConvGeometry& geometry, std::span<const double> weights, const Shape& in,
                  const Shape& out, F&& f) {
  const std::size_t group_inputs = in.channels() / geometry.groups;
  const std::size_t group_outputs = out.channels() / geometry.groups;
  for (std::size_t o = 0; o < out.size(); ++o) {
    const std::size_t co = o / (out.height() * out.width());
    const std::size_t y = o / out.width() % out.height();
    const std::size_t x = o % out.width();
    std::size_t weight = co * group_inputs * geometry.kernel[0] * geometry.kernel[1];
    for (std::size_t c = 0; c < group_inputs; ++c) {
      const std::size_t ci = co / group_outputs * group_inputs + c;
      for (std::size_t i = 0; i < geometry.kernel[0]; ++i) {
        const std::ptrdiff_t row = input_position(geometry, 0, y, i);
        for (std::size_t j = 0; j < geometry.kernel[1]; ++j, ++weight) {
          const std::ptrdiff_t column = input_position(geometry, 1, x, j);
          if (is_inside(row, in.height()) && is_inside(column, in.width())) {
            f(o,
              (ci * in.height() + static_cast<std::size_t>(row)) * in.width() +
                  static_cast<std::size_t>(column),
              weights[weight]);
          }
        }
      }
    }
  }
}

}  // namespace ffconv::model
