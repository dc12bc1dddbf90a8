// Two neighbouring linear layers as one.
#pragma once

#include <optional>

#include "ffconv/model/network.h"

namespace ffconv::model {

// second(first(x)), named "FIRST + SECOND": a convolution where one of two is 1 x 1, of stride 1
// and without padding and neither has groups; a dense layer where the second is dense. nullopt for
// other pairs and for results of more than 2^22 weights.
std::optional<Linear> merge(const Linear& first, const Linear& second);

}  // namespace ffconv::model
