// A network as imported: nodes in execution order over numbered values.
//
// Activations carry no batch axis (one image). Constants keep the shape they have in the file, as
// broadcasting and the operators' layouts are defined on it. The importer guarantees what the
// comments below say; code that builds graphs itself must keep to it.
//
// The image comes channels first. For a file that takes it as rows, columns, channels (Keras), or
// as rows, columns, the graph begins with the Transpose or Reshape to that.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "ffconv/model/convolution.h"
#include "ffconv/model/shape.h"

namespace ffconv::model {

// All activations of a graph together. 64 channels of 224 x 224 are a fifth of it; networks beyond
// it are out of reach of encrypted inference, and memory for hostile files stays bounded.
inline constexpr std::size_t kMaxActivationElements = std::size_t{1} << 24;

using ValueId = std::size_t;  // index into Graph::values

struct Value {
  std::string name;
  Shape shape;
  bool is_constant = false;
  std::vector<double> data;  // of a constant: shape.size() finite elements
};

// Operators. "Activation" is a value that depends on the image. Inputs are listed as in
// Node::inputs.
struct Conv {
  ConvGeometry geometry;
};  // activation {C, H, W}; constant weights [C_out, C_in/groups, kh, kw]; optional constant bias
    // [C_out]
struct Gemm {
  double alpha = 1;
  double beta = 1;
  bool transpose_b = false;
};  // activation {F}; constant B [F, O], or [O, F] if transposed; optional constant C, broadcast to
    // {O}
struct MatMul {};  // activation {F}; constant [F, O]
// Element by element. Two activations of equal shape, or one and a constant that broadcasts to it.
struct Add {};
struct Sub {};
struct Mul {};
struct Pow {
  int exponent = 1;  // >= 1
};                   // activation
struct Reshape {};   // activation; the output's shape is the new one (Flatten as well)
struct Transpose {
  std::vector<std::size_t> permutation;  // output axis k is the activation's axis permutation[k]
};                                       // activation
struct Pad {
  std::vector<std::size_t> before, after;  // zeros along each axis of the activation
};                                         // activation
struct Concat {
  std::size_t axis = 0;  // of the activations
};                       // one or more activations, equal in all other axes
// The mean over each window, of each channel by itself: geometry.groups is the channels.
struct AveragePool {
  ConvGeometry geometry;
  bool count_padding = true;  // whether zeros around the image count as elements of a window. If
                              // not, every window has an element of the image
};                            // activation {C, H, W}
// (x - mean) / sqrt(variance + epsilon) * scale + bias.
struct BatchNormalization {
  double epsilon = 1e-5;
};  // activation {C, H, W} or {C}; constants scale, bias, mean, variance of C elements each;
    // variance + epsilon > 0

using Operator = std::variant<Conv, Gemm, MatMul, Add, Sub, Mul, Pow, Reshape, Transpose, Pad,
                              Concat, AveragePool, BatchNormalization>;

struct Node {
  std::string name;  // unique; the name of the output where the file gives the node none
  Operator op;
  std::vector<ValueId> inputs;
  ValueId output = 0;  // one activation a node; no value is the output of two
};

// Gemm or MatMul.
bool is_dense(const Node& node);
// Conv, Gemm or MatMul: what multiplies its first input by weights, its second.
bool is_linear(const Node& node);

struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node>
      nodes;           // every node's inputs come before it, and every node leads to the output
  ValueId input = 0;   // {C, H, W} or {F}
  ValueId output = 0;  // the class scores, before a final (Log)Softmax if the file has one
  std::map<std::string, std::string> metadata;

  const Shape& input_shape() const { return values[input].shape; }
  std::size_t classes() const { return values[output].shape.size(); }
};

// Whether a constant of that shape broadcasts to exactly the activation shape `to` by ONNX's rules:
// aligned at the last axis; a batch axis, if it has one, is 1.
bool broadcasts_to(const Shape& constant, const Shape& to);

// The constant's elements for an activation of shape `to`, to which it must broadcast: to.size()
// elements, or one element that stands for all.
std::vector<double> broadcast(const Value& constant, const Shape& to);

}  // namespace ffconv::model
