// ONNX's own test cases for single operators: a model, its inputs and its outputs each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ffconv/model/graph.h"

namespace ffconv::testing {

struct NodeCase {
  std::string name;
  onnx::ModelProto model;
  std::vector<onnx::TensorProto> inputs;  // in the order of the model's inputs
  onnx::TensorProto output;               // the first
};

// All cases in a directory as Debian's libonnx-testdata has it. Those that take or give anything
// but tensors are left out, as are those whose files cannot be read.
std::vector<NodeCase> load_node_cases(const std::filesystem::path& directory);

// What became of a case.
enum class Outcome { kAgrees, kAgreesOnConstants, kDiffers, kRefused };

struct NodeResult {
  Outcome outcome;
  std::string refusal;  // the first error, or empty
};

// Runs the case in every form in which an image can reach its operator:
//   - one of its inputs is a batch of images, the others are constants;
//   - the same with a batch axis of 1 in front, for element-wise operators;
//   - all inputs are constants, and the output is added to an image of zeros.
// It differs if one of these is imported and gives another output; it agrees if at least one is, on
// constants if that is the third alone.
NodeResult run_node_case(const NodeCase& node_case);

// Whether FFConv has every operator of the case, on images or on constants.
bool has_operators(const NodeCase& node_case);

}  // namespace ffconv::testing
