#include "ffconv/model/network.h"

#include <Eigen/Core>

#include "ffconv/base/error.h"

namespace ffconv::model {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::Map<Eigen::VectorXd>;
using ConstVector = Eigen::Map<const Eigen::VectorXd>;

std::vector<double> apply_linear(const Linear& linear, std::span<const double> x) {
  const auto rows = static_cast<Eigen::Index>(linear.out.size());
  const auto columns = static_cast<Eigen::Index>(linear.in.size());
  std::vector<double> y(linear.out.size());
  Vector result(y.data(), rows);
  const ConstVector input(x.data(), columns);
  if (const Convolution* conv = linear.convolution()) {
    convolve(conv->geometry, conv->weights, linear.in, x, linear.out, y);
  } else if (const auto* dense = std::get_if<Dense>(&linear.map)) {
    const Eigen::Map<const Matrix> weights(dense->weights.data(), rows, columns);
    result.noalias() = weights * input;
  } else if (const auto* diagonal = std::get_if<Diagonal>(&linear.map)) {
    result = ConstVector(diagonal->scale.data(), rows).cwiseProduct(input);
  } else {
    result.setZero();
    for_each_weight(linear,
                    [&](std::size_t o, std::size_t i, double weight) { y[o] += weight * x[i]; });
  }
  result += ConstVector(linear.bias.data(), rows);
  return y;
}

}  // namespace

std::vector<const Linear*> linear_layers(const Network& network) {
  std::vector<const Linear*> linears;
  for (const Layer& layer : network.layers) {
    if (const auto* linear = std::get_if<Linear>(&layer)) {
      linears.push_back(linear);
    }
  }
  return linears;
}

std::vector<double> run_layer(const Layer& layer, std::span<const double> x) {
  if (const auto* linear = std::get_if<Linear>(&layer)) {
    return apply_linear(*linear, x);
  }
  std::vector<double> y(x.begin(), x.end());
  for (double& element : y) {
    element *= element;
  }
  return y;
}

std::vector<double> run_float(const Network& network, std::span<const double> input) {
  if (input.size() != network.input.size()) {
    fail(ErrorCode::kInvalidArgument, "network input: expected {} = {} elements, got {}",
         to_string(network.input), network.input.size(), input.size());
  }
  std::vector<double> values(input.begin(), input.end());
  for (const Layer& layer : network.layers) {
    values = run_layer(layer, values);
  }
  return values;
}

}  // namespace ffconv::model
