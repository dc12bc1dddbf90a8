// Constants: TensorProto to double precision.
#pragma once

#include <string>

#include <onnx/onnx_pb.h>

#include "ffconv/model/graph.h"

namespace ffconv::model {

// The tensor as a constant named `name`. It may be empty (a dimension of 0).
// Throws kFormat if the dimensions and the data do not agree or an element is not finite, and
// kUnsupported for other element types than float, double, int32 and int64 and for external data.
Value read_tensor(const onnx::TensorProto& proto, const std::string& name);

}  // namespace ffconv::model
