// The layers of a graph that can be factorized, as matrices.
//
// A convolution is a matrix of `rows` output channels by `columns` = C_in * kernel elements (the
// order of its weights) that acts at every output position; a dense layer has one position.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "ffconv/model/graph.h"

namespace ffconv::lowrank {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

// Layers with more outputs are left alone: finding their components takes minutes and a square
// matrix of that size.
inline constexpr std::size_t kMaxRows = 4096;

struct Layer {
  std::size_t node = 0;  // index into Graph::nodes
  std::string name;      // of the node
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t positions = 1;

  // From this rank on, the factorized layer can be the original one.
  std::size_t full_rank() const { return std::min(rows, columns); }
};

// Convolutions in one group and dense layers, in the graph's order, with at most kMaxRows outputs.
std::vector<Layer> find_layers(const model::Graph& graph);

// What the layer multiplies its input by, [rows][columns], and adds, [rows].
Matrix weights_of(const model::Graph& graph, const Layer& layer);
Vector bias_of(const model::Graph& graph, const Layer& layer);

}  // namespace ffconv::lowrank
