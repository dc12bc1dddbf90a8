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

std::string to_string(const Shape& shape) {
  return shape.dims.empty() ? "scalar" : fmt::format("{}", fmt::join(shape.dims, "x"));
}

}  // namespace ffconv::model
