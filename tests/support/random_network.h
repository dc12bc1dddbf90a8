// Seeded small networks for tests: 1 to 3 linear layers with degree-2 activations between, on
// images of 1 to 3 channels and 4 to 12 rows and columns, 2 to 10 classes.
//
// Convolutions have kernels of 1 to 5, strides of 1 to 3, asymmetric pads, and now and then groups
// or dilations; the last layer is dense. Weights are scaled so that every value stays near 1 for
// pixels of 0 to 255, which the networks scale by 1/256 themselves. Equal seeds give equal
// networks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "ffconv/model/graph.h"
#include "ffconv/model/network.h"
#include "ffconv/model/normalize.h"
#include "support/onnx_builder.h"

namespace ffconv::testing {

enum class Activations {
  kSquare,     // x * x
  kQuadratic,  // also a x^2 + b x + c with one coefficient a channel, spelled out in several ways
};

enum class Connections {
  kChain,
  kResidual,  // a block with a shortcut, the identity or a linear layer, takes the place of each
              // layer but the first and the last
};

class NetworkGenerator {
 public:
  NetworkGenerator(std::uint64_t seed, Activations activations, Connections connections)
      : random_(seed), activations_(activations), connections_(connections) {}

  model::Graph run() {
    shape_ = {integer(1, 3), integer(4, 12), integer(4, 12)};
    OnnxBuilder builder(shape_);
    std::string x = builder.node("Mul", {"image", builder.scalar(1.0 / 256)});
    const bool residual = connections_ == Connections::kResidual;
    const std::int64_t layers = residual ? 3 : integer(1, 3);
    for (std::int64_t k = 1; k < layers; ++k) {
      if (residual && k > 1) {
        x = residual_block(builder, x);
        continue;
      }
      const bool is_conv = k == 1 || (shape_.size() == 3 && integer(0, 1) == 1);
      x = is_conv ? convolution(builder, x) : dense(builder, x, integer(3, 20));
      x = activation(builder, x);
    }
    return builder.import(dense(builder, x, integer(2, 10)));
  }

 private:
  std::int64_t integer(std::int64_t least, std::int64_t most) {
    return least +
           static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most - least + 1));
  }
  // In [-1, 1), a multiple of 2^-20.
  double real() { return std::ldexp(static_cast<double>(random_() >> 43), -20) - 1; }
  std::vector<double> reals(std::int64_t count, double scale, double offset = 0) {
    std::vector<double> values(static_cast<std::size_t>(count));
    for (double& value : values) {
      value = offset + scale * real();
    }
    return values;
  }

  std::string convolution(OnnxBuilder& builder, const std::string& x) {
    const std::int64_t groups = integer(0, 3) == 0 ? shape_[0] : 1;
    const std::int64_t outputs = groups * integer(1, groups == 1 ? 6 : 2);
    Dims kernel, strides, dilations, pads(4), out{outputs};
    for (std::size_t axis = 0; axis < 2; ++axis) {
      kernel.push_back(integer(1, std::min<std::int64_t>(5, shape_[1 + axis])));
      strides.push_back(integer(1, 3));
      const bool fits = 2 * (kernel[axis] - 1) + 1 <= shape_[1 + axis];
      dilations.push_back(fits && integer(0, 3) == 0 ? 2 : 1);
      pads[axis] = integer(0, kernel[axis] - 1);
      pads[2 + axis] = integer(0, kernel[axis] - 1);
      const std::int64_t covered = (kernel[axis] - 1) * dilations[axis] + 1;
      const std::int64_t padded = shape_[1 + axis] + pads[axis] + pads[2 + axis];
      out.push_back((padded - covered) / strides[axis] + 1);
    }
    const std::int64_t fan_in = shape_[0] / groups * kernel[0] * kernel[1];
    const std::string weights =
        builder.constant({outputs, shape_[0] / groups, kernel[0], kernel[1]},
                         reals(outputs * fan_in, 2 / std::sqrt(static_cast<double>(fan_in))));
    const std::string bias = builder.constant({outputs}, reals(outputs, 0.5));
    shape_ = out;
    return builder.node(
        "Conv", {x, weights, bias},
        {{"strides", strides}, {"dilations", dilations}, {"pads", pads}, {"group", groups}});
  }

  std::string dense(OnnxBuilder& builder, std::string x, std::int64_t outputs) {
    if (shape_.size() == 3) {
      x = builder.node("Flatten", {x});
      shape_ = {shape_[0] * shape_[1] * shape_[2]};
    }
    const std::int64_t inputs = shape_[0];
    const std::string weights = builder.constant(
        {outputs, inputs}, reals(inputs * outputs, 2 / std::sqrt(static_cast<double>(inputs))));
    const std::string bias = builder.constant({outputs}, reals(outputs, 0.5));
    shape_ = {outputs};
    return builder.node("Gemm", {x, weights, bias}, {{"transB", std::int64_t{1}}});
  }

  // Two linear layers with an activation between them (and one before them, in every other block)
  // and a shortcut past them, added up in either order.
  std::string residual_block(OnnxBuilder& builder, const std::string& x) {
    const bool is_conv = shape_.size() == 3 && integer(0, 3) != 0;
    const auto layer = [&](const std::string& value) {
      return is_conv ? convolution(builder, value) : dense(builder, value, integer(3, 12));
    };
    const bool activation_first = integer(0, 1) == 1;
    std::string y = activation_first ? activation(builder, layer(x)) : x;
    const std::string block_input = y;
    const Dims block_in = shape_;
    y = activation(builder, layer(y));
    // The same shape by each way: dense layers to as many outputs as the shortcut has.
    std::int64_t elements = 1;
    for (const std::int64_t extent : block_in) {
      elements *= extent;
    }
    const bool projects = integer(0, 1) == 1 || elements > 200;
    const std::int64_t outputs = projects ? integer(3, 12) : elements;
    y = dense(builder, y, outputs);
    shape_ = block_in;
    std::string shortcut = block_input;
    if (projects) {
      shortcut = dense(builder, shortcut, outputs);
    } else if (shape_.size() == 3) {
      shortcut = builder.node("Flatten", {shortcut});
    }
    shape_ = {outputs};
    const bool subtracts = integer(0, 3) == 0;
    const std::string sum = integer(0, 1) == 1
                                ? builder.node(subtracts ? "Sub" : "Add", {y, shortcut})
                                : builder.node(subtracts ? "Sub" : "Add", {shortcut, y});
    return integer(0, 2) == 0 ? sum : activation(builder, sum);
  }

  // One coefficient a channel.
  std::string coefficients(OnnxBuilder& builder, double scale, double offset) {
    Dims dims(shape_.size(), 1);
    dims[0] = shape_[0];
    return builder.constant(dims, reals(shape_[0], scale, offset));
  }

  std::string activation(OnnxBuilder& builder, const std::string& x) {
    const std::int64_t form = activations_ == Activations::kSquare ? 0 : integer(0, 3);
    if (form == 0) {
      return builder.node("Mul", {x, x});
    }
    if (form == 1) {  // (a x + b) x + c
      std::string y = builder.node("Mul", {coefficients(builder, 0.3, 0.7), x});
      y = builder.node("Add", {y, coefficients(builder, 0.5, 0)});
      y = builder.node("Mul", {y, x});
      return builder.node("Sub", {y, coefficients(builder, 0.5, 0)});
    }
    const std::string square = builder.node("Pow", {x, builder.scalar(2)});
    if (form == 2) {  // a x^2 + b x
      const std::string high = builder.node("Mul", {square, coefficients(builder, 0.3, -0.7)});
      return builder.node("Add", {high, builder.node("Mul", {x, coefficients(builder, 0.5, 0)})});
    }
    return builder.node("Add", {builder.scalar(0.25), square});  // 1/4 + x^2
  }

  std::mt19937_64 random_;
  Activations activations_;
  Connections connections_;
  Dims shape_;
};

// The graph as imported from ONNX.
inline model::Graph random_graph(std::uint64_t seed, Activations activations = Activations::kSquare,
                                 Connections connections = Connections::kChain) {
  return NetworkGenerator(seed, activations, connections).run();
}

inline model::Network random_network(std::uint64_t seed,
                                     Activations activations = Activations::kSquare,
                                     Connections connections = Connections::kChain) {
  return model::normalize(random_graph(seed, activations, connections));
}

// Pixels of 0 to 255.
inline std::vector<double> random_image(const model::Shape& shape, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> pixels(shape.size());
  for (double& pixel : pixels) {
    pixel = static_cast<double>(random() >> 56);
  }
  return pixels;
}

}  // namespace ffconv::testing
