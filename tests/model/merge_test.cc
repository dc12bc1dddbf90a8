#include "ffconv/model/merge.h"

#include <gtest/gtest.h>

#include "plan/networks.h"
#include "support/random_network.h"

namespace ffconv::model {
namespace {

using ::ffconv::testing::conv_layer;
using ::ffconv::testing::dense_layer;
using ::ffconv::testing::diagonal_layer;
using ::ffconv::testing::Weights;

const ConvGeometry kStrided{
    .kernel = {3, 2}, .strides = {2, 1}, .dilations = {1, 1}, .pads = {1, 0, 1, 1}, .groups = 1};

void expect_composed(const Linear& first, const Linear& second) {
  const auto merged = merge(first, second);
  ASSERT_TRUE(merged.has_value());
  EXPECT_EQ(merged->in, first.in);
  EXPECT_EQ(merged->out, second.out);
  EXPECT_EQ(merged->name, first.name + " + " + second.name);
  std::vector<double> x = ffconv::testing::random_image(first.in, 3);
  const std::vector<double> expected = run_linear(second, run_linear(first, x));
  const std::vector<double> got = run_linear(*merged, x);
  for (std::size_t o = 0; o < expected.size(); ++o) {
    ASSERT_NEAR(got[o], expected[o], 1e-9 * (1 + std::abs(expected[o]))) << "output " << o;
  }
}

TEST(Merge, MixesChannelsAfterOrBeforeAConvolution) {
  Weights weights(1);
  const Linear wide = conv_layer("wide", {{3, 7, 6}}, 5, kStrided, weights);
  expect_composed(wide, conv_layer("mix", wide.out, 4, {}, weights));
  const Linear mix = conv_layer("mix", {{3, 7, 6}}, 5, {}, weights);
  const Linear after = conv_layer("wide", mix.out, 4, kStrided, weights);
  expect_composed(mix, after);
  EXPECT_EQ(merge(mix, after)->convolution()->geometry, kStrided);
}

TEST(Merge, TakesAnyLayerUpIntoADenseOne) {
  Weights weights(2);
  const Shape shape{{3, 7, 6}};
  const Linear conv = conv_layer("conv", shape, 5, kStrided, weights);
  expect_composed(conv, dense_layer("fc", conv.out, 4, weights));
  expect_composed(diagonal_layer("scale", shape, weights), dense_layer("fc", shape, 4, weights));
  expect_composed(dense_layer("fc1", shape, 8, weights), dense_layer("fc2", {{8}}, 4, weights));
}

TEST(Merge, LeavesOtherPairsApart) {
  Weights weights(3);
  const Linear wide = conv_layer("wide", {{4, 7, 6}}, 4, kStrided, weights);
  EXPECT_FALSE(merge(wide, conv_layer("wide", wide.out, 4, kStrided, weights)));
  EXPECT_FALSE(merge(wide, diagonal_layer("scale", wide.out, weights)));
  ConvGeometry groups;
  groups.groups = 2;
  EXPECT_FALSE(merge(wide, conv_layer("groups", wide.out, 4, groups, weights)));
  EXPECT_FALSE(merge(dense_layer("fc1", {{4096}}, 8, weights),
                     dense_layer("fc2", {{8}}, 1025, weights)));  // more than 2^22 weights
}

}  // namespace
}  // namespace ffconv::model
