// A linear layer between two layouts, as generalized diagonals.
//
// Let G = min(input period, output period). Output element o at slot u needs w[o][i] x_i, and x_i
// stands at slot p of some input: rotating that input by any r = p - u modulo G brings it to u, or
// to a slot that a fold over the multiples of the output period adds to u. So a layer is a set of
// diagonals (output, input, r mod G), each with one slot vector of weights. Where x_i has several
// places, the one with the smallest r in [0, G) is taken, the first input on a tie: each weight is
// used exactly once. Pictures and an example: docs/packing.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ffconv/model/network.h"
#include "ffconv/plan/grouping.h"
#include "ffconv/plan/layout.h"
#include "ffconv/plan/program.h"

namespace ffconv::plan {

class LinearMap {
 public:
  // All three must outlive the map. Throws kInvalidArgument, naming the layer, if a weight's input
  // or output element stands in no slot.
  LinearMap(const model::Linear& linear, const Layout& in, const Layout& out);

  // Ascending by output, input, rotation; each carries at least one weight.
  const std::vector<Diagonal>& diagonals() const { return diagonals_; }
  std::size_t modulus() const { return modulus_; }
  // How many slots of the map's result a fold adds up to one of the output.
  std::size_t fold() const { return period_ / out_.period(); }

  // One slot vector for each diagonal, in their order, rotated by -giant as LinearTerm wants it. A
  // vector is one constant where the input's empty slots allow it.
  std::vector<SlotVector> vectors(const Split& split, std::size_t slot_count) const;

 private:
  template <typename F>
  void for_each_product(const Places& targets, F&& f) const;
  // Among all that there can be, and among those that there are.
  std::size_t position(const Diagonal& diagonal) const;
  std::size_t index_of(const Diagonal& diagonal) const;

  const model::Linear& linear_;
  const Layout& in_;
  const Layout& out_;
  std::size_t modulus_;  // G
  std::size_t period_;   // of the map's result and its slot vectors: the larger one
  Places sources_;       // by slot modulo G, one for each residue
  Places targets_;
  std::vector<Diagonal> diagonals_;
  std::vector<std::int32_t> numbers_;  // of diagonals, by position; empty where that is too large
};

}  // namespace ffconv::plan
