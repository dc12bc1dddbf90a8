// Constants: TensorProto to double precision.
#pragma once

#include <cstdint>
#include <string>

#include <onnx/onnx_pb.h>

#include "ffconv/model/graph.h"

namespace ffconv::model {

// The tensor as a constant named `name`. It may be empty (a dimension of 0).
// Throws kFormat if the dimensions and the data do not agree or an element is not finite, and
// kUnsupported for other element types than the floats of 16 (IEEE and bfloat16), 32 and 64 bits,
// integers and booleans, and for external data. Integers beyond 2^53 are rounded.
Value read_tensor(const onnx::TensorProto& proto, const std::string& name);

// Whether arithmetic on elements of that TensorProto::DataType is on whole numbers.
bool is_whole_type(std::int32_t data_type);

}  // namespace ffconv::model
