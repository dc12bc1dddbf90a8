#include "ffconv/model/network.h"

#include <algorithm>
#include <map>

#include <Eigen/Core>

#include "ffconv/base/error.h"

namespace ffconv::model {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::Map<Eigen::VectorXd>;
using ConstVector = Eigen::Map<const Eigen::VectorXd>;

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

std::span<const Shortcut> shortcuts_to(const Network& network, std::size_t to) {
  const auto& all = network.shortcuts;
  return {std::ranges::lower_bound(all, to, {}, &Shortcut::to),
          std::ranges::upper_bound(all, to, {}, &Shortcut::to)};
}

std::vector<double> run_linear(const Linear& linear, std::span<const double> x) {
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

void run_layers(const Network& network, std::span<const double> input,
                const std::function<void(std::size_t, const std::vector<double>&)>& f) {
  if (input.size() != network.input.size()) {
    fail(ErrorCode::kInvalidArgument, "network input: expected {} = {} elements, got {}",
         to_string(network.input), network.input.size(), input.size());
  }
  std::map<std::size_t, std::vector<double>> kept;  // tensors that shortcuts start from
  std::vector<double> values(input.begin(), input.end());
  for (const Shortcut& shortcut : network.shortcuts) {
    kept[shortcut.from];
  }
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    if (const auto tensor = kept.find(k); tensor != kept.end()) {
      tensor->second = values;
    }
    if (const auto* linear = std::get_if<Linear>(&network.layers[k])) {
      values = run_linear(*linear, values);
      for (const Shortcut& shortcut : shortcuts_to(network, k)) {
        const std::vector<double> other = run_linear(shortcut.map, kept.at(shortcut.from));
        std::ranges::transform(values, other, values.begin(), std::plus<>());
      }
    } else {
      std::ranges::transform(values, values.begin(), [](double x) { return x * x; });
    }
    f(k, values);
  }
}

std::vector<double> run_float(const Network& network, std::span<const double> input) {
  std::vector<double> scores;
  run_layers(network, input,
             [&](std::size_t, const std::vector<double>& values) { scores = values; });
  return scores;
}

}  // namespace ffconv::model
