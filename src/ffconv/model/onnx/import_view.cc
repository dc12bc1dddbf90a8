#include "ffconv/model/onnx/import_view.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace ffconv::model {

ValueId import_flatten(const NodeReader& node) {
  const Shape& shape = node.activation(0).shape;
  const std::int64_t axis = node.integer("axis", 1);
  if (axis != 1 && axis != -static_cast<std::int64_t>(shape.rank())) {
    node.unsupported(fmt::format("axis {}; only axis 1 keeps images apart", axis));
  }
  return node.emit(Reshape{}, {node.input(0)}, Shape{{shape.size()}});
}

ValueId import_reshape(const NodeReader& node) {
  const Shape in = node.activation(0).shape;
  const std::vector<std::int64_t> dims = node.constant_integers(1);
  if (node.integer("allowzero", 0) != 0 && std::find(dims.begin(), dims.end(), 0) != dims.end()) {
    node.unsupported("allowzero = 1 with a dimension of 0");
  }
  // The first entry is the batch axis: 1, copied (0) or inferred (-1).
  if (dims.size() < 2 || dims[0] < -1 || dims[0] > 1) {
    node.unsupported("its shape does not keep the batch axis first; use [1, ...] or [-1, ...]");
  }
  Shape out;
  std::size_t left = in.size();  // divided by every known dimension
  std::ptrdiff_t inferred = -1;
  for (std::size_t k = 1; k < dims.size(); ++k) {
    std::size_t dim = 1;
    if (dims[k] == -1 && inferred < 0 && dims[0] != -1) {
      inferred = static_cast<std::ptrdiff_t>(k - 1);
    } else if (dims[k] == 0 && k - 1 < in.rank()) {
      dim = in.dims[k - 1];
    } else if (dims[k] > 0) {
      dim = static_cast<std::size_t>(dims[k]);
    } else {
      node.malformed(fmt::format("dimension {} of the new shape is {}", k, dims[k]));
    }
    if (left % dim != 0) {
      left = 0;
      break;
    }
    left /= dim;
    out.dims.push_back(dim);
  }
  if (inferred >= 0) {
    out.dims[static_cast<std::size_t>(inferred)] = left;
    left = left == 0 ? 0 : 1;
  }
  if (left != 1 && dims[0] == -1) {
    node.unsupported(fmt::format(
        "its shape, with the batch axis left open, spreads the {} elements of {} over several "
        "images; keep them in one, as [1, -1] does",
        in.size(), to_string(in)));
  }
  if (left != 1) {
    node.malformed(
        fmt::format("the new shape does not hold the {} elements of {}", in.size(), to_string(in)));
  }
  return node.emit(Reshape{}, {node.input(0)}, std::move(out));
}

ValueId import_squeeze(const NodeReader& node) {
  const Shape& in = node.activation(0).shape;
  // Without axes all of extent 1 go; the batch stays, as it would for more than one image.
  const auto axes = node.axes(1, in.rank() + 1);
  Shape out;
  for (std::size_t axis = 0; axis <= in.rank(); ++axis) {
    const bool goes = axes ? std::find(axes->begin(), axes->end(), axis) != axes->end()
                           : axis > 0 && in.dims[axis - 1] == 1;
    if (goes && axis == 0) {
      node.unsupported("it removes the batch axis");
    }
    if (goes && in.dims[axis - 1] != 1) {
      node.malformed(fmt::format("axis {} of {} is not 1", axis, to_string(in)));
    }
    if (!goes && axis > 0) {
      out.dims.push_back(in.dims[axis - 1]);
    }
  }
  if (out.dims.empty()) {
    out.dims = {1};
  }
  return node.emit(Reshape{}, {node.input(0)}, std::move(out));
}

ValueId import_unsqueeze(const NodeReader& node) {
  const Shape& in = node.activation(0).shape;
  const std::size_t added =
      node.has_attribute("axes") ? node.integers("axes").size() : node.constant(1).data.size();
  const auto axes = node.axes(1, in.rank() + 1 + added);
  Shape out;
  std::size_t next = 0;
  for (std::size_t axis = 0; axis < in.rank() + 1 + added; ++axis) {
    const bool is_new = std::find(axes->begin(), axes->end(), axis) != axes->end();
    if (is_new && axis == 0) {
      node.unsupported("it puts an axis before the batch");
    }
    if (is_new) {
      out.dims.push_back(1);
    } else if (axis > 0) {
      out.dims.push_back(in.dims[next++]);
    }
  }
  return node.emit(Reshape{}, {node.input(0)}, std::move(out));
}

ValueId import_transpose(const NodeReader& node) {
  const Shape& in = node.activation(0).shape;
  const std::vector<std::int64_t> permutation = node.integers("perm");
  if (permutation.size() != in.rank() + 1 || permutation[0] != 0) {
    node.unsupported("it must keep the batch axis first");
  }
  Transpose transpose;
  Shape out;
  for (std::size_t k = 1; k < permutation.size(); ++k) {
    const std::int64_t axis = permutation[k];
    if (axis < 1 || axis > static_cast<std::int64_t>(in.rank()) ||
        std::count(permutation.begin(), permutation.end(), axis) != 1) {
      node.malformed("perm is not a permutation");
    }
    transpose.permutation.push_back(static_cast<std::size_t>(axis - 1));
    out.dims.push_back(in.dims[transpose.permutation.back()]);
  }
  return node.emit(std::move(transpose), {node.input(0)}, std::move(out));
}

ValueId import_concat(const NodeReader& node) {
  Shape out = node.activation(0).shape;
  const std::size_t axis = node.checked_axis(node.integer("axis", 1), out.rank() + 1);
  if (axis == 0) {
    node.unsupported("it joins images along the batch axis");
  }
  std::vector<ValueId> inputs{node.input(0)};
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    Shape shape = node.activation(i).shape;
    const std::size_t extent = axis <= shape.rank() ? shape.dims[axis - 1] : 0;
    if (extent != 0) {
      shape.dims[axis - 1] = out.dims[axis - 1];
    }
    if (extent == 0 || shape != out) {
      node.malformed(fmt::format("{} does not fit {} in all axes but {}",
                                 to_string(node.activation(i).shape),
                                 to_string(node.activation(0).shape), axis));
    }
    out.dims[axis - 1] += extent;
    inputs.push_back(node.input(i));
  }
  return node.emit(Concat{axis - 1}, std::move(inputs), std::move(out));
}

std::pair<std::size_t, std::size_t> clip_range(std::int64_t start, std::int64_t end,
                                               std::size_t rank) {
  const auto clip = [&](std::int64_t position) {
    const auto signed_rank = static_cast<std::int64_t>(rank);
    if (position < 0) {
      position = std::max<std::int64_t>(position, -signed_rank) + signed_rank;
    }
    return static_cast<std::size_t>(std::min(position, signed_rank));
  };
  return {clip(start), std::max(clip(start), clip(end))};
}

namespace {

// The input's shape as in the file: an activation's with a batch of 1.
std::vector<double> full_shape(const NodeReader& node) {
  const Value& value = node.value(0);
  std::vector<double> dims(value.is_constant ? 0 : 1, 1.0);
  dims.insert(dims.end(), value.shape.dims.begin(), value.shape.dims.end());
  return dims;
}

}  // namespace

ValueId import_shape(const NodeReader& node) {
  const std::vector<double> dims = full_shape(node);
  const auto [first, last] =
      clip_range(node.integer("start", 0),
                 node.integer("end", std::numeric_limits<std::int64_t>::max()), dims.size());
  const auto begin = dims.begin();
  return node.emit_folded(
      Shape{{last - first}},
      {begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last)},
      true);
}

ValueId import_size(const NodeReader& node) {
  double size = 1;
  for (const double dim : full_shape(node)) {
    size *= dim;
  }
  return node.emit_folded({}, {size}, true);
}

}  // namespace ffconv::model
