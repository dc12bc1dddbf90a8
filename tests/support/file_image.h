// Images in the order in which a model file takes them.
#pragma once

#include <variant>
#include <vector>

#include "ffconv/model/graph.h"

namespace ffconv::testing {

// The image that the graph takes for an input of the file, which may have its channels last.
inline std::vector<double> graph_image(const model::Graph& graph,
                                       const std::vector<double>& of_file) {
  for (const model::Node& node : graph.nodes) {
    const auto* transpose = std::get_if<model::Transpose>(&node.op);
    if (transpose != nullptr && node.inputs[0] == graph.input &&
        node.name.starts_with(graph.values[graph.input].name + "_layout")) {
      // The node makes the file's order from the graph's.
      const auto order = model::transposed_order(graph.input_shape(), transpose->permutation);
      std::vector<double> image(of_file.size());
      for (std::size_t i = 0; i < order.size(); ++i) {
        image[order[i]] = of_file[i];
      }
      return image;
    }
  }
  return of_file;
}

}  // namespace ffconv::testing
