// Reads a trained network from an ONNX file (operator set 9 or newer, any IR version).
//
// Operators: Conv, Gemm, MatMul, Add, Sub, Mul, Neg, Div by a constant, Pow with a small constant
// integer exponent, BatchNormalization, AveragePool, GlobalAveragePool, ReduceMean over rows and
// columns, Flatten, Reshape to a constant shape, Squeeze, Unsqueeze, Transpose, Concat, Pad with
// zeros, Constant, Identity, Cast, Dropout (as in inference), and Softmax or LogSoftmax at the end,
// which is left to whoever reads the scores. Arithmetic on constants and shapes is evaluated
// (fold.h). Nodes that the scores do not need are not looked at.
//
// One input, [N, C, H, W], [N, H, W, C], [N, H, W] or [N, F] with N = 1 or symbolic; one output
// beside labels. Weights are floats of 16, 32 or 64 bits or integers, inside the file.
//
// Files are not trusted: no allocation exceeds what the file's own bytes justify, but for
// activations, which kMaxActivationElements bounds, and constants of 512 elements.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "ffconv/model/graph.h"

namespace ffconv::model {

// `what` names the file in messages.
// Throws kFormat for malformed files (the first fault found), and one kUnsupported error that lists
// everything FFConv cannot run, with each node's name, its operator and what to use instead.
Graph import_onnx(std::span<const std::uint8_t> bytes, const std::string& what);

// Also throws kIo if the file cannot be read.
Graph import_onnx_file(const std::filesystem::path& path);

}  // namespace ffconv::model
