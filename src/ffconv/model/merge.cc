#include "ffconv/model/merge.h"

#include <vector>

#include <Eigen/Core>

namespace ffconv::model {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::size_t kMaxWeights = std::size_t{1} << 22;

Eigen::Map<const Matrix> matrix(const std::vector<double>& weights, std::size_t rows) {
  return {weights.data(), static_cast<Eigen::Index>(rows),
          static_cast<Eigen::Index>(weights.size() / rows)};
}

std::vector<double> elements(const Matrix& product) {
  return {product.data(), product.data() + product.size()};
}

bool is_pointwise(const Convolution& conv) {
  return conv.geometry == ConvGeometry{};
}

// A kernel's taps, all channels, times a matrix between channels, before or after it.
std::optional<Convolution> merge(const Linear& first, const Convolution& a, const Convolution& b,
                                 const Linear& second) {
  if (a.geometry.groups != 1 || b.geometry.groups != 1 || !(is_pointwise(a) || is_pointwise(b))) {
    return std::nullopt;
  }
  const std::size_t middle = first.out.channels(), outputs = second.out.channels();
  if (is_pointwise(b)) {
    return Convolution{a.geometry,
                       elements(matrix(b.weights, outputs) * matrix(a.weights, middle))};
  }
  const std::size_t taps = b.geometry.kernel[0] * b.geometry.kernel[1];
  const std::size_t inputs = first.in.channels();
  Convolution result{b.geometry, std::vector<double>(outputs * inputs * taps)};
  const Matrix channels = matrix(a.weights, middle).transpose();  // [inputs][middle]
  for (std::size_t o = 0; o < outputs; ++o) {
    const auto offset = static_cast<std::ptrdiff_t>(o * middle * taps);
    const std::vector<double> kernel(
        b.weights.begin() + offset,
        b.weights.begin() + offset + static_cast<std::ptrdiff_t>(middle * taps));
    const std::vector<double> product = elements(channels * matrix(kernel, middle));
    std::copy(product.begin(), product.end(),
              result.weights.begin() + static_cast<std::ptrdiff_t>(o * inputs * taps));
  }
  return result;
}

Dense merge(const Linear& first, const Dense& b, std::size_t outputs) {
  const std::size_t inputs = first.in.size(), middle = first.out.size();
  Dense result{std::vector<double>(outputs * inputs)};
  for_each_weight(first, [&](std::size_t m, std::size_t i, double weight) {
    for (std::size_t o = 0; o < outputs; ++o) {
      result.weights[o * inputs + i] += b.weights[o * middle + m] * weight;
    }
  });
  return result;
}

}  // namespace

std::optional<Linear> merge(const Linear& first, const Linear& second) {
  Linear result{.name = first.name + " + " + second.name,
                .in = first.in,
                .out = second.out,
                .bias = run_linear(second, first.bias),
                .map = {},
                .origin = second.origin};
  if (const auto* dense = std::get_if<Dense>(&second.map)) {
    if (first.in.size() * second.out.size() > kMaxWeights) {
      return std::nullopt;
    }
    result.map = merge(first, *dense, second.out.size());
    return result;
  }
  const Convolution *a = first.convolution(), *b = second.convolution();
  if (a == nullptr || b == nullptr || first.out != second.in) {
    return std::nullopt;
  }
  auto convolution = merge(first, *a, *b, second);
  if (!convolution || convolution->weights.size() > kMaxWeights) {
    return std::nullopt;
  }
  result.map = *std::move(convolution);
  return result;
}

}  // namespace ffconv::model
