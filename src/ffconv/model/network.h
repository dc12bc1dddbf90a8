// The normalized network that the planner consumes: a chain of linear maps and squares, with
// shortcuts past some of them (residual connections).
//
// Tensors are flattened row-major (shape.h). Made from a Graph by normalize.h, which folds scaling,
// biases, padding, reshaping and the coefficients of degree-2 activations into the linear layers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ffconv/model/convolution.h"
#include "ffconv/model/shape.h"

namespace ffconv::model {

struct Convolution {
  ConvGeometry geometry;
  std::vector<double> weights;  // [C_out][C_in/groups][kernel rows][kernel columns]
};

struct Dense {
  std::vector<double> weights;  // [out.size()][in.size()]
};

struct Diagonal {
  std::vector<double> scale;  // [out.size()]; in.size() == out.size()
};

// Any matrix, row by row: entries first[o] .. first[o + 1] - 1 belong to output o.
struct Sparse {
  std::vector<std::size_t> first;  // [out.size() + 1]
  std::vector<std::uint32_t> columns;
  std::vector<double> weights;
};

// How a bound of the graph's tensor carries over to this layer's output y: |y| <= scale * |t| +
// shift if t is what the node `node` computes, known to users by its own name or by that of its
// output `tensor`. Both are empty for a layer that normalization added.
struct Origin {
  std::string node;
  std::string tensor;
  double scale = 1;
  double shift = 0;
};

// y = map(x) + bias.
struct Linear {
  std::string name;  // unique in the network
  Shape in, out;
  std::vector<double> bias;  // [out.size()]
  std::variant<Convolution, Dense, Diagonal, Sparse> map;
  Origin origin;

  // The convolution's weights and geometry; nullptr for any other layer.
  const Convolution* convolution() const { return std::get_if<Convolution>(&map); }
};

// y = x * x, element by element.
struct Square {};

using Layer = std::variant<Linear, Square>;

// Adds a linear map of an earlier tensor to the output of a linear layer, before what follows it.
struct Shortcut {
  std::size_t from = 0;  // the output of layer number from - 1; 0: the image
  std::size_t to = 0;    // number of a Linear, from <= to
  Linear map;            // its biases are zero
};

struct Network {
  std::string name;
  Shape input;
  std::vector<Layer> layers;  // starts and ends with Linear; never two squares in a row; the
                              // output of a layer has as many elements as the next one's input
  std::vector<Shortcut> shortcuts{};     // by `to`, ascending; several may end at one layer
  std::size_t classes = 0;               // elements of the last layer's output
  std::vector<std::string> class_names;  // [classes]
};

// The linear layers in their order.
std::vector<const Linear*> linear_layers(const Network& network);

// Those that end at layer number `to`.
std::span<const Shortcut> shortcuts_to(const Network& network, std::size_t to);

// The scores of one image. input.size() == network.input.size(), else kInvalidArgument.
std::vector<double> run_float(const Network& network, std::span<const double> input);

// Calls f(k, y) with the output y of every layer k in turn, for one image, sized as above.
void run_layers(const Network& network, std::span<const double> input,
                const std::function<void(std::size_t, const std::vector<double>&)>& f);

// map(x) + bias for the elements `x` of the layer's input.
std::vector<double> run_linear(const Linear& linear, std::span<const double> x);

// Calls f(out_index, in_index, weight) for every structurally non-zero entry of the linear map
// (weights that happen to be 0 included, padding not), outputs ascending.
template <typename F>
void for_each_weight(const Linear& linear, F&& f) {
  const std::size_t inputs = linear.in.size();
  const std::size_t outputs = linear.out.size();
  if (const auto* dense = std::get_if<Dense>(&linear.map)) {
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t i = 0; i < inputs; ++i) {
        f(o, i, dense->weights[o * inputs + i]);
      }
    }
  } else if (const auto* diagonal = std::get_if<Diagonal>(&linear.map)) {
    for (std::size_t i = 0; i < outputs; ++i) {
      f(i, i, diagonal->scale[i]);
    }
  } else if (const auto* sparse = std::get_if<Sparse>(&linear.map)) {
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t k = sparse->first[o]; k < sparse->first[o + 1]; ++k) {
        f(o, std::size_t{sparse->columns[k]}, sparse->weights[k]);
      }
    }
  } else {
    const Convolution& conv = *linear.convolution();
    for_each_tap(conv.geometry, conv.weights, linear.in, linear.out, f);
  }
}

}  // namespace ffconv::model
