#include "ffconv/plan/bit_layout.h"

#include <array>
#include <random>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/plan/linear_map.h"
#include "plan/networks.h"

namespace ffconv::plan {
namespace {

using ::testing::ElementsAre;

constexpr std::int32_t _ = SlotLabels::kEmpty;

TEST(BitLayout, EveryBitOfAPositionIsABitOfTheAddress) {
  // Channels above rows above columns; then the row's bit on top, where it numbers ciphertexts.
  const model::Shape shape{{3, 2, 2}};
  const Layout rowmajor = make_layout(shape, {{{{2, 3}, {1}, {0}}}, 4});
  EXPECT_THAT(rowmajor.ciphertexts[0].elements,
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, _, _, _, _));
  const Layout phases = make_layout(shape, {{{{1, 2}, {3}, {0}}}, 3});
  ASSERT_EQ(phases.ciphertexts.size(), 2u);
  EXPECT_THAT(phases.ciphertexts[0].elements, ElementsAre(0, 1, 4, 5, 8, 9, _, _));
  EXPECT_THAT(phases.ciphertexts[1].elements, ElementsAre(2, 3, 6, 7, 10, 11, _, _));
  EXPECT_EQ(phases.name, "{y0} c1 c0 x0");
}

TEST(BitLayout, CiphertextsWithoutAnElementAreLeftOut) {
  // Three channels, one a ciphertext, and rows in two: six of eight.
  const Layout layout = make_layout({{3, 2, 2}}, {{{{1, 2}, {3}, {0}}}, 1});
  EXPECT_EQ(layout.ciphertexts.size(), 6u);
}

TEST(BitLayout, CandidatesHoldEveryElementOnce) {
  const model::Shape shape{{5, 6, 7}};
  const auto layouts = bit_layouts(shape, {64, {{0, 0}, {1, 1}, {2, 1}}, 1});
  EXPECT_GT(layouts.size(), 20u);
  std::set<std::string> names;
  for (const BitLayout& bits : layouts) {
    const Layout layout = make_layout(shape, bits);
    EXPECT_LE(layout.period(), 64u);
    std::vector<int> seen(shape.size(), 0);
    for (const SlotLabels& labels : layout.ciphertexts) {
      for (const std::int32_t element : labels.elements) {
        if (element != _) {
          ++seen[static_cast<std::size_t>(element)];
        }
      }
    }
    EXPECT_THAT(seen, ::testing::Each(1)) << layout.name;
    names.insert(layout.name);
  }
  EXPECT_EQ(names.size(), layouts.size());
}

TEST(BitLayout, DiagonalsOfConvolutionsAreThoseThatTheWeightsGive) {
  constexpr unsigned kSeed = 20261128;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  testing::Weights weights(kSeed);
  for (int round = 0; round < 40; ++round) {
    model::ConvGeometry geometry;
    geometry.groups = 1 + below(2);
    geometry.kernel = {1 + below(4), 1 + below(4)};
    geometry.strides = {1 + below(2), 1 + below(2)};
    geometry.dilations = {1 + below(2), 1 + below(2)};
    geometry.pads = {below(2), below(2), below(2), below(2)};
    const model::Shape in{{geometry.groups * (1 + below(3)), 7 + below(4), 7 + below(4)}};
    const auto conv =
        testing::conv_layer("conv", in, geometry.groups * (1 + below(4)), geometry, weights);
    const std::vector<std::array<int, 2>> phases = {{0, 0}, {1, 0}, {1, 1}, {2, 2}};
    const auto from = bit_layouts(in, {256, phases, 1});
    const auto to = bit_layouts(conv.out, {256, phases, 1});
    ConvolutionDiagonals diagonals(conv);
    for (int pair = 0; pair < 10; ++pair) {
      const BitLayout &source = from[below(from.size())], &target = to[below(to.size())];
      const Layout in_layout = make_layout(in, source), out_layout = make_layout(conv.out, target);
      const LinearMap map(conv, in_layout, out_layout);
      EXPECT_EQ(diagonals.find(source, target), map.diagonals())
          << in_layout.name << " -> " << out_layout.name;
      EXPECT_EQ(diagonals.count(source, target), map.diagonals().size());
    }
  }
}

}  // namespace
}  // namespace ffconv::plan
