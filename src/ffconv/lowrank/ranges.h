// Value ranges of a factorized network.
#pragma once

#include <cstddef>

#include "ffconv/base/progress.h"
#include "ffconv/model/dataset.h"
#include "ffconv/model/graph.h"

namespace ffconv::lowrank {

// Writes what metadata keys model::kRangesKey and model::kRmsKey say of `factorized`, which
// factorize() made of `original`, by the names of nodes. Root mean squares are those of the first
// `count` of `images`. Bounds:
//
// - layers that no factorized one precedes keep their bound in `original`, where it has one;
// - every other layer gets 1.25 times the largest value seen, and no less than the bound of the
//   layer of `original` that had the same output.
//
// Seen are the first `count` of `images` and those of model::extreme_images() on which `original`
// stays within its own bounds: what the old bounds covered, the new ones cover.
// Throws kInvalidArgument without images, kFormat where the original's ranges are malformed,
// kMismatch for images of another shape.
void measure_ranges(const model::Graph& original, model::Graph& factorized,
                    const model::Dataset& images, std::size_t count, const Progress& progress = {});

}  // namespace ffconv::lowrank
