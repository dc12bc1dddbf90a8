#include "ffconv/model/onnx/import_window.h"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

#include "ffconv/model/onnx/window.h"

namespace ffconv::model {

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
  read_window(node, in, geometry);

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
  std::vector<std::size_t> axes(in.rank() + 1);  // that the amounts belong to, the batch as 0
  std::iota(axes.begin(), axes.end(), 0);
  if (node.has_input(3)) {
    axes = *node.axes(3, axes.size());
  }
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

namespace {

Shape image_shape(const NodeReader& node) {
  const Shape& in = node.activation(0).shape;
  if (in.rank() != 3) {
    node.unsupported(
        fmt::format("its input is {}; only channels, rows and columns", to_string(in)));
  }
  return in;
}

// Widens the pads at the end by what the last window of ceil_mode needs.
void apply_ceil_mode(const NodeReader& node, const Shape& in, AveragePool& pool) {
  ConvGeometry& geometry = pool.geometry;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::size_t before = in.dims[1 + axis] + geometry.pads[axis];
    const std::size_t padded = before + geometry.pads[2 + axis];
    const std::size_t stride = geometry.strides[axis];
    const std::size_t span = span_of(geometry, axis);
    const std::size_t last = (padded - span + stride - 1) / stride * stride;  // its first position
    if (last + span <= padded) {
      continue;
    }
    if (pool.count_padding || last >= before) {
      node.unsupported(
          "ceil_mode where the last window begins behind the image, or leaves the padded image "
          "with "
          "count_include_pad: runtimes do not agree on it; use another padding");
    }
    geometry.pads[2 + axis] += last + span - padded;
  }
}

// Whether every window lies on the image; fails where one does not meet it at all.
bool is_full(const NodeReader& node, const AveragePool& pool, const Shape& in, const Shape& out) {
  bool full = true;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    for (std::size_t position = 0; position < out.dims[1 + axis]; ++position) {
      const std::size_t count = count_inside(pool.geometry, axis, position, in.dims[1 + axis]);
      if (count == 0) {
        node.unsupported("a window of nothing but padding");
      }
      full = full && count == pool.geometry.kernel[axis];
    }
  }
  return full;
}

// The mean over windows of `kernel` of a {C, H, W} activation without padding.
AveragePool plain_pool(const NodeReader& node, const Shape& in,
                       const std::array<std::size_t, 2>& kernel) {
  AveragePool pool;
  pool.geometry.kernel = kernel;
  pool.geometry.groups = in.channels();
  node.reserve_elements(in.channels() * kernel[0] * kernel[1]);
  return pool;
}

}  // namespace

ValueId import_average_pool(const NodeReader& node) {
  const Shape in = image_shape(node);
  if (!node.has_attribute("kernel_shape")) {
    node.malformed("kernel_shape is missing");
  }
  AveragePool pool = plain_pool(node, in, extents<2>(node, "kernel_shape", 1, 1));
  pool.count_padding = node.integer("count_include_pad", 0) != 0;
  read_window(node, in, pool.geometry);
  Shape out = output_shape(node, pool.geometry, in, in.channels());
  if (node.integer("ceil_mode", 0) != 0) {
    apply_ceil_mode(node, in, pool);
    out = output_shape(node, pool.geometry, in, in.channels());
  }
  if (!pool.count_padding) {
    pool.count_padding = is_full(node, pool, in, out);
  }
  return node.emit(std::move(pool), {node.input(0)}, std::move(out));
}

ValueId import_global_average_pool(const NodeReader& node) {
  const Shape in = image_shape(node);
  return node.emit(plain_pool(node, in, {in.height(), in.width()}), {node.input(0)},
                   Shape{{in.channels(), 1, 1}});
}

ValueId import_reduce_mean(const NodeReader& node) {
  const Shape in = image_shape(node);
  std::vector<std::size_t> axes = node.axes(1, in.rank() + 1).value_or(std::vector<std::size_t>{});
  std::sort(axes.begin(), axes.end());
  const bool last = axes == std::vector<std::size_t>{1, 2};  // channels are
  const bool spatial = !axes.empty() && axes.front() >= 2;
  if (!last && !spatial) {
    node.unsupported("only means over rows and columns");
  }
  const bool keep = node.integer("keepdims", 1) != 0;
  ValueId x = node.input(0);
  Shape image = in;
  if (last) {
    image = Shape{{in.dims[2], in.dims[0], in.dims[1]}};
    x = node.emit_step("transposed", Transpose{{2, 0, 1}}, {x}, image);
  }
  std::array<std::size_t, 2> kernel{1, 1};
  Shape pooled = image;
  Shape out{{image.channels()}};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (last || std::find(axes.begin(), axes.end(), 2 + axis) != axes.end()) {
      kernel[axis] = image.dims[1 + axis];
      pooled.dims[1 + axis] = 1;
    } else {
      out.dims.push_back(image.dims[1 + axis]);
    }
  }
  AveragePool pool = plain_pool(node, image, kernel);
  if (keep && !last) {
    return node.emit(std::move(pool), {x}, std::move(pooled));
  }
  x = node.emit_step("mean", std::move(pool), {x}, std::move(pooled));
  return node.emit(Reshape{}, {x}, keep ? Shape{{1, 1, in.dims[2]}} : std::move(out));
}

}  // namespace ffconv::model
