#include "ffconv/plan/compile.h"

#include <cmath>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/backend/clear.h"
#include "ffconv/base/error.h"
#include "plan/programs.h"
#include "support/error_of.h"

namespace ffconv::plan {
namespace {

using ::testing::HasSubstr;

TEST(Compile, MakesProgramsThatPassTheirOwnCheckAndClassifyAsInFloat) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("network seed " + std::to_string(seed));
    const model::Network network = testing::random_network(seed);
    const auto ranges = testing::ranges_of(network);
    const Compiled compiled = compile(network, ranges);
    check_program(compiled.program, "test");
    EXPECT_GE(compiled.report.precision_bits, CompileOptions{}.precision_bits);
    const auto image = testing::random_image(network.input, 5);
    const auto expected = model::run_float(network, image);
    const auto noisy = backend::run_clear(compiled.program, image, network.classes, seed);
    for (std::size_t c = 0; c < expected.size(); ++c) {
      // Eight standard deviations of the largest error asked for.
      EXPECT_NEAR(noisy[c], expected[c],
                  8 * ranges.layers.back().rms / std::exp2(CompileOptions{}.precision_bits));
    }
  }
}

double total_us(const Compiled& compiled, const CompileOptions& options) {
  const Program& program = compiled.program;
  double bits = 0;
  for (const std::uint16_t prime : program.params.levels.back().primes) {
    bits += program.params.q_bits[prime];
  }
  return compiled.report.counts.total.predicted_us +
         program.input_count * std::ldexp(bits, program.params.log_n) / options.upload_mbit_per_s;
}

TEST(Compile, AutoIsNeverSlowerThanDenseOrLola) {
  std::vector<model::Network> networks{testing::lola_shaped_network()};
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    networks.push_back(testing::random_network(seed));
  }
  for (std::size_t k = 0; k < networks.size(); ++k) {
    SCOPED_TRACE("network " + std::to_string(k));
    const auto ranges = testing::ranges_of(networks[k]);
    CompileOptions options;
    const double best = total_us(compile(networks[k], ranges, options), options);
    for (const Packing packing : {Packing::kDense, Packing::kLola}) {
      options.packing = packing;
      EXPECT_LE(best, total_us(compile(networks[k], ranges, options), options) * (1 + 1e-12));
    }
  }
}

TEST(Compile, ReportNamesEveryProgramConsideredAndCountsByLayer) {
  const Compiled compiled = testing::small_compiled(Packing::kAuto);
  const CompileReport& report = compiled.report;
  ASSERT_FALSE(report.alternatives.empty());
  bool chosen = false;
  for (const Alternative& alternative : report.alternatives) {
    chosen = chosen || (alternative.packing == report.packing &&
                        alternative.log_n == compiled.program.params.log_n &&
                        alternative.predicted_us == report.counts.total.predicted_us);
  }
  EXPECT_TRUE(chosen);
  EXPECT_THAT(compiled.program.layers, ::testing::ElementsAre("conv", "square 1", "fc"));
  double us = 0;
  for (const OpCounts& layer : report.counts.layers) {
    EXPECT_EQ(layer.levels, 1);
    us += layer.predicted_us;
  }
  EXPECT_NEAR(us, report.counts.total.predicted_us, 1e-6);
}

TEST(Compile, UploadPriceMovesAutoToFewerInputs) {
  testing::Weights weights(7);
  const auto conv = testing::conv_layer(
      "conv", {{1, 12, 12}}, 4,
      {.kernel = {5, 5}, .strides = {2, 2}, .dilations = {1, 1}, .pads = {0, 0, 1, 1}, .groups = 1},
      weights);
  const model::Network network = testing::network_of(
      {conv, model::Square{}, testing::dense_layer("fc", conv.out, 10, weights)});
  const auto ranges = testing::ranges_of(network);
  CompileOptions free, dear;
  dear.upload_mbit_per_s = 8;
  EXPECT_GT(compile(network, ranges, free).program.input_count, 1);
  EXPECT_EQ(compile(network, ranges, dear).program.input_count, 1);
}

TEST(Compile, FewerKeysTakeMoreTime) {
  const model::Network network = testing::lola_shaped_network();
  const auto ranges = testing::ranges_of(network);
  const auto keys = [](const Compiled& compiled) { return key_request(compiled.program).count(); };
  CompileOptions options;
  options.packing = Packing::kDense;
  const Compiled free = compile(network, ranges, options);
  options.max_keys = keys(free);
  EXPECT_EQ(keys(compile(network, ranges, options)), keys(free));
  options.max_keys = 7 * keys(free) / 8;
  const Compiled limited = compile(network, ranges, options);
  EXPECT_LE(keys(limited), *options.max_keys);
  EXPECT_GT(limited.report.counts.total.predicted_us, free.report.counts.total.predicted_us);
  EXPECT_GE(limited.report.precision_bits, options.precision_bits);
  check_program(limited.program, "test");
  options.max_keys = 2;
  EXPECT_THAT(
      testing::error_of(ErrorCode::kUnsupported, [&] { (void)compile(network, ranges, options); }),
      ::testing::HasSubstr("evaluation keys at least"));
}

TEST(Compile, PrecisionAndMarginReachTheProgram) {
  testing::Weights weights(2);
  const model::Network network =
      testing::network_of({testing::dense_layer("fc", {{16}}, 4, weights)});
  const auto ranges = testing::ranges_of(network);
  CompileOptions options;
  options.packing = Packing::kDense;
  options.precision_bits = 20;
  options.margin = 3;
  const Compiled compiled = compile(network, ranges, options);
  EXPECT_GE(compiled.report.precision_bits, 20);
  const auto output = static_cast<std::size_t>(compiled.program.outputs[0]);
  EXPECT_DOUBLE_EQ(compiled.program.values[output].max_abs, 3 * ranges.layers[0].max_abs);
}

TEST(Compile, RefusesWhatItCannotDo) {
  testing::Weights weights(2);
  const model::Shape shape{{4}};
  const model::Network network =
      testing::network_of({testing::dense_layer("first", shape, 4, weights), model::Square{},
                           testing::dense_layer("last", shape, 2, weights)});
  const auto ranges = testing::ranges_of(network);
  const auto refused = [&](const model::Ranges& used, const CompileOptions& options) {
    return testing::error_of(ErrorCode::kInvalidArgument, [&] { compile(network, used, options); });
  };
  model::Ranges broken = ranges;
  broken.layers[2].max_abs = 0;
  EXPECT_THAT(refused(broken, {}), HasSubstr("output of layer last: expected a positive"));
  broken.layers[2].max_abs = std::numeric_limits<double>::infinity();
  EXPECT_THAT(refused(broken, {}), HasSubstr("output of layer last"));
  broken.layers.pop_back();
  EXPECT_THAT(refused(broken, {}), HasSubstr("one for each of 3 layers, got 2"));
  CompileOptions options;
  options.margin = 0.5;
  EXPECT_THAT(refused(ranges, options), HasSubstr("margin: expected at least 1, got 0.5"));
  options = {};
  options.log_n = 18;
  EXPECT_THAT(refused(ranges, options), HasSubstr("log_n"));
  options = {};
  options.log_n = 10;  // 27 bits: no room for three levels
  EXPECT_THAT(
      testing::error_of(ErrorCode::kUnsupported, [&] { compile(network, ranges, options); }),
      HasSubstr("N = 2^10 does not hold 3 layers"));
}

TEST(Compile, MergesNeighbouringLinearLayersUnderAutoAlone) {
  testing::Weights weights(4);
  const auto conv = testing::conv_layer("conv", {{2, 8, 8}}, 4, {}, weights);
  const auto fc = testing::dense_layer("fc", conv.out, 3, weights);
  const model::Network network = testing::network_of({conv, fc});
  const auto ranges = testing::ranges_of(network);
  const Compiled merged = compile(network, ranges);
  EXPECT_THAT(merged.program.layers, ::testing::ElementsAre("conv + fc"));
  CompileOptions dense;
  dense.packing = Packing::kDense;
  EXPECT_THAT(compile(network, ranges, dense).program.layers, ::testing::ElementsAre("conv", "fc"));
  const auto image = testing::random_image(network.input, 5);
  const auto expected = model::run_float(network, image);
  const auto got = backend::run_clear(merged.program, image, network.classes);
  for (std::size_t c = 0; c < expected.size(); ++c) {
    EXPECT_NEAR(got[c], expected[c], 1e-9 * (1 + std::abs(expected[c])));
  }
}

TEST(Compile, RefusesResidualConnectionsInPipelines) {
  const model::Network network =
      testing::random_network(1, testing::Activations::kSquare, testing::Connections::kResidual);
  const auto ranges = testing::ranges_of(network);
  for (const Packing packing : {Packing::kConv, Packing::kFalcon, Packing::kLola}) {
    CompileOptions options;
    options.packing = packing;
    EXPECT_THAT(
        testing::error_of(ErrorCode::kUnsupported, [&] { compile(network, ranges, options); }),
        HasSubstr("use auto, dense, ffconv or batch"));
  }
}

TEST(Compile, RefusesNetworksTooDeepForAnyRing) {
  testing::Weights weights(2);
  const model::Shape shape{{2}};
  std::vector<model::Layer> layers;
  for (int k = 0; k < 130; ++k) {
    layers.push_back(testing::dense_layer("fc" + std::to_string(k), shape, 2, weights));
  }
  const model::Network network = testing::network_of(layers);
  const auto ranges = testing::ranges_of(network);
  EXPECT_THAT(testing::error_of(ErrorCode::kUnsupported, [&] { compile(network, ranges); }),
              HasSubstr("no ring up to N = 2^17 holds 130 layers"));
}

}  // namespace
}  // namespace ffconv::plan
