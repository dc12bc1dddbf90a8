// Auto: the cheapest layouts for a network, by a shortest path over (tensor, layout).
//
// Nodes are candidate layouts of each tensor that a linear layer reads or writes; an edge is a
// linear layer between two of them, with the square behind it. What a layer is composed of between
// two layouts (rotations, products, folds) depends on neither level nor parameters, so that is
// found once and priced for each ring that is tried.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ffconv/base/progress.h"
#include "ffconv/plan/candidates.h"
#include "ffconv/plan/grouping.h"
#include "ffconv/plan/layout.h"
#include "ffconv/plan/lowering.h"

namespace ffconv::plan {

// A linear layer between two layouts, before it is priced.
struct Edge {
  std::vector<SplitOption> options;
  std::size_t fold;     // slots that are added up afterwards
  std::size_t outputs;  // ciphertexts
};

Edge make_edge(std::span<const Diagonal> diagonals, const Layout& in, const Layout& out);

// Microseconds of layer number `layer` of the network and of the square behind it, if there is one;
// prices of keys included.
double edge_us(const Lowering& lowering, std::size_t layer, const Edge& edge);

// The price of a network's shortcuts for layouts as lower_chain() takes them, in any ring of their
// slot count.
class ShortcutPrice {
 public:
  ShortcutPrice(const model::Network& network, const std::vector<Layout>& layouts);
  double us(const Lowering& lowering) const;

 private:
  struct Map {
    std::size_t from, to;  // as in model::Shortcut
    std::size_t inputs;    // ciphertexts
    Edge edge;
  };
  std::vector<Map> maps_;
};

// The price of given layouts.
class ChainPrice {
 public:
  ChainPrice(const model::Network& network, const std::vector<Layout>& layouts);
  double us(const Lowering& lowering) const;

 private:
  std::vector<std::pair<std::size_t, Edge>> edges_;  // (layer, edge)
  ShortcutPrice shortcuts_;
};

class LayoutSearch {
 public:
  struct Path {
    double us = 0;                // predicted, upload included
    std::vector<Layout> layouts;  // for lower_chain()
  };

  // `network` must outlive the search; `progress` hears how many layers have their links.
  LayoutSearch(const model::Network& network, std::size_t slot_count,
               const Progress& progress = {});

  // The cheapest path, an input ciphertext priced at upload_us; nullopt where there is none.
  // Shortcuts are left out of the choice and of its price.
  std::optional<Path> best(const Lowering& lowering, double upload_us) const;

 private:
  struct Link {
    std::size_t from, to;  // candidates of the layer's input and output
    Edge edge;
  };
  struct Stage {
    std::size_t layer;
    std::vector<Candidate> out;
    std::vector<Link> links;
  };
  // Inputs that the client prepares per kernel offset for candidate `to` of the first layer's
  // output.
  struct OffsetInput {
    std::size_t to;
    std::size_t ciphertexts;
    Edge edge;
  };

  void add_links(const model::Linear& linear, const std::vector<Candidate>& in, Stage& stage);
  void add_offset_inputs();

  const model::Network& network_;
  const std::size_t slot_count_;
  std::vector<Candidate> inputs_;
  std::vector<OffsetInput> offsets_;
  std::vector<Stage> stages_;  // one a linear layer
};

}  // namespace ffconv::plan
