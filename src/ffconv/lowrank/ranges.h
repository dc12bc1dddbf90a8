// Value ranges of a factorized network.
#pragma once

#include <cstddef>
#include <string>

#include "ffconv/base/progress.h"
#include "ffconv/model/dataset.h"
#include "ffconv/model/graph.h"

namespace ffconv::lowrank {

// The text of metadata key model::kRangesKey for `factorized`, which factorize() made of
// `original`, with its bounds by the names of nodes:
//
// - layers that no factorized one precedes keep their bound in `original`, where it has one;
// - every other layer gets 1.25 times the largest value seen, and no less than the bound of the
//   layer of `original` that had the same output.
//
// Seen are the first `count` of `images` and those of model::extreme_images() on which `original`
// stays within its own bounds: what the old bounds covered, the new ones cover.
// Throws kFormat where the original's ranges are malformed, kMismatch for images of another shape.
std::string measured_ranges(const model::Graph& original, const model::Graph& factorized,
                            const model::Dataset& images, std::size_t count,
                            const Progress& progress = {});

}  // namespace ffconv::lowrank
