// Random models over all operators: everything imports, and a chain computes what its graph does.
#include "support/random_model.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "ffconv/base/error.h"
#include "ffconv/model/float_executor.h"
#include "ffconv/model/normalize.h"
#include "ffconv/model/onnx/import.h"
#include "ffconv/model/passes.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::Branches;
using ::ffconv::testing::random_model;
using ::ffconv::testing::random_pixels;

Graph import_model(const onnx::ModelProto& model) {
  const std::string text = model.SerializeAsString();
  return import_onnx(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()),
                     "random model");
}

TEST(RandomModel, HasEveryOperatorOfTheImporterAmongItsSeeds) {
  std::set<std::string> operators;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const onnx::ModelProto model = random_model(seed, Branches::kSome);
    for (const auto& node : model.graph().node()) {
      operators.insert(node.op_type());
    }
  }
  for (const char* name : {"Add",
                           "AveragePool",
                           "BatchNormalization",
                           "Cast",
                           "Concat",
                           "Constant",
                           "Conv",
                           "Div",
                           "Dropout",
                           "Flatten",
                           "Gather",
                           "Gemm",
                           "GlobalAveragePool",
                           "Identity",
                           "LogSoftmax",
                           "MatMul",
                           "Mul",
                           "Neg",
                           "Pad",
                           "Pow",
                           "ReduceMean",
                           "Reshape",
                           "Shape",
                           "Softmax",
                           "Squeeze",
                           "Sub",
                           "Transpose",
                           "Unsqueeze"}) {
    EXPECT_TRUE(operators.contains(name)) << name;
  }
}

TEST(RandomModel, WithBranchesRunsInFloatingPoint) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    const Graph graph = import_model(random_model(seed, Branches::kSome));
    const auto scores = run_float(graph, random_pixels(graph.input_shape().size(), seed));
    ASSERT_EQ(scores.size(), graph.classes());
    for (const double score : scores) {
      ASSERT_TRUE(std::isfinite(score));
    }
  }
}

TEST(RandomModel, KeepsItsFunctionWhenAffineNodesAreFolded) {
  std::size_t folded = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    const Graph graph = import_model(random_model(seed, Branches::kSome));
    const Graph after = fold_affine(graph);
    folded += graph.nodes.size() - after.nodes.size();
    const auto image = random_pixels(graph.input_shape().size(), seed);
    const auto expected = run_float(graph, image);
    const auto got = run_float(after, image);
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t k = 0; k < expected.size(); ++k) {
      ASSERT_NEAR(got[k], expected[k], 1e-10 * std::max(1.0, std::abs(expected[k])));
    }
  }
  EXPECT_GT(folded, 100u);
}

TEST(RandomModel, AsAChainNormalizesToTheSameFunction) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    const Graph graph = import_model(random_model(seed, Branches::kNone));
    const auto image = random_pixels(graph.input_shape().size(), seed);
    const auto expected = run_float(graph, image);
    const auto got = run_float(normalize(graph), image);
    ASSERT_EQ(got.size(), expected.size());
    double largest = 1;
    for (const double score : expected) {
      largest = std::max(largest, std::abs(score));
    }
    for (std::size_t k = 0; k < expected.size(); ++k) {
      ASSERT_NEAR(got[k], expected[k], 1e-10 * largest) << "class " << k;
    }
  }
}

}  // namespace
}  // namespace ffconv::model
