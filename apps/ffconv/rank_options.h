// What to factorize to, as named on the command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ffconv/lowrank/factorize.h"
#include "ffconv/lowrank/layer.h"

namespace ffconv::cli {

// "0.99", "99%" or "1/2" as a number; `option` names it in errors. Throws kInvalidArgument for
// anything else, and for a number that is negative or not finite.
double parse_number(std::string_view text, std::string_view option);

// Ranks of all layers from "1/2" (that part of each layer's full rank, at least 1, rounded),
// "conv1=3", "fc1=1/4"; what names a layer goes before what does not. Layers that nothing is said
// of stay whole. Throws kInvalidArgument for other text, unknown layers and ranks beyond the full
// one.
lowrank::Ranks parse_ranks(const std::vector<std::string>& items,
                           const std::vector<lowrank::Layer>& layers);

// Removes the layers of these names. Throws kInvalidArgument for a name that none has.
std::vector<lowrank::Layer> without(std::vector<lowrank::Layer> layers,
                                    const std::vector<std::string>& names);

}  // namespace ffconv::cli
