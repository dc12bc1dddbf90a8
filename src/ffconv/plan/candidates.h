// Candidates: the layouts that auto (search.h) tries for every tensor.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "ffconv/model/network.h"
#include "ffconv/plan/bit_layout.h"
#include "ffconv/plan/layout.h"

namespace ffconv::plan {

// A layout; the grid that strided outputs can stay on if it has one; its bits if it is of that
// kind.
struct Candidate {
  Layout layout;
  std::optional<Grid> grid;
  std::optional<BitLayout> bits;
};

// For the network's input, then for the output of every linear layer: blocked channels; no gaps; no
// gaps over several ciphertexts of a shorter period; folded for the next layer's outputs, over
// elements or, before a convolution, over channels; outputs of a stride where they were; layouts of
// bits. Each has different places. Those that need many times the products of the best are left
// out.
std::vector<std::vector<Candidate>> tensor_candidates(const model::Network& network,
                                                      std::size_t slot_count);

}  // namespace ffconv::plan
