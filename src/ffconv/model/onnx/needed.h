// Which part of a file's graph the class scores need, and which nodes only finish them.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ffconv/model/onnx/operators.h"

namespace ffconv::model {

struct NeededNodes {
  std::string output;                      // the scores' name
  std::vector<bool> nodes;                 // by index in the file
  std::unordered_set<std::string> values;  // that these nodes read, and the output
  // Nodes that keep the order of the scores (Softmax, LogSoftmax, and of ai.onnx.ml ZipMap,
  // Normalizer, LinearClassifier) where nothing but such nodes, other names and shapes follow.
  std::unordered_map<const onnx::NodeProto*, OperatorImporter> final_nodes;
};

// The scores are the only output or, beside labels (outputs of whole numbers or text, as
// classifiers of scikit-learn have them), the only other one. Throws kUnsupported where that leaves
// none or several, kFormat where two nodes give one value.
NeededNodes find_needed(const onnx::GraphProto& graph);

}  // namespace ffconv::model
