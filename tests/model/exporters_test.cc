// Networks as PyTorch, Keras and scikit-learn export them (tests/data/exporters/make.py), against
// these frameworks' own scores.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "ffconv/model/float_executor.h"
#include "ffconv/model/normalize.h"
#include "ffconv/model/onnx/import.h"
#include "support/error_of.h"

namespace ffconv::model {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const auto& entry : fs::directory_iterator(FFCONV_SOURCE_DIR "/tests/data/exporters")) {
    if (entry.path().extension() == ".onnx") {
      result.push_back(entry.path().stem().string());
    }
  }
  std::ranges::sort(result);
  return result;
}

std::vector<double> log_softmax(std::vector<double> scores) {
  double sum = 0;
  for (const double score : scores) {
    sum += std::exp(score);
  }
  for (double& score : scores) {
    score -= std::log(sum);
  }
  return scores;
}

class ExportersTest : public ::testing::TestWithParam<std::string> {
 protected:
  ExportersTest() : path_(FFCONV_SOURCE_DIR "/tests/data/exporters/" + GetParam() + ".onnx") {
    std::ifstream(fs::path(path_).replace_extension(".json")) >> record_;
    input_ = record_["input"].get<std::vector<double>>();
  }

  void expect_scores(std::vector<double> got) const {
    if (record_["log_softmax"]) {
      got = log_softmax(std::move(got));
    }
    const auto expected = record_["scores"].get<std::vector<double>>();
    ASSERT_EQ(got.size(), expected.size());
    double largest = 1;
    for (const double score : expected) {
      largest = std::max(largest, std::abs(score));
    }
    for (std::size_t k = 0; k < got.size(); ++k) {
      EXPECT_NEAR(got[k], expected[k], 1e-5 * largest) << "score " << k;
    }
  }

  std::string path_;
  nlohmann::json record_;
  std::vector<double> input_;
};

TEST_P(ExportersTest, TheImportedGraphGivesTheFrameworksScores) {
  const Graph graph = import_onnx_file(path_);
  ASSERT_EQ(graph.input_shape().size(), input_.size());
  expect_scores(run_float(graph, input_));
}

TEST_P(ExportersTest, AChainNormalizesToTheSameScores) {
  const Graph graph = import_onnx_file(path_);
  if (record_["chain"]) {
    expect_scores(run_float(normalize(graph), input_));
  } else {
    ffconv::testing::error_of(ErrorCode::kUnsupported, [&] { normalize(graph); });
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ExportersTest, ::testing::ValuesIn(names()),
                         [](const auto& info) { return info.param; });

TEST(Exporters, AllThreeAreThere) {
  const auto all = names();
  for (const std::string exporter : {"pytorch_chain", "keras_chain", "sklearn_logistic"}) {
    EXPECT_TRUE(std::ranges::any_of(all, [&](auto& name) { return name.starts_with(exporter); }))
        << exporter;
  }
}

}  // namespace
}  // namespace ffconv::model
