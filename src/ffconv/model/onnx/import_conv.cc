#include "ffconv/model/onnx/import_conv.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace ffconv::model {
namespace {

std::size_t checked_extent(const NodeReader& node, std::string_view what, std::int64_t value,
                           std::int64_t least) {
  if (value < least || value > kMaxExtent) {
    node.unsupported(fmt::format("{}: expected {} to {}, got {}", what, least, kMaxExtent, value));
  }
  return static_cast<std::size_t>(value);
}

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
std::size_t span_of(const ConvGeometry& geometry, std::size_t axis) {
  return (geometry.kernel[axis] - 1) * geometry.dilations[axis] + 1;
}

// auto_pad: SAME_UPPER and SAME_LOWER make the output ceil(input / stride) and put an odd zero at
// the end or at the start.
void set_auto_pads(const NodeReader& node, const Shape& in, ConvGeometry& geometry) {
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "NOTSET") {
    geometry.pads = extents<4>(node, "pads", 0, 0);
  } else if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const std::size_t extent = in.dims[1 + axis];
      const std::size_t stride = geometry.strides[axis];
      const std::size_t outputs = (extent + stride - 1) / stride;
      const std::size_t covered = (outputs - 1) * stride + span_of(geometry, axis);
      const std::size_t total = covered > extent ? covered - extent : 0;
      const std::size_t at_end = mode == "SAME_UPPER" ? (total + 1) / 2 : total / 2;
      geometry.pads[axis] = total - at_end;
      geometry.pads[2 + axis] = at_end;
    }
  } else if (mode != "VALID") {
    node.malformed("auto_pad: expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  }
}

Shape output_shape(const NodeReader& node, const ConvGeometry& geometry, const Shape& in,
                   std::size_t out_channels) {
  Shape out{{out_channels, 0, 0}};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::size_t padded = in.dims[1 + axis] + geometry.pads[axis] + geometry.pads[2 + axis];
    const std::size_t span = span_of(geometry, axis);
    if (span > padded) {
      node.malformed(fmt::format("a kernel that covers {} of {} padded {}", span, padded,
                                 axis == 0 ? "rows" : "columns"));
    }
    out.dims[1 + axis] = (padded - span) / geometry.strides[axis] + 1;
  }
  return out;
}

}  // namespace

ValueId import_conv(const NodeReader& node) {
  const Shape in = node.activation(0).shape;
  const Shape weights = node.constant(1).shape;
  if (in.rank() != 3 || weights.rank() != 4) {
    node.unsupported(fmt::format("input {} and weights {}; only two-dimensional convolutions",
                                 to_string(in), to_string(weights)));
  }
  ConvGeometry geometry;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    geometry.kernel[axis] =
        checked_extent(node, "kernel_shape", static_cast<std::int64_t>(weights.dims[2 + axis]), 1);
  }
  if (node.has_attribute("kernel_shape") &&
      extents<2>(node, "kernel_shape", 1, 1) != geometry.kernel) {
    node.malformed(fmt::format("kernel_shape differs from its weights, {}", to_string(weights)));
  }
  geometry.strides = extents<2>(node, "strides", 1, 1);
  geometry.dilations = extents<2>(node, "dilations", 1, 1);
  set_auto_pads(node, in, geometry);

  const std::int64_t groups = node.integer("group", 1);
  if (groups < 1 || static_cast<std::size_t>(groups) > in.channels()) {
    node.malformed(fmt::format("group: expected 1 to {}, got {}", in.channels(), groups));
  }
  geometry.groups = static_cast<std::size_t>(groups);
  if (in.channels() % geometry.groups != 0 || weights.dims[0] % geometry.groups != 0 ||
      weights.dims[1] != in.channels() / geometry.groups) {
    node.malformed(fmt::format("input {} and weights {} in {} groups", to_string(in),
                               to_string(weights), geometry.groups));
  }
  std::vector<ValueId> inputs{node.input(0), node.input(1)};
  if (node.has_input(2)) {
    if (node.constant(2).shape != Shape{{weights.dims[0]}}) {
      node.malformed(fmt::format("bias: expected {} elements, got {}", weights.dims[0],
                                 to_string(node.constant(2).shape)));
    }
    inputs.push_back(node.input(2));
  }
  return node.emit(Conv{geometry}, std::move(inputs),
                   output_shape(node, geometry, in, weights.dims[0]));
}

namespace {

// The axes that Pad's amounts belong to, counted with the batch axis as 0: all, or those of
// input 3.
std::vector<std::size_t> pad_axes(const NodeReader& node, std::size_t rank) {
  std::vector<std::size_t> axes;
  if (!node.has_input(3)) {
    for (std::size_t axis = 0; axis < rank; ++axis) {
      axes.push_back(axis);
    }
    return axes;
  }
  const auto signed_rank = static_cast<std::int64_t>(rank);
  for (const std::int64_t axis : node.constant_integers(3)) {
    const auto index = static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
    if (axis < -signed_rank || axis >= signed_rank ||
        std::find(axes.begin(), axes.end(), index) != axes.end()) {
      node.malformed(fmt::format("axes: {} is out of range or there twice", axis));
    }
    axes.push_back(index);
  }
  return axes;
}

}  // namespace

ValueId import_pad(const NodeReader& node) {
  const Shape in = node.activation(0).shape;
  // Since operator set 11 amounts and value are inputs, before they were attributes.
  const bool by_attribute = node.has_attribute("pads");
  const double value = by_attribute         ? node.number("value", 0)
                       : !node.has_input(2) ? 0
                                            : node.constant(2).data[0];
  if (node.text("mode", "constant") != "constant" || value != 0) {
    node.unsupported("only padding with zeros");
  }
  const std::vector<std::int64_t> amounts =
      by_attribute ? node.integers("pads") : node.constant_integers(1);
  const std::vector<std::size_t> axes = pad_axes(node, in.rank() + 1);
  if (amounts.size() != 2 * axes.size()) {
    node.malformed(
        fmt::format("pads: expected {} entries, got {}", 2 * axes.size(), amounts.size()));
  }
  std::vector<std::size_t> before(in.rank() + 1, 0);
  std::vector<std::size_t> after = before;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    before[axes[k]] = checked_extent(node, "pads", amounts[k], 0);
    after[axes[k]] = checked_extent(node, "pads", amounts[axes.size() + k], 0);
  }
  if (before[0] != 0 || after[0] != 0) {
    node.unsupported("padding of the batch axis");
  }
  before.erase(before.begin());
  after.erase(after.begin());
  Shape out = in;
  for (std::size_t axis = 0; axis < in.rank(); ++axis) {
    out.dims[axis] += before[axis] + after[axis];
  }
  return node.emit(Pad{std::move(before), std::move(after)}, {node.input(0)}, std::move(out));
}

}  // namespace ffconv::model
