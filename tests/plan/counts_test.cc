// Exact operation counts, each with its reason.
#include "ffconv/plan/counts.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "ffconv/model/normalize.h"
#include "ffconv/model/onnx/import.h"
#include "ffconv/plan/compile.h"
#include "ffconv/plan/packings.h"
#include "plan/networks.h"

namespace ffconv::plan {
namespace {

const std::filesystem::path kModels = std::filesystem::path(FFCONV_SOURCE_DIR) / "models";

model::Network import(const std::string& file) {
  return model::normalize(model::import_onnx_file(kModels / file));
}

ProgramCounts count_lola(const model::Network& network, int log_n) {
  const Bounds bounds(network, testing::ranges_of(network), 1.5);
  Program program = lower_lola({network, bounds, default_cost_table(), testing::plain_ring(log_n)});
  program.params = testing::plain_chain(log_n);
  return count(program, default_cost_table());
}

void expect_published_lola(const model::Network& network) {
  const ProgramCounts counts = count_lola(network, 13);
  ASSERT_EQ(counts.layers.size(), 5u);
  const OpCounts &conv = counts.layers[0], &square = counts.layers[1], &fc1 = counts.layers[2],
                 &fc2 = counts.layers[4];
  EXPECT_EQ(conv.scalar_products, 125);  // 25 kernel offsets x 5 maps
  EXPECT_EQ(conv.rotations, 4);          // the second to fifth map joined to the first
  EXPECT_EQ(square.ciphertext_products, 1);
  EXPECT_EQ(square.key_switches, 1);  // its relinearization
  // 7 copies of the 845 values (8 fill 8192 slots); 13 products of 8 rows each, every one followed
  // by log2(1024) = 10 rotate-and-sums; 12 of the 13 shifted to interleave.
  EXPECT_EQ(fc1.rotations, 7 + 13 * 10 + 12);
  EXPECT_EQ(fc1.plain_products, 13 + 13);  // rows and masks
  EXPECT_EQ(fc1.levels, 2);
  EXPECT_EQ(fc2.rotations, 10 * 13);  // each score over all 2^13 slots
  EXPECT_EQ(fc2.plain_products, 10);
  EXPECT_EQ(counts.total.rotations, 283);
  EXPECT_EQ(counts.total.hoisted_rotations, 0);
  EXPECT_EQ(counts.total.ciphertext_products, 2);
  EXPECT_EQ(counts.total.key_switches, 283 + 2);
  EXPECT_EQ(counts.total.rescales, 5 + 1 + 13 + 13 + 1 + 10);
  EXPECT_EQ(counts.total.levels, 6);
}

TEST(Counts, LolaPackingOfALolaShapedNetworkNeeds283Rotations) {
  expect_published_lola(testing::lola_shaped_network());
}

TEST(Counts, LolaPackingOfTheTrainedNetworkNeeds283Rotations) {
  expect_published_lola(import("mnist-lola.onnx"));
}

TEST(Counts, LolaPackingOfLolaSmallNeeds134Rotations) {
  const ProgramCounts counts = count_lola(import("mnist-lola-small.onnx"), 13);
  EXPECT_EQ(counts.total.rotations, 4 + 10 * 13);  // joining; ten rows over all slots
  EXPECT_EQ(counts.total.hoisted_rotations, 0);
  EXPECT_EQ(counts.total.ciphertext_products, 1);
  EXPECT_EQ(counts.total.levels, 3);
}

TEST(Counts, DensePackingRotatesByKernelOffsetsThenByThePeriod) {
  const model::Network network = testing::lola_shaped_network();
  const Bounds bounds(network, testing::ranges_of(network), 1.5);
  const Lowering lowering{network, bounds, default_cost_table(), testing::plain_ring(13)};
  Program program = lower_chain(lowering, dense_layouts(lowering, Strided::kKeepsPlaces));
  program.params = testing::plain_chain(13);
  const ProgramCounts counts = count(program, default_cost_table());
  EXPECT_EQ(counts.layers[0].plain_products, 25);   // one a kernel offset, all maps at once
  EXPECT_EQ(counts.layers[2].plain_products, 128);  // outputs at s mod 128: every rotation below it
  EXPECT_EQ(counts.layers[4].plain_products, 16);   // scores at s mod 16
  EXPECT_EQ(counts.total.rescales, 5);              // one ciphertext a layer
  EXPECT_EQ(counts.total.levels, 5);
}

TEST(Counts, AutoNeedsNoRotationInTheFirstLayerOfLolasNetwork) {
  CompileOptions options;
  options.log_n = 13;
  const model::Graph graph = model::import_onnx_file(kModels / "mnist-lola.onnx");
  const model::Network network = model::normalize(graph);
  const Compiled compiled = compile(network, *model::ranges_from_metadata(graph, network), options);
  const auto& layers = compiled.report.counts.layers;
  EXPECT_EQ(compiled.report.packing, Packing::kAuto);
  EXPECT_EQ(compiled.program.input_count, 25);  // one ciphertext a kernel offset
  EXPECT_EQ(layers[0].plain_products, 25);
  EXPECT_EQ(layers[0].key_switches, 0);
  // 845 inputs at 100 outputs mod 128 leave 64 places a rotation: 845 * 128 / 8192 -> 16 rotations.
  EXPECT_EQ(layers[2].plain_products, 16);
  EXPECT_EQ(layers[4].plain_products, 16);
  EXPECT_LT(compiled.report.counts.total.rotations + compiled.report.counts.total.hoisted_rotations,
            60);
}

// The table of docs/packing.md: a change of these numbers is a change of what runs.
TEST(Counts, AreThoseOfTheTableInTheDocumentation) {
  struct Row {
    const char* model;
    Packing packing;
    int log_n;
    std::int32_t inputs;
    std::int64_t rotations, hoisted, plain, scalars;
    std::size_t keys;
  };
  const Row rows[] = {
      {"mnist-lola.onnx", Packing::kAuto, 13, 25, 2, 27, 57, 0, 29},
      {"mnist-lola.onnx", Packing::kDense, 13, 1, 6, 59, 169, 0, 65},
      {"mnist-lola.onnx", Packing::kConv, 13, 25, 0, 840, 845, 85725, 168},
      {"mnist-lola.onnx", Packing::kLola, 13, 25, 283, 0, 36, 125, 46},
      {"mnist-lola.onnx", Packing::kBatch, 13, 784, 0, 0, 0, 105980, 0},
      {"mnist-lola-small.onnx", Packing::kAuto, 12, 25, 0, 15, 29, 0, 15},
      {"mnist-lola-small.onnx", Packing::kDense, 13, 1, 2, 34, 41, 0, 36},
      {"mnist-lola-small.onnx", Packing::kLola, 13, 25, 134, 0, 10, 125, 17},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.model) + ", " + std::string(to_string(row.packing)));
    const model::Graph graph = model::import_onnx_file(kModels / row.model);
    const model::Network network = model::normalize(graph);
    CompileOptions options;
    options.packing = row.packing;
    const Compiled compiled =
        compile(network, *model::ranges_from_metadata(graph, network), options);
    const OpCounts& total = compiled.report.counts.total;
    EXPECT_EQ(compiled.report.packing, row.packing);
    EXPECT_EQ(compiled.program.params.log_n, row.log_n);
    EXPECT_EQ(compiled.program.input_count, row.inputs);
    EXPECT_EQ(total.rotations, row.rotations);
    EXPECT_EQ(total.hoisted_rotations, row.hoisted);
    EXPECT_EQ(total.plain_products, row.plain);
    EXPECT_EQ(total.scalar_products, row.scalars);
    EXPECT_EQ(key_request(compiled.program).rotations.size(), row.keys);
  }
}

}  // namespace
}  // namespace ffconv::plan
