#include "ffconv/plan/layout.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/plan/labels.h"
#include "plan/networks.h"

namespace ffconv::plan {
namespace {

using ::testing::ElementsAre;

constexpr std::int32_t _ = SlotLabels::kEmpty;

TEST(Layout, BlockedGridPutsEachChannelIntoABlockOfAPowerOfTwo) {
  const model::Shape shape{{2, 1, 3}};
  const Layout layout = grid_layout(shape, blocked_grid(shape), 16);
  ASSERT_EQ(layout.ciphertexts.size(), 1u);
  EXPECT_THAT(layout.ciphertexts[0].elements, ElementsAre(0, 1, 2, _, 3, 4, 5, _));
}

TEST(Layout, GridContinuesInFurtherCiphertexts) {
  const model::Shape shape{{5}};
  const Layout layout = grid_layout(shape, flat_grid(shape), 4);
  ASSERT_EQ(layout.ciphertexts.size(), 2u);
  EXPECT_THAT(layout.ciphertexts[0].elements, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(layout.ciphertexts[1].elements, ElementsAre(4, _, _, _));
}

TEST(Layout, StridedOutputsStayWhereTheInputsWere) {
  testing::Weights weights(1);
  model::ConvGeometry geometry;
  geometry.strides = {2, 2};
  const model::Shape image{{1, 4, 4}};
  const auto conv = testing::conv_layer("c", image, 1, geometry, weights);
  const auto grid = strided_grid(conv, blocked_grid(image));
  ASSERT_TRUE(grid.has_value());
  EXPECT_THAT(grid_layout(conv.out, *grid, 16).ciphertexts[0].elements,
              ElementsAre(0, _, 1, _, _, _, _, _, 2, _, 3, _, _, _, _, _));
}

TEST(Layout, OutputsThatOutgrowTheirBlockHaveNoStridedGrid) {
  testing::Weights weights(1);
  model::ConvGeometry geometry;
  geometry.pads = {1, 1, 1, 1};  // 2 x 2 becomes 4 x 4
  const model::Shape image{{1, 2, 2}};
  const auto conv = testing::conv_layer("c", image, 2, geometry, weights);
  EXPECT_FALSE(strided_grid(conv, blocked_grid(image)).has_value());
}

TEST(Layout, FoldedLayoutReachesEveryElementWithAFewShifts) {
  // Period 4, run 2: 8 slots hold 4 elements twice.
  const Layout layout = folded_layout({{4}}, {1, 1, 1}, 4, 2, 8);
  EXPECT_THAT(layout.ciphertexts[0].elements, ElementsAre(0, 1, 0, 1, 2, 3, 2, 3));
  // Blocks of 2 slots: two channels of two positions, shifted by blocks.
  const Layout blocks = folded_layout({{2, 1, 2}}, {2, 2, 1}, 2, 1, 8);
  EXPECT_THAT(blocks.ciphertexts[0].elements, ElementsAre(0, 1, 0, 1, 2, 3, 2, 3));
}

TEST(Layout, OffsetInputsHoldOneTapOfEveryOutput) {
  testing::Weights weights(1);
  model::ConvGeometry geometry;
  geometry.kernel = {1, 2};
  geometry.pads = {0, 0, 0, 1};
  const model::Shape image{{1, 1, 3}};  // outputs 0, 1, 2 read (0, 1), (1, 2), (2, padding)
  const auto conv = testing::conv_layer("c", image, 1, geometry, weights);
  const Layout out = grid_layout(conv.out, flat_grid(conv.out), 4);
  const Layout apart = offset_layout(conv, out, 4);
  ASSERT_EQ(apart.ciphertexts.size(), 2u);
  EXPECT_THAT(apart.ciphertexts[0].elements, ElementsAre(0, 1, 2, _));
  EXPECT_THAT(apart.ciphertexts[1].elements, ElementsAre(1, 2, _, _));
  // Twice the slots: both taps in one ciphertext, for a fold to add up.
  const Layout together = offset_layout(conv, out, 8);
  ASSERT_EQ(together.ciphertexts.size(), 1u);
  EXPECT_THAT(together.ciphertexts[0].elements, ElementsAre(0, 1, 2, _, 1, 2, _, _));
}

TEST(Layout, EqualOffsetInputsAreKeptOnce) {
  testing::Weights weights(1);
  const model::Shape image{{1, 1, 4}};
  const auto conv = testing::conv_layer("c", image, 2, {}, weights);  // two maps, one tap
  const Layout maps = grid_layout(conv.out, flat_grid(conv.out), 4);  // a ciphertext each
  EXPECT_EQ(offset_layout(conv, maps, 4).ciphertexts.size(), 1u);
}

TEST(Places, KeepOnePlaceForEachResidueOfACiphertext) {
  const Layout layout{"", {{{0, 1, 0, 1, 1, 0, 0, 1}}}};
  const Places places(layout, 2, 4);
  ASSERT_EQ(places.of(0).size(), 3u);  // slots 0, 2, 5, 6 modulo 4: 0, 1, 2
  EXPECT_EQ(places.of(0)[0].slot, 0);
  EXPECT_EQ(places.of(0)[1].slot, 5);
  EXPECT_EQ(places.of(0)[2].slot, 2);
}

TEST(Labels, PackAndUnpackAreInverseAndReplicasAreAveraged) {
  const SlotLabels labels{{0, _, 1, 0}};
  const std::vector<double> image{3, 5};
  EXPECT_THAT(pack(labels, image), ElementsAre(3, 0, 5, 3));
  const std::vector<std::vector<double>> slots{{1, 9, 5, 2, 3, 9, 7, 2}};
  EXPECT_THAT(unpack(std::vector{labels}, slots, 2), ElementsAre(2, 6));
}

}  // namespace
}  // namespace ffconv::plan
