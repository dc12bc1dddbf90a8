// Every packing against the float executor, on the clear backend: random networks, several rings.
#include "ffconv/plan/packings.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/backend/clear.h"
#include "ffconv/backend/run.h"
#include "ffconv/plan/search.h"
#include "plan/networks.h"
#include "support/error_of.h"
#include "support/random_network.h"

namespace ffconv::plan {
namespace {

Program lower(Packing packing, const Lowering& lowering) {
  switch (packing) {
    case Packing::kDense:
      return lower_chain(lowering, dense_layouts(lowering, Strided::kKeepsPlaces));
    case Packing::kFfconv:
      return lower_chain(lowering, ffconv_layouts(lowering, Strided::kCloses));
    case Packing::kConv:
      return lower_chain(lowering, conv_layouts(lowering));
    case Packing::kFalcon:
      return lower_chain(lowering, falcon_layouts(lowering));
    case Packing::kBatch:
      return lower_chain(lowering, batch_layouts(lowering));
    case Packing::kLola:
      return lower_lola(lowering);
    case Packing::kAuto:
      break;
  }
  const LayoutSearch search(lowering.network, lowering.ring.slot_count());
  return lower_chain(lowering, search.best(lowering, 0)->layouts);
}

// All slots of every output for one image, without noise: secure parameters would not change them.
std::vector<std::vector<double>> run_slots(const Program& program,
                                           const std::vector<double>& image) {
  backend::ClearBackend backend(program);
  std::vector<backend::ClearBackend::Ciphertext> inputs;
  for (std::int32_t i = 0; i < program.input_count; ++i) {
    inputs.push_back(backend.encrypt(i, image));
  }
  std::vector<std::vector<double>> slots;
  for (auto& output : backend::run(program, backend, std::move(inputs))) {
    slots.push_back(std::move(output.slots));
  }
  return slots;
}

// The program's scores are those of the float executor, in every replica, and all other slots of
// its outputs are zero.
void expect_correct(const model::Network& network, Packing packing, int log_n) {
  SCOPED_TRACE(std::string(to_string(packing)) + ", log_n " + std::to_string(log_n));
  const model::Ranges ranges = testing::ranges_of(network);
  const auto [packed, packed_ranges] = packing == Packing::kConv
                                           ? with_patches(network, ranges, 1.5)
                                       : packing == Packing::kFalcon ? with_spectra(network, ranges)
                                                                     : Expanded{network, ranges};
  const Bounds bounds(packed, packed_ranges, 1.5);
  const Lowering lowering{packed, bounds, default_cost_table(), testing::plain_ring(log_n)};
  if (packing == Packing::kConv && conv_layouts(lowering).empty()) {
    return;  // a channel does not fit into a ciphertext
  }
  const Program program = lower(packing, lowering);
  const auto image = testing::random_image(network.input, 77);
  const auto expected = model::run_float(network, image);
  const auto slots = run_slots(program, image);
  std::vector<bool> seen(network.classes, false);
  for (std::size_t o = 0; o < slots.size(); ++o) {
    const auto& labels = program.output_labels[o].elements;
    for (std::size_t s = 0; s < slots[o].size(); ++s) {
      const std::int32_t label = labels[s % labels.size()];
      if (label == SlotLabels::kEmpty) {
        ASSERT_EQ(slots[o][s], 0) << "output " << o << ", slot " << s;
        continue;
      }
      const auto c = static_cast<std::size_t>(label);
      seen[c] = true;
      ASSERT_NEAR(slots[o][s], expected[c], 1e-9 * (1 + std::abs(expected[c])))
          << "class " << c << ", output " << o << ", slot " << s;
    }
  }
  EXPECT_THAT(seen, ::testing::Each(true));
}

TEST(Packings, AgreeWithTheFloatExecutorOn200RandomNetworks) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("network seed " + std::to_string(seed));
    const model::Network network = testing::random_network(
        seed, seed % 2 == 0 ? testing::Activations::kSquare : testing::Activations::kQuadratic);
    // From rings that take several ciphertexts a tensor to rings that hold many copies of it.
    const int log_n = 6 + static_cast<int>(seed % 6);
    for (const Packing packing : kAllPackings) {
      expect_correct(network, packing, log_n);
    }
  }
}

TEST(Packings, AgreeWithTheFloatExecutorOnRandomResidualNetworks) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("network seed " + std::to_string(seed));
    const model::Network network = testing::random_network(seed, testing::Activations::kQuadratic,
                                                           testing::Connections::kResidual);
    const int log_n = 6 + static_cast<int>(seed % 6);
    for (const Packing packing :
         {Packing::kDense, Packing::kFfconv, Packing::kBatch, Packing::kAuto}) {
      expect_correct(network, packing, log_n);
    }
  }
}

// What the random networks do not have: convolutions and diagonals at the end, linear layers
// without a square between, one layer only, maps larger than a ciphertext, channels larger than a
// ciphertext.
TEST(Packings, AgreeWithTheFloatExecutorOnUnusualNetworks) {
  testing::Weights weights(9);
  const model::Shape image{{2, 6, 5}};
  const model::ConvGeometry same{
      .kernel = {3, 3}, .strides = {1, 1}, .dilations = {1, 1}, .pads = {1, 1, 1, 1}, .groups = 1};
  const model::ConvGeometry halving{
      .kernel = {3, 2}, .strides = {2, 2}, .dilations = {1, 1}, .pads = {1, 0, 1, 1}, .groups = 1};
  const auto conv1 = testing::conv_layer("conv1", image, 3, same, weights);
  const auto conv2 = testing::conv_layer("conv2", conv1.out, 4, halving, weights);
  const auto conv3 = testing::conv_layer("conv3", conv2.out, 2, same, weights);
  const auto scale = testing::diagonal_layer("scale", image, weights);
  const auto scale3 = testing::diagonal_layer("scale3", conv3.out, weights);
  const auto fc = testing::dense_layer("fc", conv2.out, 7, weights);
  const auto fc2 = testing::dense_layer("fc2", fc.out, 3, weights);
  const auto one = testing::dense_layer("one", image, 1, weights);
  const model::Square square;
  const std::vector<model::Network> networks = {
      testing::network_of({conv1}),
      testing::network_of({one}),
      testing::network_of({scale}),
      testing::network_of({scale, conv1, square, conv2, square, conv3, scale3}),
      testing::network_of({conv1, conv2, square, fc, fc2}),
      testing::network_of({conv1, square, conv2, square, conv3}),
      testing::network_of({conv1, square, testing::dense_layer("one", conv1.out, 1, weights),
                           square, testing::dense_layer("two", {{1}}, 2, weights)}),
  };
  for (std::size_t k = 0; k < networks.size(); ++k) {
    SCOPED_TRACE("network " + std::to_string(k));
    for (const Packing packing : kAllPackings) {
      for (const int log_n : {4, 5, 7, 9}) {
        expect_correct(networks[k], packing, log_n);
      }
    }
  }
}

TEST(Packings, HaveNamesThatReadBack) {
  for (const Packing packing : kAllPackings) {
    EXPECT_EQ(packing_from_string(to_string(packing)), packing);
  }
  EXPECT_THAT(testing::error_of(ErrorCode::kInvalidArgument, [] { packing_from_string("other"); }),
              ::testing::HasSubstr(
                  "expected one of dense, conv, ffconv, falcon, lola, batch, auto; got other"));
}

}  // namespace
}  // namespace ffconv::plan
