#include "ffconv/model/graph.h"

#include <algorithm>

#include "ffconv/base/assert.h"

namespace ffconv::model {

bool is_dense(const Node& node) {
  return std::holds_alternative<Gemm>(node.op) || std::holds_alternative<MatMul>(node.op);
}

bool is_linear(const Node& node) {
  return std::holds_alternative<Conv>(node.op) || is_dense(node);
}

bool broadcasts_to(const Shape& constant, const Shape& to) {
  // Axes are aligned at the last one; the constant may also have the batch axis, of extent 1.
  if (constant.rank() > to.rank() + 1 || constant.size() == 0) {
    return false;
  }
  for (std::size_t k = 1; k <= constant.rank(); ++k) {
    const std::size_t dim = constant.dims[constant.rank() - k];
    const std::size_t wanted = k <= to.rank() ? to.dims[to.rank() - k] : 1;
    if (dim != 1 && dim != wanted) {
      return false;
    }
  }
  return true;
}

std::vector<double> broadcast(const Value& constant, const Shape& to) {
  FFCONV_ASSERT(constant.is_constant && broadcasts_to(constant.shape, to));
  if (constant.data.size() == 1) {
    return constant.data;
  }
  std::vector<double> result(to.size());
  const auto& dims = constant.shape.dims;
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::size_t rest = i;
    std::size_t index = 0;
    std::size_t step = 1;
    for (std::size_t k = 1; k <= std::min(dims.size(), to.rank()); ++k) {
      const std::size_t extent = to.dims[to.rank() - k];
      const std::size_t dim = dims[dims.size() - k];
      index += dim == 1 ? 0 : rest % extent * step;
      rest /= extent;
      step *= dim;
    }
    result[i] = constant.data[index];
  }
  return result;
}

}  // namespace ffconv::model
