// LoLa's networks in models/: on the digits in samples/, and where the data set is there, on all of
// MNIST's test images.
#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/model/dataset.h"
#include "ffconv/model/float_executor.h"
#include "ffconv/model/normalize.h"
#include "ffconv/model/onnx/import.h"
#include "ffconv/model/ranges.h"

namespace ffconv::model {
namespace {

const std::filesystem::path kRoot = FFCONV_SOURCE_DIR;

std::size_t class_of(const std::vector<double>& scores) {
  return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

struct Expected {
  const char* file;
  std::size_t layers;
  std::size_t correct_samples;  // of 50
  std::size_t correct_test;     // of 10,000, as published
};
const Expected kNetworks[] = {{"models/mnist-lola.onnx", 5, 50, 9896},
                              {"models/mnist-lola-small.onnx", 3, 49, 9694}};

TEST(Lola, ClassifiesTheSamplesAlikeAsGraphAndAsChain) {
  const Dataset samples = load_samples(kRoot / "samples/mnist");
  ASSERT_EQ(samples.size(), 50u);
  for (const Expected& expected : kNetworks) {
    SCOPED_TRACE(expected.file);
    const Graph graph = import_onnx_file(kRoot / expected.file);
    const Network network = normalize(graph);
    EXPECT_EQ(network.layers.size(), expected.layers);
    std::size_t correct = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto scores = run_float(graph, samples.image(i));
      const auto chained = run_float(network, samples.image(i));
      correct += class_of(scores) == samples.labels[i] ? 1 : 0;
      for (std::size_t k = 0; k < scores.size(); ++k) {
        EXPECT_NEAR(chained[k], scores[k], 1e-9);
      }
    }
    EXPECT_EQ(correct, expected.correct_samples);
  }
}

TEST(Lola, CarriesRangesThatHoldForTheSamples) {
  const Dataset samples = load_samples(kRoot / "samples/mnist");
  for (const Expected& expected : kNetworks) {
    SCOPED_TRACE(expected.file);
    const Graph graph = import_onnx_file(kRoot / expected.file);
    const Network network = normalize(graph);
    const auto bounds = ranges_from_metadata(graph, network);
    ASSERT_TRUE(bounds.has_value());
    const Ranges seen = calibrate(network, samples);
    EXPECT_EQ(seen.input.max_abs, bounds->input.max_abs);
    for (std::size_t k = 0; k < network.layers.size(); ++k) {
      const Range &here = seen.layers[k], &stored = bounds->layers[k];
      EXPECT_LT(here.max_abs, stored.max_abs) << "layer " << k;
      EXPECT_GT(4 * here.max_abs, stored.max_abs) << "layer " << k;
      EXPECT_NEAR(here.rms / stored.rms, 1, 0.5) << "layer " << k;
    }
  }
}

TEST(SlowLola, HasThePublishedAccuracyOnTheTestSet) {
  std::filesystem::path folder;
  try {
    folder = find_data("mnist");
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  const Dataset test = load_mnist(folder, Split::kTest);
  for (const Expected& expected : kNetworks) {
    const Graph graph = import_onnx_file(kRoot / expected.file);
    std::vector<char> correct(test.size());
    parallel_for(test.size(), [&](std::size_t i) {
      correct[i] = class_of(run_float(graph, test.image(i))) == test.labels[i];
    });
    EXPECT_EQ(static_cast<std::size_t>(std::count(correct.begin(), correct.end(), 1)),
              expected.correct_test)
        << expected.file;
  }
}

}  // namespace
}  // namespace ffconv::model
