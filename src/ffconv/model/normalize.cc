#include "ffconv/model/normalize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ffconv/base/error.h"
#include "ffconv/model/linear.h"
#include "ffconv/model/network_builder.h"
#include "ffconv/model/polynomial.h"
#include "ffconv/model/problems.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

// Makes a dense layer read its source's elements in their own order.
void permute_columns(Linear& linear, const std::vector<std::size_t>& order) {
  auto& weights = std::get<Dense>(linear.map).weights;
  const std::size_t columns = linear.in.size();
  for (std::size_t first = 0; first < weights.size(); first += columns) {
    const auto row = weights.begin() + static_cast<std::ptrdiff_t>(first);
    const Coefficients ordered =
        in_source_order({row, row + static_cast<std::ptrdiff_t>(columns)}, order);
    std::copy(ordered.begin(), ordered.end(), row);
  }
}

void check_finite(const Network& network) {
  const auto check = [](const Linear& linear, const std::vector<double>& values) {
    if (!std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); })) {
      fail(ErrorCode::kUnsupported,
           "layer {}: its weights overflow when folded with their neighbours", quote(linear.name));
    }
  };
  const auto check_layer = [&](const Linear& linear) {
    check(linear, linear.bias);
    if (const Convolution* conv = linear.convolution()) {
      check(linear, conv->weights);
    } else if (const auto* dense = std::get_if<Dense>(&linear.map)) {
      check(linear, dense->weights);
    } else {
      check(linear, std::get<Diagonal>(linear.map).scale);
    }
  };
  std::ranges::for_each(linear_layers(network),
                        [&](const Linear* linear) { check_layer(*linear); });
  std::ranges::for_each(network.shortcuts, check_layer, &Shortcut::map);
}

// One for each class: the metadata's, or numbers.
std::vector<std::string> read_class_names(const Graph& graph, std::size_t classes) {
  const auto entry = graph.metadata.find(kClassNamesKey);
  if (entry == graph.metadata.end()) {
    std::vector<std::string> numbers;
    for (std::size_t k = 0; k < classes; ++k) {
      numbers.push_back(std::to_string(k));
    }
    return numbers;
  }
  const auto json = nlohmann::json::parse(entry->second, nullptr, false);
  const bool is_list =
      json.is_array() && json.size() == classes &&
      std::all_of(json.begin(), json.end(), [](const auto& name) { return name.is_string(); });
  if (!is_list) {
    fail(ErrorCode::kFormat, "metadata {}: expected a JSON list of {} names", kClassNamesKey,
         classes);
  }
  return json.get<std::vector<std::string>>();
}

class Normalizer {
 public:
  explicit Normalizer(const Graph& graph) : graph_(graph), builder_(graph) {
    for (const Value& value : graph.values) {
      constant_elements_ += value.data.size();
    }
  }

  Network run() {
    for (const Node& node : graph_.nodes) {
      builder_.begin(node);
      std::optional<Symbol> symbol;
      problems_.gather(
          [&] { symbol = std::visit([&](const auto& op) { return visit(op); }, node.op); });
      if (!symbol) {
        builder_.give_up();
        symbol = stand_in();
      }
      builder_.set(node.output, *std::move(symbol));
    }
    problems_.gather([&] { finish(); });
    problems_.throw_if_any();
    check_finite(builder_.network());
    return std::move(builder_.network());
  }

 private:
  const Node& node() const { return builder_.node(); }
  const Shape& output_shape() const { return graph_.values[node().output].shape; }
  [[noreturn]] void reject(std::string_view problem) const { builder_.reject(problem); }

  // What follows a node that does not fit is judged as if a layer of its own stood in for it.
  Symbol stand_in() {
    return builder_.add_source({{builder_.network().layers.size(),
                                 make_diagonal(node().name, output_shape(), {1.0}, {0.0})}},
                               output_shape());
  }

  // Linear operators: a new layer, whose output is a new source.
  Symbol visit(const Conv&) {
    Linear linear = make_linear(graph_, node(), symbol(0).pads);
    count_weights(linear);
    return add_linear(std::move(linear), symbol(0).pads);
  }
  Symbol visit(const Gemm&) { return add_dense(); }
  Symbol visit(const MatMul&) { return add_dense(); }

  Symbol add_dense() {
    Linear linear = make_linear(graph_, node(), {});
    count_weights(linear);
    permute_columns(linear, symbol(0).order);
    return add_linear(std::move(linear), {});
  }

  Symbol visit(const AveragePool& pool) {
    Pooling pooling = make_pooling(graph_, node(), pool, symbol(0).pads);
    Symbol result = add_linear(std::move(pooling.layer), symbol(0).pads);
    result.polynomial = result.polynomial * constant(std::move(pooling.scale));
    return result;
  }

  // Element-wise arithmetic.
  Symbol visit(const Add&) { return sum(1.0); }
  Symbol visit(const Sub&) { return sum(-1.0); }
  Symbol visit(const Mul&) {
    return elementwise([&](const Polynomial& p, const Polynomial& q) { return product(p, q); });
  }
  Symbol visit(const Pow& pow) {
    Symbol result = unpadded(0);
    const Polynomial base = result.polynomial;
    for (int k = 1; k < pow.exponent; ++k) {
      result.polynomial = product(result.polynomial, base);
    }
    return result;
  }

  Symbol visit(const BatchNormalization& normalization) {
    Symbol result = unpadded(0);
    Affine affine = as_affine(graph_, node(), normalization);
    result.polynomial =
        result.polynomial * constant(in_source_order(std::move(affine.scale), result.order)) +
        constant(in_source_order(std::move(affine.offset), result.order));
    return result;
  }

  // Another view of the same elements.
  Symbol visit(const Reshape&) {
    Symbol result = unpadded(0);
    result.shape = output_shape();
    return result;
  }

  Symbol visit(const Transpose& transpose) {
    Symbol result = unpadded(0);
    std::vector<std::size_t> order = transposed_order(result.shape, transpose.permutation);
    bool is_identity = true;
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = result.order.empty() ? order[i] : result.order[order[i]];
      is_identity = is_identity && order[i] == i;
    }
    result.order = is_identity ? std::vector<std::size_t>{} : std::move(order);
    result.shape = output_shape();
    return result;
  }

  Symbol visit(const Concat&) {
    reject("it joins several tensors; only chains of layers, with sums, can be encrypted yet");
  }

  Symbol visit(const Pad& pad) {
    Symbol result = symbol(0);
    if (std::all_of(pad.before.begin(), pad.before.end(), [](auto n) { return n == 0; }) &&
        std::all_of(pad.after.begin(), pad.after.end(), [](auto n) { return n == 0; })) {
      return result;
    }
    if (result.shape.rank() != 3 || !result.order.empty() || pad.before[0] != 0 ||
        pad.after[0] != 0) {
      reject("only rows and columns can be padded, channels first");
    }
    for (std::size_t axis = 0; axis < 2; ++axis) {
      result.pads[axis] += pad.before[1 + axis];
      result.pads[2 + axis] += pad.after[1 + axis];
    }
    return result;
  }

  // A new source: the layer of the current node, which takes the padding of its input upon itself.
  Symbol add_linear(Linear linear, const std::array<std::size_t, 4>& pads) {
    const Symbol& input = symbol(0);
    if (input.pads != pads) {
      reject("its input is padded; only a Conv or AveragePool can follow Pad");
    }
    if (!input.order.empty() && linear.convolution() != nullptr) {
      reject(
          "its input is transposed; only a dense layer can follow a Transpose that is not undone");
    }
    Reading reading = builder_.read(input);
    if (!fold_before(linear, reading.scale, reading.offset)) {
      reading = builder_.append(reading, linear.in, "_scale");
    }
    return builder_.add_source({{reading.tensor, std::move(linear)}}, output_shape());
  }

  template <typename Function>
  Symbol elementwise(const Function& f) {
    const std::size_t image_input = graph_.values[node().inputs[0]].is_constant ? 1 : 0;
    Symbol result = unpadded(image_input);
    result.polynomial = f(operand(0, result), operand(1, result));
    return result;
  }

  // The first input + sign * the second.
  Symbol sum(double sign) {
    const auto is_constant = [&](std::size_t input) {
      return graph_.values[node().inputs[input]].is_constant;
    };
    if (is_constant(0) || is_constant(1) || symbol(0).source == symbol(1).source) {
      return elementwise(
          [&](const Polynomial& p, const Polynomial& q) { return p + constant({sign}) * q; });
    }
    Symbol first = unpadded(0), second = unpadded(1);
    if (first.order != second.order) {
      reject("it adds tensors of different Transposes; undo them before");
    }
    second.polynomial = second.polynomial * constant({sign});
    // Linear maps that nothing else reads are joined, all others read.
    std::vector<Term> terms;
    for (const Symbol* value : {&first, &second}) {
      if (!builder_.join(*value, terms)) {
        const Reading reading = builder_.read(*value);
        terms.push_back(
            {reading.tensor, make_diagonal(builder_.unique_name(node().name + "_shortcut"),
                                           value->shape, reading.scale, reading.offset)});
      }
    }
    Symbol result = builder_.add_source(std::move(terms), output_shape());
    result.order = first.order;
    return result;
  }

  // An input of an element-wise operator as a polynomial in the source of `result`.
  Polynomial operand(std::size_t input, const Symbol& result) const {
    const Value& value = graph_.values[node().inputs[input]];
    if (value.is_constant) {
      return constant(in_source_order(broadcast(value, output_shape()), result.order));
    }
    const Symbol& operand = unpadded(input);
    if (operand.source != result.source || operand.order != result.order) {
      reject(
          "it multiplies two different tensors, or joins a tensor with its own Transpose; neither "
          "can be encrypted yet");
    }
    return operand.polynomial;
  }

  Polynomial product(const Polynomial& p, const Polynomial& q) const {
    if (p.degree() + q.degree() > 2) {
      reject("a polynomial of degree above 2; put a linear layer between two squares");
    }
    return p * q;
  }

  const Symbol& symbol(std::size_t input) const { return builder_.symbol(node().inputs[input]); }

  const Symbol& unpadded(std::size_t input) const {
    if (symbol(input).pads != std::array<std::size_t, 4>{}) {
      reject("its input is padded; only a Conv or AveragePool can follow Pad");
    }
    return symbol(input);
  }

  // Several nodes may share one constant; their layers each hold a copy of it.
  void count_weights(const Linear& linear) {
    constexpr std::size_t kMaxCopies = 16;
    const auto* dense = std::get_if<Dense>(&linear.map);
    weight_elements_ +=
        dense != nullptr ? dense->weights.size() : linear.convolution()->weights.size();
    if (weight_elements_ > kMaxCopies * constant_elements_) {
      reject("too many layers share the same weights");
    }
  }

  void finish() {
    const Symbol& output = builder_.symbol(graph_.output);
    static const Node kOutput{"output", Reshape{}, {}, 0};
    if (graph_.nodes.empty()) {
      builder_.begin(kOutput);
    }
    builder_.release(graph_.output);
    if (output.pads != std::array<std::size_t, 4>{}) {
      reject("the output is padded");
    }
    if (!output.order.empty()) {
      reject("the output is transposed; leave the Transpose at the end out");
    }
    const Reading reading = builder_.read(output);
    Network& network = builder_.network();
    const bool is_identity =
        reading.scale == Coefficients{1.0} && reading.offset == Coefficients{0.0};
    if (!is_identity || network.layers.empty() ||
        std::holds_alternative<Square>(network.layers.back())) {
      builder_.append(reading, output.shape, "_output");
    } else {
      builder_.require_last(reading.tensor);
    }
    network.classes = output.shape.size();
    network.class_names = read_class_names(graph_, network.classes);
  }

  const Graph& graph_;
  NetworkBuilder builder_;
  Problems problems_;
  std::size_t constant_elements_ = 0;
  std::size_t weight_elements_ = 0;
};

}  // namespace

Network normalize(const Graph& graph) {
  return Normalizer(graph).run();
}

}  // namespace ffconv::model
