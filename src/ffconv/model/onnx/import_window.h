// Importers of the operators with a window: Conv, Pad, and those that take means.
#pragma once

#include "ffconv/model/onnx/node_reader.h"

namespace ffconv::model {

ValueId import_conv(const NodeReader& node);
ValueId import_pad(const NodeReader& node);

// AveragePool. With ceil_mode the last window may leave the padded image, which changes the mean
// where padding counts; that is refused, as runtimes do not agree on it.
ValueId import_average_pool(const NodeReader& node);
ValueId import_global_average_pool(const NodeReader& node);
// ReduceMean over rows, columns or both; of {rows, columns, channels} over both.
ValueId import_reduce_mean(const NodeReader& node);

}  // namespace ffconv::model
