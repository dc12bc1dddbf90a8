// The shape of one image's tensor. Elements are flattened row-major: (channel, row, column) of a
// C x H x W tensor has index (channel * H + row) * W + column. There is no batch axis.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ffconv::model {

struct Shape {
  std::vector<std::size_t> dims;  // {C, H, W}, or {F} for a vector; each at least 1

  std::size_t rank() const { return dims.size(); }
  std::size_t size() const;  // the product of dims; 1 for rank 0
  // A vector of F features reads as F channels of one position.
  std::size_t channels() const { return dims.at(0); }
  std::size_t height() const { return rank() == 3 ? dims[1] : 1; }
  std::size_t width() const { return rank() == 3 ? dims[2] : 1; }

  bool operator==(const Shape&) const = default;
};

// Where the elements of a transposed tensor come from: its element i is element order[i] of the
// tensor of shape `from`. Axis k of the result is axis permutation[k] of `from`.
std::vector<std::size_t> transposed_order(const Shape& from,
                                          const std::vector<std::size_t>& permutation);

// "1x28x28"; "scalar" for rank 0.
std::string to_string(const Shape& shape);

}  // namespace ffconv::model
