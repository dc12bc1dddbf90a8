#include "ffconv/model/network_builder.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"
#include "ffconv/model/linear.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

// The sum of maps -> scale * sum + offset. False, and nothing is changed, if one of
// them cannot take the scale.
bool fold_after(std::vector<Term>& sum, const Coefficients& scale, const Coefficients& offset) {
  if (sum.size() == 1) {
    return fold_after(sum.front().map, scale, offset);
  }
  std::vector<Term> terms = sum;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    if (!fold_after(terms[t].map, scale, t == 0 ? offset : Coefficients{0.0})) {
      return false;
    }
  }
  sum = std::move(terms);
  return true;
}

}  // namespace

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

NetworkBuilder::NetworkBuilder(const Graph& graph)
    : symbols_(graph.values.size()), readers_(graph.values.size()) {
  for (const Node& node : graph.nodes) {
    names_.insert(node.name);
    for (const ValueId input : node.inputs) {
      ++readers_[input];
    }
  }
  ++readers_[graph.output];
  network_.name = graph.name;
  network_.input = graph.input_shape();
  sources_.push_back({.tensor = 0});
  set(graph.input, {0, identity(), {}, network_.input, {}});
}

void NetworkBuilder::begin(const Node& node) {
  node_ = &node;
  for (const ValueId input : node.inputs) {
    --readers_[input];
    if (symbols_[input]) {
      --sources_[symbols_[input]->source].readers;
    }
  }
}

void NetworkBuilder::set(ValueId value, Symbol symbol) {
  sources_[symbol.source].values.push_back(value);
  sources_[symbol.source].readers += readers_[value];
  symbols_[value] = std::move(symbol);
}

const Symbol& NetworkBuilder::symbol(ValueId value) const {
  FFCONV_ASSERT(symbols_[value].has_value());
  return *symbols_[value];
}

Symbol NetworkBuilder::add_source(std::vector<Term> terms, const Shape& shape) {
  constexpr std::size_t kMaxTerms = 16;
  if (terms.size() > kMaxTerms) {
    reject(fmt::format("a sum of more than {} linear layers", kMaxTerms));
  }
  sources_.push_back({.terms = std::move(terms)});
  return {sources_.size() - 1, identity(), {}, shape, {}};
}

bool NetworkBuilder::join(const Symbol& value, std::vector<Term>& terms) {
  Source& source = sources_[value.source];
  const std::vector<Coefficients>& coefficients = value.polynomial.terms;
  if (source.tensor || value.polynomial.degree() != 1 || source.readers > 0 ||
      !fold_after(source.terms, coefficients[1], coefficients[0])) {
    return false;
  }
  std::ranges::move(source.terms, std::back_inserter(terms));
  source.terms.clear();
  return true;
}

Reading NetworkBuilder::read(const Symbol& value) {
  Source& source = sources_[value.source];
  const std::vector<Coefficients>& terms = value.polynomial.terms;
  switch (value.polynomial.degree()) {
    case 0:
      reject("its input does not depend on the image");
    case 1:
      if (!source.tensor) {
        const bool folded = source.readers == 0 && fold_after(source.terms, terms[1], terms[0]);
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
Reading NetworkBuilder::complete_square(Source& source, const Symbol& value) {
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
    fold_after(source.terms, {1.0}, shift);
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
Reading NetworkBuilder::read_square(const Source& source, const Symbol& value) const {
  constexpr double kNothing = 1e-9;  // of the quadratic part: rounding errors
  const std::vector<Coefficients>& terms = value.polynomial.terms;
  if (max_abs(terms[1]) > kNothing * max_abs(terms[2])) {
    reject("two different squares of one tensor; use one activation for all of its readers");
  }
  return {*source.square, terms[2], terms[0]};
}

// The source has become source + shift.
void NetworkBuilder::substitute(const Source& source, const Coefficients& shift) {
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

// Makes the source the next layer's output: its map of the last tensor the layer, all others
// shortcuts.
void NetworkBuilder::place(Source& source) {
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

const Shape& NetworkBuilder::last_shape() const {
  const auto linears = linear_layers(network_);
  return linears.empty() ? network_.input : linears.back()->out;
}

void NetworkBuilder::require_last(std::size_t tensor) const {
  if (fits_ && tensor != network_.layers.size()) {
    reject(
        "branches beside each other, of more than one linear layer each; only residual "
        "connections and sums of two linear layers can be encrypted");
  }
}

Reading NetworkBuilder::append(const Reading& reading, const Shape& shape, const char* suffix) {
  require_last(reading.tensor);
  network_.layers.push_back(
      make_diagonal(unique_name(node_->name + suffix), shape, reading.scale, reading.offset));
  return {network_.layers.size(), {1.0}, {0.0}};
}

std::string NetworkBuilder::unique_name(std::string name) {
  while (!names_.insert(name).second) {
    name += '_';
  }
  return name;
}

void NetworkBuilder::reject(std::string_view problem) const {
  fail(ErrorCode::kUnsupported, "node {}: {}", quote(node_->name), problem);
}

}  // namespace ffconv::model
