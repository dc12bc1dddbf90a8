// Seeded ONNX models over every operator of the importer, in the many forms that exporters write.
//
// Images have 1 to 4 channels (first or last) and 5 to 10 rows and columns, or are vectors. Weights
// are scaled so that values stay near 1 for pixels near 1. Operator sets are 9 to 21. Equal seeds
// give equal models.
#pragma once

#include <cstdint>
#include <vector>

#include <onnx/onnx_pb.h>

namespace ffconv::testing {

enum class Branches {
  kNone,  // a chain of layers and activations of degree 2, which can be encrypted
  kSome,  // also residual connections, products of two tensors, concatenation and cubes
};

onnx::ModelProto random_model(std::uint64_t seed, Branches branches);

// Pixels of -1 to 1 in steps of 1/128, for an input of `size` elements.
std::vector<double> random_pixels(std::size_t size, std::uint64_t seed);

}  // namespace ffconv::testing
