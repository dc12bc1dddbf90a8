// Importers of the operators that rearrange an activation without computing: other shapes, other
// orders, and Shape itself.
//
// Axes in the file count the batch axis, which an activation does not have: axis k there is axis k
// - 1 here, and nothing may touch axis 0.
#pragma once

#include "ffconv/model/onnx/node_reader.h"

namespace ffconv::model {

ValueId import_flatten(const NodeReader& node);
ValueId import_reshape(const NodeReader& node);
ValueId import_squeeze(const NodeReader& node);
ValueId import_unsqueeze(const NodeReader& node);
ValueId import_transpose(const NodeReader& node);
ValueId import_concat(const NodeReader& node);

// The constant shape of the input, and its number of elements. The batch axis counts as 1, whether
// it is symbolic or not: what follows from it holds for one image.
ValueId import_shape(const NodeReader& node);
ValueId import_size(const NodeReader& node);

// [start, end) of Shape's attributes for `rank` axes: clipped as Python clips slices; end >= start.
std::pair<std::size_t, std::size_t> clip_range(std::int64_t start, std::int64_t end,
                                               std::size_t rank);

}  // namespace ffconv::model
