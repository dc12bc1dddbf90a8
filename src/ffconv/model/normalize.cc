#include "ffconv/model/normalize.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"
#include "ffconv/model/linear.h"
#include "ffconv/model/polynomial.h"
#include "ffconv/model/problems.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

// A value of the graph: polynomial(source tensor), its elements in another order where Transpose
// has been, with zeros around it where Pad has been.
struct Symbol {
  std::size_t source = 0;  // layers made when the source was the last one's output; 0: the image
  Polynomial polynomial;   // coefficients in the source's order
  std::array<std::size_t, 4> pads{};  // top, left, bottom, right
  Shape shape;                        // without the pads
  std::vector<std::size_t> order;     // element i is the source's element order[i]; empty: i
};

// Coefficients of a value's elements, in the order of its source.
Coefficients in_source_order(Coefficients c, const std::vector<std::size_t>& order) {
  if (c.size() == 1 || order.empty()) {
    return c;
  }
  Coefficients result(c.size());
  for (std::size_t i = 0; i < c.size(); ++i) {
    result[order[i]] = c[i];
  }
  return result;
}

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

class Normalizer {
 public:
  explicit Normalizer(const Graph& graph) : graph_(graph), symbols_(graph.values.size()) {
    for (const Node& node : graph.nodes) {
      names_.insert(node.name);
    }
    for (const Value& value : graph.values) {
      constant_elements_ += value.data.size();
    }
  }

  Network run() {
    network_.name = graph_.name;
    network_.input = graph_.input_shape();
    symbols_[graph_.input] = Symbol{0, identity(), {}, network_.input, {}};
    for (const Node& node : graph_.nodes) {
      node_ = &node;
      const bool fits = problems_.gather([&] {
        symbols_[node.output] = std::visit([&](const auto& op) { return visit(op); }, node.op);
      });
      if (!fits) {
        symbols_[node.output] = stand_in();
      }
    }
    problems_.gather([&] { finish(); });
    problems_.throw_if_any();
    check_finite();
    return std::move(network_);
  }

 private:
  // What follows a node that does not fit is judged as if a layer of its own stood in for it.
  Symbol stand_in() {
    const Shape& shape = graph_.values[node_->output].shape;
    append(make_diagonal(node_->name, shape, {1.0}, {0.0}));
    return {network_.layers.size(), identity(), {}, shape, {}};
  }

  // Linear operators: a new layer, whose output is a new source.
  Symbol visit(const Conv&) {
    Linear linear = make_linear(graph_, *node_, symbol(0).pads);
    count_weights(linear);
    return add_linear(std::move(linear), symbol(0).pads);
  }
  Symbol visit(const Gemm&) { return add_dense(); }
  Symbol visit(const MatMul&) { return add_dense(); }

  Symbol add_dense() {
    Linear linear = make_linear(graph_, *node_, {});
    count_weights(linear);
    permute_columns(linear, symbol(0).order);
    return add_linear(std::move(linear), {});
  }

  Symbol visit(const AveragePool& pool) {
    Pooling pooling = make_pooling(graph_, *node_, pool, symbol(0).pads);
    Symbol result = add_linear(std::move(pooling.layer), symbol(0).pads);
    result.polynomial = result.polynomial * constant(std::move(pooling.scale));
    return result;
  }

  // Element-wise arithmetic.
  Symbol visit(const Add&) {
    return elementwise([](const Polynomial& p, const Polynomial& q) { return p + q; });
  }
  Symbol visit(const Sub&) {
    return elementwise(
        [](const Polynomial& p, const Polynomial& q) { return p + constant({-1.0}) * q; });
  }
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
    Affine affine = as_affine(graph_, *node_, normalization);
    result.polynomial =
        result.polynomial * constant(in_source_order(std::move(affine.scale), result.order)) +
        constant(in_source_order(std::move(affine.offset), result.order));
    return result;
  }

  // Another view of the same elements.
  Symbol visit(const Reshape&) {
    Symbol result = unpadded(0);
    result.shape = graph_.values[node_->output].shape;
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
    result.shape = graph_.values[node_->output].shape;
    return result;
  }

  Symbol visit(const Concat&) {
    reject("it joins several tensors; only chains of layers can be encrypted yet");
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

  // Appends the layer of the current node, which takes the padding of its input upon itself.
  Symbol add_linear(Linear linear, const std::array<std::size_t, 4>& pads) {
    const Symbol& input = symbol(0);
    if (input.pads != pads) {
      reject("its input is padded; only a Conv or AveragePool can follow Pad");
    }
    if (!input.order.empty() && linear.convolution() != nullptr) {
      reject(
          "its input is transposed; only a dense layer can follow a Transpose that is not undone");
    }
    const auto [scale, offset] = settle(input);
    if (!fold_before(linear, scale, offset)) {
      append(make_diagonal(unique_name(node_->name + "_scale"), linear.in, scale, offset));
    }
    append(std::move(linear));
    return {network_.layers.size(), identity(), {}, graph_.values[node_->output].shape, {}};
  }

  // Makes the input's source, or its square, the last layer's output, folding into the layer before
  // what goes there. Returns what is left for the next layer: input = scale * (that output) +
  // offset.
  Affine settle(const Symbol& input) {
    if (input.source != network_.layers.size()) {
      reject("a branch: the tensor that it reads has another reader too");
    }
    const std::vector<Coefficients>& terms = input.polynomial.terms;
    switch (input.polynomial.degree()) {
      case 0:
        reject("its input does not depend on the image");
      case 1:
        if (fold_into_last(terms[1], terms[0])) {
          return {{1.0}, {0.0}};
        }
        return {terms[1], terms[0]};
      default:
        return complete_square(input);
    }
  }

  // a x^2 + b x + c = a (x + b/(2a))^2 + c - b^2/(4a).
  Affine complete_square(const Symbol& input) {
    const std::vector<Coefficients>& terms = input.polynomial.terms;
    const Coefficients& a = terms[2];
    if (std::find(a.begin(), a.end(), 0.0) != a.end()) {
      reject(
          "a quadratic activation whose leading coefficient is zero in some elements; make it "
          "non-zero everywhere");
    }
    const Coefficients shift =
        combine(terms[1], a, [](double b, double lead) { return b / (2 * lead); });
    if (!fold_into_last({1.0}, shift)) {
      append(make_diagonal(unique_name(node_->name + "_affine"), network_.input, {1.0}, shift));
    }
    network_.layers.push_back(Square{});
    const Coefficients low =
        combine(combine(shift, shift, std::multiplies<>()), a, std::multiplies<>());
    return {a, combine(terms[0], low, std::minus<>())};
  }

  // The last output becomes scale * output + offset in its layer. False, and nothing is changed, if
  // there is no layer yet or it cannot take the scale.
  bool fold_into_last(const Coefficients& scale, const Coefficients& offset) {
    return !network_.layers.empty() &&
           fold_after(std::get<Linear>(network_.layers.back()), scale, offset);
  }

  template <typename Function>
  Symbol elementwise(const Function& f) {
    const std::size_t image_input = graph_.values[node_->inputs[0]].is_constant ? 1 : 0;
    Symbol result = unpadded(image_input);
    result.polynomial = f(operand(0, result), operand(1, result));
    return result;
  }

  // An input of an element-wise operator as a polynomial in the source of `result`.
  Polynomial operand(std::size_t input, const Symbol& result) const {
    const Value& value = graph_.values[node_->inputs[input]];
    if (value.is_constant) {
      return constant(
          in_source_order(broadcast(value, graph_.values[node_->output].shape), result.order));
    }
    const Symbol& operand = unpadded(input);
    if (operand.source != result.source || operand.order != result.order) {
      reject(
          "it joins two different tensors (a residual connection, or a product of two); only "
          "chains of layers are supported");
    }
    return operand.polynomial;
  }

  Polynomial product(const Polynomial& p, const Polynomial& q) const {
    if (p.degree() + q.degree() > 2) {
      reject("a polynomial of degree above 2; put a linear layer between two squares");
    }
    return p * q;
  }

  const Symbol& symbol(std::size_t input) const {
    FFCONV_ASSERT(symbols_[node_->inputs[input]].has_value());
    return *symbols_[node_->inputs[input]];
  }

  const Symbol& unpadded(std::size_t input) const {
    if (symbol(input).pads != std::array<std::size_t, 4>{}) {
      reject("its input is padded; only a Conv or AveragePool can follow Pad");
    }
    return symbol(input);
  }

  void append(Linear linear) { network_.layers.push_back(std::move(linear)); }

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

  std::string unique_name(std::string name) {
    while (!names_.insert(name).second) {
      name += '_';
    }
    return name;
  }

  void finish() {
    const Symbol& output = *symbols_[graph_.output];
    static const Node kOutput{"output", Reshape{}, {}, 0};
    node_ = graph_.nodes.empty() ? &kOutput : &graph_.nodes.back();
    if (output.pads != std::array<std::size_t, 4>{}) {
      reject("the output is padded");
    }
    if (!output.order.empty()) {
      reject("the output is transposed; leave the Transpose at the end out");
    }
    const auto [scale, offset] = settle(output);
    const bool is_identity = scale == Coefficients{1.0} && offset == Coefficients{0.0};
    if (!is_identity || network_.layers.empty() ||
        std::holds_alternative<Square>(network_.layers.back())) {
      append(make_diagonal(unique_name(node_->name + "_output"), output.shape, scale, offset));
    }
    network_.classes = output.shape.size();
    read_class_names();
  }

  void read_class_names() {
    const auto entry = graph_.metadata.find(kClassNamesKey);
    if (entry == graph_.metadata.end()) {
      for (std::size_t k = 0; k < network_.classes; ++k) {
        network_.class_names.push_back(std::to_string(k));
      }
      return;
    }
    const auto json = nlohmann::json::parse(entry->second, nullptr, false);
    const bool is_list =
        json.is_array() && json.size() == network_.classes &&
        std::all_of(json.begin(), json.end(), [](const auto& name) { return name.is_string(); });
    if (!is_list) {
      fail(ErrorCode::kFormat, "metadata {}: expected a JSON list of {} names", kClassNamesKey,
           network_.classes);
    }
    network_.class_names = json.get<std::vector<std::string>>();
  }

  void check_finite() const {
    const auto check = [](const Linear& linear, const std::vector<double>& values) {
      if (!std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); })) {
        fail(ErrorCode::kUnsupported,
             "layer {}: its weights overflow when folded with their neighbours",
             quote(linear.name));
      }
    };
    for (const Layer& layer : network_.layers) {
      if (const auto* linear = std::get_if<Linear>(&layer)) {
        check(*linear, linear->bias);
        if (const Convolution* conv = linear->convolution()) {
          check(*linear, conv->weights);
        } else if (const auto* dense = std::get_if<Dense>(&linear->map)) {
          check(*linear, dense->weights);
        } else {
          check(*linear, std::get<Diagonal>(linear->map).scale);
        }
      }
    }
  }

  [[noreturn]] void reject(std::string_view problem) const {
    fail(ErrorCode::kUnsupported, "node {}: {}", quote(node_->name), problem);
  }

  const Graph& graph_;
  Network network_;
  const Node* node_ = nullptr;  // being visited
  std::vector<std::optional<Symbol>> symbols_;
  std::set<std::string> names_;
  Problems problems_;
  std::size_t constant_elements_ = 0;
  std::size_t weight_elements_ = 0;
};

}  // namespace

Network normalize(const Graph& graph) {
  return Normalizer(graph).run();
}

}  // namespace ffconv::model
