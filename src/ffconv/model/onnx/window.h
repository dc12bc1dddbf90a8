// Attributes that all operators with a window share: kernel, strides, dilations, pads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "ffconv/model/onnx/node_reader.h"

namespace ffconv::model {

// `value`, which must lie in [least, kMaxExtent]; `what` names it in the error.
std::size_t checked_extent(const NodeReader& node, std::string_view what, std::int64_t value,
                           std::int64_t least);

// The attribute's N entries, each in [least, kMaxExtent]; all `otherwise` where it is absent.
template <std::size_t N>
std::array<std::size_t, N> extents(const NodeReader& node, std::string_view name,
                                   std::int64_t least, std::size_t otherwise) {
  std::array<std::size_t, N> result;
  result.fill(otherwise);
  if (node.has_attribute(name)) {
    const std::vector<std::int64_t> values = node.integers(name);
    if (values.size() != N) {
      node.malformed(fmt::format("{}: expected {} entries, got {}", name, N, values.size()));
    }
    for (std::size_t k = 0; k < N; ++k) {
      result[k] = checked_extent(node, name, values[k], least);
    }
  }
  return result;
}

// Rows (or columns) from the first to the last that the kernel covers.
std::size_t span_of(const ConvGeometry& geometry, std::size_t axis);

// Reads strides, dilations and pads (auto_pad as well) of a kernel that is set.
void read_window(const NodeReader& node, const Shape& in, ConvGeometry& geometry);

// Throws kFormat where the kernel does not fit the padded input.
Shape output_shape(const NodeReader& node, const ConvGeometry& geometry, const Shape& in,
                   std::size_t out_channels);

}  // namespace ffconv::model
