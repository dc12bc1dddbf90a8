#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "ffconv/model/onnx/fold.h"

namespace ffconv::model {
namespace {

ValueId concat(const NodeReader& node) {
  Dims dims = node.value(0).shape.dims;
  const std::size_t axis = node.checked_axis(node.integer("axis", 0), dims.size());
  bool is_whole = true;
  dims[axis] = 0;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    Dims other = node.value(i).shape.dims;
    const std::size_t extent = axis < other.size() ? other[axis] : 0;
    if (other.size() == dims.size()) {
      other[axis] = dims[axis];
    }
    if (other != dims) {
      node.malformed("its constants differ in another axis");
    }
    dims[axis] += extent;
    is_whole = is_whole && node.is_whole(i);
  }
  node.check_folded(dims);
  std::vector<double> data;
  const std::size_t blocks = product(dims, 0, axis);
  for (std::size_t block = 0; block < blocks; ++block) {
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      const std::vector<double>& part = node.value(i).data;
      const auto run = static_cast<std::ptrdiff_t>(part.size() / blocks);
      const auto first = part.begin() + static_cast<std::ptrdiff_t>(block) * run;
      data.insert(data.end(), first, first + run);
    }
  }
  return node.emit_folded(Shape{std::move(dims)}, std::move(data), is_whole);
}

// Elements indices[0], indices[1], ... of one axis.
std::vector<double> take(const std::vector<double>& data, const Dims& dims, std::size_t axis,
                         const std::vector<std::size_t>& indices) {
  const std::size_t blocks = product(dims, 0, axis);
  const auto run = static_cast<std::ptrdiff_t>(product(dims, axis + 1, dims.size()));
  std::vector<double> result;
  for (std::size_t block = 0; block < blocks; ++block) {
    for (const std::size_t index : indices) {
      const auto first =
          data.begin() + static_cast<std::ptrdiff_t>(block * dims[axis] + index) * run;
      result.insert(result.end(), first, first + run);
    }
  }
  return result;
}

ValueId gather(const NodeReader& node) {
  const Value& value = node.value(0);
  const Dims& dims = value.shape.dims;
  const std::size_t axis = node.checked_axis(node.integer("axis", 0), dims.size());
  const Shape& indices = node.value(1).shape;
  Dims result(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(axis));
  result.insert(result.end(), indices.dims.begin(), indices.dims.end());
  result.insert(result.end(), dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, dims.end());
  node.check_folded(result);
  std::vector<std::size_t> places;
  for (const double x : node.value(1).data) {
    if (x != std::floor(x) || std::abs(x) > 0x1p53) {
      node.malformed(fmt::format("an index of {}", x));
    }
    places.push_back(node.checked_axis(static_cast<std::int64_t>(x), dims[axis]));
  }
  return node.emit_folded(Shape{std::move(result)}, take(value.data, dims, axis, places),
                          node.is_whole(0));
}

// One of Slice's lists: an attribute before operator set 10, an input since. Exporters write the
// largest integers for "to the end".
std::vector<std::int64_t> slice_list(const NodeReader& node, std::string_view attribute,
                                     std::size_t input, std::int64_t otherwise, std::size_t size) {
  constexpr double kFar = 0x1p53;
  if (node.has_attribute(attribute)) {
    std::vector<std::int64_t> list = node.integers(attribute);
    for (std::int64_t& x : list) {
      x = std::clamp<std::int64_t>(x, -(std::int64_t{1} << 53), std::int64_t{1} << 53);
    }
    return list;
  }
  if (!node.has_input(input)) {
    return std::vector<std::int64_t>(size, otherwise);
  }
  std::vector<std::int64_t> list;
  for (const double x : node.value(input).data) {
    list.push_back(static_cast<std::int64_t>(std::clamp(std::floor(x), -kFar, kFar)));
  }
  return list;
}

// The positions that start:end:step selects of `extent`, as in Python.
std::vector<std::size_t> slice_positions(std::int64_t start, std::int64_t end, std::int64_t step,
                                         std::size_t extent) {
  const auto size = static_cast<std::int64_t>(extent);
  start = start < 0 ? start + size : start;
  end = end < 0 ? end + size : end;
  std::vector<std::size_t> positions;
  if (step > 0) {
    for (std::int64_t p = std::max<std::int64_t>(start, 0); p < std::min(end, size); p += step) {
      positions.push_back(static_cast<std::size_t>(p));
    }
  } else {
    for (std::int64_t p = std::min(start, size - 1); p > std::max<std::int64_t>(end, -1);
         p += step) {
      positions.push_back(static_cast<std::size_t>(p));
    }
  }
  return positions;
}

ValueId slice(const NodeReader& node) {
  const Value& value = node.value(0);
  Dims dims = value.shape.dims;
  const auto starts = slice_list(node, "starts", 1, 0, 0);
  const auto ends = slice_list(node, "ends", 2, 0, 0);
  Dims axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = node.axes(3, dims.size()).value_or(axes);
  const auto steps = slice_list(node, "steps", 4, 1, starts.size());
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size() || starts.size() > dims.size()) {
    node.malformed("starts, ends, axes and steps differ in length");
  }
  node.check_folded(dims);
  std::vector<double> data = value.data;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    if (steps[k] == 0) {
      node.malformed("a step of 0");
    }
    const auto positions = slice_positions(starts[k], ends[k], steps[k], dims[axes[k]]);
    data = take(data, dims, axes[k], positions);
    dims[axes[k]] = positions.size();
  }
  return node.emit_folded(Shape{std::move(dims)}, std::move(data), node.is_whole(0));
}

ValueId range(const NodeReader& node) {
  const double start = node.constant(0).data[0];
  const double step = node.constant(2).data[0];
  const double count = std::max(0.0, std::ceil((node.constant(1).data[0] - start) / step));
  if (!(count <= 0x1p53)) {
    node.malformed("it has no end");
  }
  node.check_folded({static_cast<std::size_t>(count)});
  std::vector<double> data;
  for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k) {
    data.push_back(start + static_cast<double>(k) * step);
  }
  Shape shape{{data.size()}};
  return node.emit_folded(std::move(shape), std::move(data),
                          node.is_whole(0) && node.is_whole(1) && node.is_whole(2));
}

}  // namespace

const ConstantEvaluators& selection_evaluators() {
  static const ConstantEvaluators kEvaluators{
      {"Concat", concat},
      {"Gather", gather},
      {"Range", range},
      {"Slice", slice},
  };
  return kEvaluators;
}

}  // namespace ffconv::model
