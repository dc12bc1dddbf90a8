// The layers of a network as normalize() makes them, and what the graph's values are of them.
//
// A value is a polynomial of degree at most 2 in a source: the image, or a sum of linear maps of
// earlier tensors. A source becomes a layer, its output a tensor, only when it is read by more than
// element-wise arithmetic; what can be folded into it by then is.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ffconv/model/graph.h"
#include "ffconv/model/network.h"
#include "ffconv/model/polynomial.h"

namespace ffconv::model {

// A value of the graph: polynomial(source), its elements in another order where Transpose has been,
// with zeros around it where Pad has been.
struct Symbol {
  std::size_t source = 0;             // as add_source() numbers them
  Polynomial polynomial;              // coefficients in the source's order
  std::array<std::size_t, 4> pads{};  // top, left, bottom, right
  Shape shape;                        // without the pads
  std::vector<std::size_t> order;     // element i is the source's element order[i]; empty: i
};

// Coefficients of a value's elements, in the order of its source.
Coefficients in_source_order(Coefficients c, const std::vector<std::size_t>& order);

// A linear map of tensor number `from` (Shortcut::from).
struct Term {
  std::size_t from;
  Linear map;
};

// A value is scale * tensor + offset.
struct Reading {
  std::size_t tensor;
  Coefficients scale, offset;
};

// Errors are kUnsupported and name the node at hand.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(const Graph& graph);

  // `node` is at hand: its inputs have one reader less to come.
  void begin(const Node& node);
  const Node& node() const { return *node_; }
  // From a node on that does not fit, where layers stand is not judged any more.
  void give_up() { fits_ = false; }

  void set(ValueId value, Symbol symbol);
  // Of a value that has been set.
  const Symbol& symbol(ValueId value) const;
  // The value is read once, by no node.
  void release(ValueId value) { --sources_[symbol(value).source].readers; }

  // A new source, a sum of at most 16 maps, as a value of `shape`.
  Symbol add_source(std::vector<Term> terms, const Shape& shape);
  // Moves the maps of a value that nothing else reads to `terms`. False, and nothing is changed,
  // where it is a tensor already, not linear in its source, or has other readers.
  bool join(const Symbol& value, std::vector<Term>& terms);
  // Makes the value's source or its square a tensor, unless it is one, folding into the layer what
  // goes there.
  Reading read(const Symbol& value);
  // A layer of its own for the reading's scale and offset, named after the node at hand.
  Reading append(const Reading& reading, const Shape& shape, const char* suffix);
  // Throws unless the tensor is the last layer's output.
  void require_last(std::size_t tensor) const;

  // `name`, with as many '_' behind it as it takes.
  std::string unique_name(std::string name);
  [[noreturn]] void reject(std::string_view problem) const;

  Network& network() { return network_; }

 private:
  // What polynomials are in.
  struct Source {
    std::vector<Term> terms{};            // until it is a tensor
    std::optional<std::size_t> tensor{};  // its number from then on
    std::optional<std::size_t> square{};  // the number of its square, where that is a layer
    std::vector<ValueId> values{};        // whose symbols are polynomials in it
    std::size_t readers = 0;              // of these values, that are still to come
  };

  Reading complete_square(Source& source, const Symbol& value);
  Reading read_square(const Source& source, const Symbol& value) const;
  void substitute(const Source& source, const Coefficients& shift);
  void place(Source& source);
  const Shape& last_shape() const;

  Network network_;
  const Node* node_ = nullptr;
  bool fits_ = true;
  std::vector<Source> sources_;
  std::vector<std::optional<Symbol>> symbols_;
  std::vector<std::size_t> readers_;  // of each value that are still to come
  std::set<std::string> names_;
};

}  // namespace ffconv::model
