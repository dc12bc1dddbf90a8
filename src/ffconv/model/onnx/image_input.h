// The graph's input: one image, channels first.
#pragma once

#include <onnx/onnx_pb.h>

#include "ffconv/model/onnx/node_reader.h"

namespace ffconv::model {

// Adds the image that `input` describes as the graph's input, and returns the value that the file's
// nodes read under its name: the image itself or, where the file takes rows, columns and channels
// (Keras) or just rows and columns, what a Transpose or Reshape makes of it.
//
// [N, a, b, c] is rows, columns, channels if the first node beyond element-wise ones is a Transpose
// to channels first, or if it is no Conv or pooling and c is a number of colours (1, 3, 4) where a
// is not. N is 1 or symbolic. Throws kUnsupported for everything else.
ValueId add_image(GraphBuilder& builder, const onnx::GraphProto& graph,
                  const onnx::ValueInfoProto& input);

}  // namespace ffconv::model
