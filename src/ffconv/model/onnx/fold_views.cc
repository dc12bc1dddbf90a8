#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "ffconv/model/onnx/fold.h"
#include "ffconv/model/onnx/tensor.h"

namespace ffconv::model {
namespace {

// The same elements in another shape, which must hold as many.
ValueId with_dims(const NodeReader& node, Dims dims) {
  const Value& value = node.value(0);
  node.check_folded(dims);
  if (product(dims, 0, dims.size()) != value.data.size()) {
    node.malformed(fmt::format("{} does not hold the elements of {}", to_string(Shape{dims}),
                               to_string(value.shape)));
  }
  return node.emit_folded(Shape{std::move(dims)}, value.data, node.is_whole(0));
}

// Whole numbers that stand for dimensions, 0 or more.
Dims read_dims(const NodeReader& node, std::size_t input) {
  Dims dims;
  for (const double x : node.value(input).data) {
    if (x < 0 || x != std::floor(x) || x > 0x1p53) {
      node.malformed(fmt::format("a dimension of {}", x));
    }
    dims.push_back(static_cast<std::size_t>(x));
  }
  return dims;
}

ValueId reshape(const NodeReader& node) {
  const Value& value = node.value(0);
  Dims dims;
  std::ptrdiff_t inferred = -1;
  for (const double x : node.value(1).data) {
    const std::size_t axis = dims.size();
    if (x == -1 && inferred < 0) {
      inferred = static_cast<std::ptrdiff_t>(axis);
      dims.push_back(1);
    } else if (x == 0 && node.integer("allowzero", 0) == 0 && axis < value.shape.rank()) {
      dims.push_back(value.shape.dims[axis]);
    } else if (x >= 0 && x == std::floor(x) && x <= 0x1p53) {
      dims.push_back(static_cast<std::size_t>(x));
    } else {
      node.malformed(fmt::format("dimension {} of the new shape is {}", axis, x));
    }
  }
  node.check_folded(dims);
  if (inferred >= 0) {
    const std::size_t known = product(dims, 0, dims.size());
    dims[static_cast<std::size_t>(inferred)] = known == 0 ? 0 : value.data.size() / known;
  }
  return with_dims(node, std::move(dims));
}

ValueId flatten(const NodeReader& node) {
  const Dims& dims = node.value(0).shape.dims;
  const std::int64_t attribute = node.integer("axis", 1);
  const std::size_t axis = attribute == static_cast<std::int64_t>(dims.size())
                               ? dims.size()
                               : node.checked_axis(attribute, dims.size());
  return with_dims(node, {product(dims, 0, axis), product(dims, axis, dims.size())});
}

ValueId squeeze(const NodeReader& node) {
  const Dims& dims = node.value(0).shape.dims;
  const auto axes = node.axes(1, dims.size());
  Dims result;
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    const bool goes =
        axes ? std::find(axes->begin(), axes->end(), axis) != axes->end() : dims[axis] == 1;
    if (!goes) {
      result.push_back(dims[axis]);
    }
  }
  return with_dims(node, std::move(result));
}

ValueId unsqueeze(const NodeReader& node) {
  const Dims& dims = node.value(0).shape.dims;
  const std::size_t added =
      node.has_attribute("axes") ? node.integers("axes").size() : node.constant(1).data.size();
  const auto axes = node.axes(1, dims.size() + added);
  Dims result;
  std::size_t next = 0;
  for (std::size_t axis = 0; axis < dims.size() + added; ++axis) {
    const bool is_new = axes && std::find(axes->begin(), axes->end(), axis) != axes->end();
    result.push_back(is_new ? 1 : dims.at(next++));
  }
  return with_dims(node, std::move(result));
}

ValueId transpose(const NodeReader& node) {
  const Value& value = node.value(0);
  const std::size_t rank = value.shape.rank();
  Dims permutation(rank);
  std::iota(permutation.rbegin(), permutation.rend(), 0);
  if (node.has_attribute("perm")) {
    permutation.clear();
    for (const std::int64_t axis : node.integers("perm")) {
      permutation.push_back(node.checked_axis(axis, rank));
    }
    Dims sorted = permutation;
    std::sort(sorted.begin(), sorted.end());
    Dims all(rank);
    std::iota(all.begin(), all.end(), 0);
    if (sorted != all) {
      node.malformed("perm is not a permutation");
    }
  }
  node.check_folded(value.shape.dims);
  Shape shape;
  for (const std::size_t axis : permutation) {
    shape.dims.push_back(value.shape.dims[axis]);
  }
  std::vector<double> data;
  data.reserve(value.data.size());
  for (const std::size_t index : transposed_order(value.shape, permutation)) {
    data.push_back(value.data[index]);
  }
  return node.emit_folded(std::move(shape), std::move(data), node.is_whole(0));
}

ValueId constant_of_shape(const NodeReader& node) {
  Dims dims = read_dims(node, 0);
  node.check_folded(dims);
  Value fill{"", {}, true, {0.0}};
  bool is_whole = false;
  if (node.has_attribute("value")) {
    fill = read_tensor(node.tensor("value"), node.name());
    is_whole = is_whole_type(node.tensor("value").data_type());
  }
  if (fill.data.size() != 1) {
    node.malformed("value: expected one element");
  }
  std::vector<double> data(product(dims, 0, dims.size()), fill.data[0]);
  return node.emit_folded(Shape{std::move(dims)}, std::move(data), is_whole);
}

ValueId expand(const NodeReader& node) {
  const Value& value = node.value(0);
  Dims dims = read_dims(node, 1);
  const Dims& from = value.shape.dims;
  if (from.size() > dims.size()) {
    dims.insert(dims.begin(), from.size() - dims.size(), 1);
  }
  for (std::size_t k = 1; k <= from.size(); ++k) {
    std::size_t& dim = dims[dims.size() - k];
    dim = dim == 1 ? from[from.size() - k] : dim;
  }
  const Shape shape{dims};
  if (value.data.empty() || !broadcasts_to(value.shape, shape)) {
    node.malformed(
        fmt::format("{} does not broadcast to {}", to_string(value.shape), to_string(shape)));
  }
  node.check_folded(dims);
  std::vector<double> data = broadcast(value, shape);
  if (data.size() == 1) {
    data.assign(shape.size(), data[0]);
  }
  return node.emit_folded(shape, std::move(data), node.is_whole(0));
}

}  // namespace

std::size_t product(const Dims& dims, std::size_t first, std::size_t last) {
  return std::accumulate(dims.begin() + static_cast<std::ptrdiff_t>(first),
                         dims.begin() + static_cast<std::ptrdiff_t>(last), std::size_t{1},
                         std::multiplies<>());
}

const ConstantEvaluators& view_evaluators() {
  static const ConstantEvaluators kEvaluators{
      {"ConstantOfShape", constant_of_shape},
      {"Expand", expand},
      {"Flatten", flatten},
      {"Reshape", reshape},
      {"Squeeze", squeeze},
      {"Transpose", transpose},
      {"Unsqueeze", unsqueeze},
  };
  return kEvaluators;
}

}  // namespace ffconv::model
