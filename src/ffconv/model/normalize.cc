#include "ffconv/model/normalize.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"
#include "ffconv/model/linear.h"
#include "ffconv/model/polynomial.h"
#include "ffconv/model/problems.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

// A value of the graph: polynomial(source), its elements in another order where Transpose has been,
// with zeros around it where Pad has been.
struct Symbol {
  std::size_t source = 0;             // index into Normalizer::sources_
  Polynomial polynomial;              // coefficients in the source's order
  std::array<std::size_t, 4> pads{};  // top, left, bottom, right
  Shape shape;                        // without the pads
  std::vector<std::size_t> order;     // element i is the source's element order[i]; empty: i
};

// A linear map of tensor number `from` (Shortcut::from).
struct Term {
  std::size_t from;
  Linear map;
};

// What polynomials are in: the image, or a sum of linear maps that becomes a layer of the network
// when it is first read by more than element-wise arithmetic.
struct Source {
  std::vector<Term> terms{};            // until then
  std::optional<std::size_t> tensor{};  // its number from then on
  std::optional<std::size_t> square{};  // the number of its square, where that is a layer
  std::vector<ValueId> values{};        // whose symbols are polynomials in it
  std::size_t readers = 0;              // of these values, that are still to come
};

// A value is scale * tensor + offset.
struct Reading {
  std::size_t tensor;
  Coefficients scale, offset;
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
  explicit Normalizer(const Graph& graph)
      : graph_(graph), symbols_(graph.values.size()), readers_(graph.values.size()) {
    for (const Node& node : graph.nodes) {
      names_.insert(node.name);
      for (const ValueId input : node.inputs) {
        ++readers_[input];
      }
    }
    ++readers_[graph.output];
    for (const Value& value : graph.values) {
      constant_elements_ += value.data.size();
    }
  }

  Network run() {
    network_.name = graph_.name;
    network_.input = graph_.input_shape();
    sources_.push_back({.tensor = 0});
    set(graph_.input, {0, identity(), {}, network_.input, {}});
    for (const Node& node : graph_.nodes) {
      node_ = &node;
      for (const ValueId input : node.inputs) {
        --readers_[input];
        if (symbols_[input]) {
          --sources_[symbols_[input]->source].readers;
        }
      }
      std::optional<Symbol> symbol;
      problems_.gather(
          [&] { symbol = std::visit([&](const auto& op) { return visit(op); }, node.op); });
      fits_ = fits_ && symbol.has_value();
      set(node.output, symbol ? *std::move(symbol) : stand_in());
    }
    problems_.gather([&] { finish(); });
    problems_.throw_if_any();
    check_finite();
    return std::move(network_);
  }

 private:
  void set(ValueId value, Symbol symbol) {
    sources_[symbol.source].values.push_back(value);
    sources_[symbol.source].readers += readers_[value];
    symbols_[value] = std::move(symbol);
  }

  // What follows a node that does not fit is judged as if a layer of its own stood in for it.
  Symbol stand_in() {
    const Shape& shape = graph_.values[node_->output].shape;
    return add_source({{network_.layers.size(), make_diagonal(node_->name, shape, {1.0}, {0.0})}});
  }

  Symbol add_source(std::vector<Term> terms) {
    constexpr std::size_t kMaxTerms = 16;
    if (terms.size() > kMaxTerms) {
      reject(fmt::format("a sum of more than {} linear layers", kMaxTerms));
    }
    sources_.push_back({.terms = std::move(terms)});
    return {sources_.size() - 1, identity(), {}, graph_.values[node_->output].shape, {}};
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
    Reading reading = read(input);
    if (!fold_before(linear, reading.scale, reading.offset)) {
      reading = append(reading, linear.in, "_scale");
    }
    return add_source({{reading.tensor, std::move(linear)}});
  }

  // Makes the value's source or its square a tensor, unless it is one, folding into the layer what
  // goes there.
  Reading read(const Symbol& value) {
    Source& source = sources_[value.source];
    const std::vector<Coefficients>& terms = value.polynomial.terms;
    switch (value.polynomial.degree()) {
      case 0:
        reject("its input does not depend on the image");
      case 1:
        if (!source.tensor) {
          const bool folded = source.readers == 0 && fold_after(source, terms[1], terms[0]);
          place(source);
          if (folded) {
            return {*source.tensor, {1.0}, {0.0}};
          }
        }
        return {*source.tensor, terms[1], terms[0]};
      default:
        return source.square ? read_square(source, value) : complete_square(source, value);
    }
  }

  // a x^2 + b x + c = a (x + b/(2a))^2 + c - b^2/(4a).
  Reading complete_square(Source& source, const Symbol& value) {
    const std::vector<Coefficients> terms = value.polynomial.terms;
    const Coefficients& a = terms[2];
    if (std::ranges::find(a, 0.0) != a.end()) {
      reject(
          "a quadratic activation whose leading coefficient is zero in some elements; make it "
          "non-zero everywhere");
    }
    const Coefficients shift =
        combine(terms[1], a, [](double b, double lead) { return b / (2 * lead); });
    if (!source.tensor) {
      fold_after(source, {1.0}, shift);
      place(source);
      substitute(source, shift);
    } else {
      require_last(*source.tensor);
      if (max_abs(shift) != 0 || network_.layers.empty()) {
        source.tensor = append({*source.tensor, {1.0}, shift}, last_shape(), "_affine").tensor;
        substitute(source, shift);
      }
    }
    source.square = *source.tensor + 1;
    network_.layers.push_back(Square{});
    const Coefficients low =
        combine(combine(shift, shift, std::multiplies<>()), a, std::multiplies<>());
    return {*source.square, a, combine(terms[0], low, std::minus<>())};
  }

  // The source's square is a tensor: what is left of the value must be linear in that.
  Reading read_square(const Source& source, const Symbol& value) const {
    constexpr double kNothing = 1e-9;  // of the quadratic part: rounding errors
    const std::vector<Coefficients>& terms = value.polynomial.terms;
    if (max_abs(terms[1]) > kNothing * max_abs(terms[2])) {
      reject("two different squares of one tensor; use one activation for all of its readers");
    }
    return {*source.square, terms[2], terms[0]};
  }

  // The source has become source + shift.
  void substitute(const Source& source, const Coefficients& shift) {
    const Polynomial old = identity() + constant(combine(shift, {-1.0}, std::multiplies<>()));
    for (const ValueId value : source.values) {
      if (readers_[value] > 0) {
        const std::vector<Coefficients> terms = symbols_[value]->polynomial.terms;
        Polynomial& polynomial = symbols_[value]->polynomial = constant(terms.back());
        for (std::size_t k = terms.size() - 1; k-- > 0;) {
          polynomial = polynomial * old + constant(terms[k]);
        }
      }
    }
  }

  // The sum of the source's maps -> scale * sum + offset. False, and nothing is changed, if one of
  // them cannot take the scale.
  static bool fold_after(Source& source, const Coefficients& scale, const Coefficients& offset) {
    if (source.terms.size() == 1) {
      return model::fold_after(source.terms.front().map, scale, offset);
    }
    std::vector<Term> terms = source.terms;
    for (std::size_t t = 0; t < terms.size(); ++t) {
      if (!model::fold_after(terms[t].map, scale, t == 0 ? offset : Coefficients{0.0})) {
        return false;
      }
    }
    source.terms = std::move(terms);
    return true;
  }

  // Makes the source the next layer's output: its map of the last tensor the layer, all others
  // shortcuts.
  void place(Source& source) {
    const std::size_t last = network_.layers.size();
    auto main = std::ranges::find(source.terms, last, &Term::from);
    if (main == source.terms.end()) {
      require_last(source.terms.front().from);
      main = source.terms.begin();
    }
    std::iter_swap(source.terms.begin(), main);
    Linear layer = std::move(source.terms.front().map);
    for (std::size_t t = 1; t < source.terms.size(); ++t) {
      Term& term = source.terms[t];
      layer.bias = combine(layer.bias, term.map.bias, std::plus<>());
      if (term.map.origin.node.empty()) {  // else the bias is part of the bounds known of the map
        layer.origin.shift += max_abs(term.map.bias);
      }
      term.map.bias.assign(term.map.bias.size(), 0.0);
      network_.shortcuts.push_back({term.from, last, std::move(term.map)});
    }
    source.terms.clear();
    network_.layers.push_back(std::move(layer));
    source.tensor = network_.layers.size();
  }

  const Shape& last_shape() const {
    const auto linears = linear_layers(network_);
    return linears.empty() ? network_.input : linears.back()->out;
  }

  void require_last(std::size_t tensor) const {
    if (fits_ && tensor != network_.layers.size()) {
      reject(
          "branches beside each other, of more than one linear layer each; only residual "
          "connections and sums of two linear layers can be encrypted");
    }
  }

  // A layer of its own for the reading's scale and offset.
  Reading append(const Reading& reading, const Shape& shape, const char* suffix) {
    require_last(reading.tensor);
    network_.layers.push_back(
        make_diagonal(unique_name(node_->name + suffix), shape, reading.scale, reading.offset));
    return {network_.layers.size(), {1.0}, {0.0}};
  }

  template <typename Function>
  Symbol elementwise(const Function& f) {
    const std::size_t image_input = graph_.values[node_->inputs[0]].is_constant ? 1 : 0;
    Symbol result = unpadded(image_input);
    result.polynomial = f(operand(0, result), operand(1, result));
    return result;
  }

  // The first input + sign * the second.
  Symbol sum(double sign) {
    const auto is_constant = [&](std::size_t input) {
      return graph_.values[node_->inputs[input]].is_constant;
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
      if (!join(*value, terms)) {
        const Reading reading = read(*value);
        terms.push_back(
            {reading.tensor, make_diagonal(unique_name(node_->name + "_shortcut"), value->shape,
                                           reading.scale, reading.offset)});
      }
    }
    Symbol result = add_source(std::move(terms));
    result.order = first.order;
    return result;
  }

  bool join(const Symbol& value, std::vector<Term>& terms) {
    Source& source = sources_[value.source];
    const std::vector<Coefficients>& coefficients = value.polynomial.terms;
    if (source.tensor || value.polynomial.degree() != 1 || source.readers > 0 ||
        !fold_after(source, coefficients[1], coefficients[0])) {
      return false;
    }
    std::ranges::move(source.terms, std::back_inserter(terms));
    source.terms.clear();
    return true;
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
    --sources_[output.source].readers;
    static const Node kOutput{"output", Reshape{}, {}, 0};
    node_ = graph_.nodes.empty() ? &kOutput : &graph_.nodes.back();
    if (output.pads != std::array<std::size_t, 4>{}) {
      reject("the output is padded");
    }
    if (!output.order.empty()) {
      reject("the output is transposed; leave the Transpose at the end out");
    }
    const Reading reading = read(output);
    const bool is_identity =
        reading.scale == Coefficients{1.0} && reading.offset == Coefficients{0.0};
    if (!is_identity || network_.layers.empty() ||
        std::holds_alternative<Square>(network_.layers.back())) {
      append(reading, output.shape, "_output");
    } else {
      require_last(reading.tensor);
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
    std::ranges::for_each(linear_layers(network_),
                          [&](const Linear* linear) { check_layer(*linear); });
    std::ranges::for_each(network_.shortcuts, check_layer, &Shortcut::map);
  }

  [[noreturn]] void reject(std::string_view problem) const {
    fail(ErrorCode::kUnsupported, "node {}: {}", quote(node_->name), problem);
  }

  const Graph& graph_;
  Network network_;
  const Node* node_ = nullptr;  // being visited
  bool fits_ = true;            // so far
  std::vector<Source> sources_;
  std::vector<std::optional<Symbol>> symbols_;
  std::vector<std::size_t> readers_;  // of each value that are still to come
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
