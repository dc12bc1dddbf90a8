#include "ffconv/model/onnx/window.h"

namespace ffconv::model {

std::size_t checked_extent(const NodeReader& node, std::string_view what, std::int64_t value,
                           std::int64_t least) {
  if (value < least || value > kMaxExtent) {
    node.unsupported(fmt::format("{}: expected {} to {}, got {}", what, least, kMaxExtent, value));
  }
  return static_cast<std::size_t>(value);
}

std::size_t span_of(const ConvGeometry& geometry, std::size_t axis) {
  return (geometry.kernel[axis] - 1) * geometry.dilations[axis] + 1;
}

namespace {

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

}  // namespace

void read_window(const NodeReader& node, const Shape& in, ConvGeometry& geometry) {
  geometry.strides = extents<2>(node, "strides", 1, 1);
  geometry.dilations = extents<2>(node, "dilations", 1, 1);
  set_auto_pads(node, in, geometry);
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

}  // namespace ffconv::model
