// Auto: the cheapest layouts for a network, by a shortest path over (tensor, layout).
//
// Nodes are candidate layouts of each tensor that a linear layer reads or writes; an edge is a
// linear layer between two of them, with the square behind it. What a layer is composed of between
// two layouts (rotations, products, folds) depends on neither level nor parameters, so that is
// found once and priced for each ring that is tried.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "ffconv/plan/grouping.h"
#include "ffconv/plan/layout.h"
#include "ffconv/plan/lowering.h"

namespace ffconv::plan {

// A layout, and the grid that strided outputs can stay on if it has one.
struct Candidate {
  Layout layout;
  std::optional<Grid> grid;
};

// Candidates for a tensor of this shape, the input of `next` (nullptr: the scores): blocked
// channels; no gaps; no gaps over several ciphertexts of a shorter period; folded for the next
// layer's outputs, over elements or, before a convolution, over channels. Each has different
// places.
std::vector<Candidate> candidates(const model::Shape& shape, const model::Linear* next,
                                  std::size_t slot_count);

class LayoutSearch {
 public:
  struct Options {
    double upload_us = 0;        // price of one input ciphertext
    bool keyless_first = false;  // the first layer must need no rotation at its level
  };

  // `network` must outlive the search.
  LayoutSearch(const model::Network& network, std::size_t slot_count);

  struct Path {
    double us = 0;                // predicted, upload included
    std::vector<Layout> layouts;  // for lower_chain()
  };

  // The cheapest path; nullopt where there is none.
  std::optional<Path> best(const Lowering& lowering, const Options& options) const;

 private:
  struct Edge {
    std::size_t from, to;  // candidates of the layer's input and output
    std::vector<SplitOption> options;
    std::size_t fold;
  };
  struct Stage {
    std::size_t layer;
    std::vector<Candidate> out;
    std::vector<Edge> edges;
  };
  void add_edges(const model::Linear& linear, const std::vector<Candidate>& in, Stage& stage);
  void add_offset_inputs();
  // Microseconds of the layer and of the square behind it.
  double price(const Lowering& lowering, const Stage& stage, const Edge& edge) const;

  const model::Network& network_;
  const std::size_t slot_count_;
  std::vector<Candidate> inputs_;  // from first_offset_ on: prepared per kernel offset
  std::size_t first_offset_ = 0;
  std::vector<Stage> stages_;  // one a linear layer
};

}  // namespace ffconv::plan
