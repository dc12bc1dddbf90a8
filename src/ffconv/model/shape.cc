#include "ffconv/model/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ffconv::model {

std::size_t Shape::size() const {
  std::size_t product = 1;
  for (const std::size_t dim : dims) {
    product *= dim;
  }
  return product;
}

std::vector<std::size_t> transposed_order(const Shape& from,
                                          const std::vector<std::size_t>& permutation) {
  const std::size_t rank = from.rank();
  std::vector<std::size_t> strides(rank, 1);  // of `from`
  for (std::size_t axis = rank; axis-- > 1;) {
    strides[axis - 1] = strides[axis] * from.dims[axis];
  }
  std::vector<std::size_t> order(from.size(), 0);
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::size_t rest = i;
    for (std::size_t k = rank; k-- > 0;) {
      const std::size_t extent = from.dims[permutation[k]];
      order[i] += rest % extent * strides[permutation[k]];
      rest /= extent;
    }
  }
  return order;
}

std::string to_string(const Shape& shape) {
  return shape.dims.empty() ? "scalar" : fmt::format("{}", fmt::join(shape.dims, "x"));
}

}  // namespace ffconv::model
