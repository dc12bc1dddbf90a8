// Importers of the operators with a window: Conv and Pad.
#pragma once

#include "ffconv/model/onnx/node_reader.h"

namespace ffconv::model {

ValueId import_conv(const NodeReader& node);
ValueId import_pad(const NodeReader& node);

}  // namespace ffconv::model
