// Networks made by hand for the planner's tests, and the ranges of random ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ffconv/model/network.h"
#include "ffconv/model/ranges.h"
#include "ffconv/plan/lowering.h"
#include "support/random_network.h"

namespace ffconv::testing {

// Twenty levels of one 26-bit prime each, keys at all of them; too many for the security row.
inline ParamsSpec plain_chain(int log_n) {
  return one_prime_a_level(log_n, std::vector<double>(20, 26.0), {31}, 1, 19);
}
inline plan::RingShape plain_ring(int log_n) {
  return plan::RingShape(plain_chain(log_n));
}

// Seeded weights in [-1, 1), scaled so that a sum over `fan_in` inputs stays near the inputs' size.
class Weights {
 public:
  explicit Weights(std::uint64_t seed) : random_(seed) {}
  std::vector<double> operator()(std::size_t count, std::size_t fan_in) {
    std::vector<double> values(count);
    for (double& value : values) {
      value = (std::ldexp(static_cast<double>(random_() >> 11), -52) - 1) *
              std::sqrt(3 / static_cast<double>(fan_in));
    }
    return values;
  }

 private:
  std::mt19937_64 random_;
};

inline model::Linear dense_layer(std::string name, const model::Shape& in, std::size_t outputs,
                                 Weights& weights) {
  model::Linear layer{
      .name = std::move(name), .in = in, .out = {{outputs}}, .bias = {}, .map = {}, .origin = {}};
  layer.bias = weights(outputs, 10);
  layer.map = model::Dense{weights(outputs * in.size(), in.size())};
  return layer;
}

inline model::Linear diagonal_layer(std::string name, const model::Shape& shape, Weights& weights) {
  model::Linear layer{
      .name = std::move(name), .in = shape, .out = shape, .bias = {}, .map = {}, .origin = {}};
  layer.bias = weights(shape.size(), 10);
  layer.map = model::Diagonal{weights(shape.size(), 1)};
  return layer;
}

inline model::Linear conv_layer(std::string name, const model::Shape& in, std::size_t channels,
                                const model::ConvGeometry& geometry, Weights& weights) {
  const auto extent = [&](std::size_t axis) {
    return (in.dims[1 + axis] + geometry.pads[axis] + geometry.pads[2 + axis] -
            (geometry.kernel[axis] - 1) * geometry.dilations[axis] - 1) /
               geometry.strides[axis] +
           1;
  };
  model::Linear layer{.name = std::move(name),
                      .in = in,
                      .out = {{channels, extent(0), extent(1)}},
                      .bias = {},
                      .map = {},
                      .origin = {}};
  const std::size_t fan_in =
      in.channels() / geometry.groups * geometry.kernel[0] * geometry.kernel[1];
  layer.bias = weights(layer.out.size(), 10);
  layer.map = model::Convolution{geometry, weights(channels * fan_in, fan_in)};
  return layer;
}

// `layers` from the first one's input to the last one's output.
inline model::Network network_of(std::vector<model::Layer> layers) {
  model::Network network{
      .name = "test", .input = {}, .layers = std::move(layers), .classes = 0, .class_names = {}};
  network.input = std::get<model::Linear>(network.layers.front()).in;
  network.classes = std::get<model::Linear>(network.layers.back()).out.size();
  for (std::size_t c = 0; c < network.classes; ++c) {
    network.class_names.push_back(std::to_string(c));
  }
  return network;
}

// The shape of mnist-lola: 5 maps of 13 x 13, 100 and 10 outputs.
inline model::Network lola_shaped_network() {
  Weights weights(1);
  const model::Shape image{{1, 28, 28}};
  const model::ConvGeometry geometry{
      .kernel = {5, 5}, .strides = {2, 2}, .dilations = {1, 1}, .pads = {0, 0, 1, 1}, .groups = 1};
  const auto conv = conv_layer("conv1", image, 5, geometry, weights);
  return network_of({conv, model::Square{}, dense_layer("fc1", {{845}}, 100, weights),
                     model::Square{}, dense_layer("fc2", {{100}}, 10, weights)});
}

// Ranges seen on a few random images.
inline model::Ranges ranges_of(const model::Network& network) {
  constexpr std::uint64_t kImages = 8;
  model::Ranges ranges{{}, std::vector<model::Range>(network.layers.size())};
  const auto raise = [](model::Range& range, const std::vector<double>& values) {
    double mean_square = range.rms * range.rms;
    for (const double value : values) {
      range.max_abs = std::max(range.max_abs, std::abs(value));
      mean_square += value * value / static_cast<double>(values.size() * kImages);
    }
    range.rms = std::sqrt(mean_square);
  };
  for (std::uint64_t seed = 1; seed <= kImages; ++seed) {
    const std::vector<double> image = random_image(network.input, seed);
    raise(ranges.input, image);
    model::run_layers(network, image, [&](std::size_t k, const std::vector<double>& values) {
      raise(ranges.layers[k], values);
    });
  }
  return ranges;
}

}  // namespace ffconv::testing
