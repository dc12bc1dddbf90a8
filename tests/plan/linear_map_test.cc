#include "ffconv/plan/linear_map.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/networks.h"
#include "support/error_of.h"

namespace ffconv::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int32_t _ = SlotLabels::kEmpty;

model::Linear matrix(std::size_t rows, std::size_t columns, std::vector<double> weights) {
  testing::Weights random(1);
  model::Linear layer = testing::dense_layer("matrix", {{columns}}, rows, random);
  layer.map = model::Dense{std::move(weights)};
  return layer;
}

Layout flat(std::size_t size, std::size_t slots) {
  const model::Shape shape{{size}};
  return grid_layout(shape, flat_grid(shape), slots);
}

std::vector<std::int32_t> rotations(const LinearMap& map) {
  std::vector<std::int32_t> result;
  for (const Diagonal& d : map.diagonals()) {
    result.push_back(d.rotation);
  }
  return result;
}

const Split kBabiesOnly{4, 0, 1, 4};

// The example of docs/packing.md: a full 4 x 4 matrix has four diagonals.
TEST(LinearMap, SquareMatrixIsItsGeneralizedDiagonals) {
  const auto layer = matrix(4, 4, {11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 33, 34, 41, 42, 43, 44});
  const Layout layout = flat(4, 4);
  const LinearMap map(layer, layout, layout);
  EXPECT_THAT(rotations(map), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(map.fold(), 1u);
  const auto vectors = map.vectors(kBabiesOnly, 4);
  EXPECT_THAT(vectors[0].values, ElementsAre(11, 22, 33, 44));
  EXPECT_THAT(vectors[1].values, ElementsAre(12, 23, 34, 41));
  EXPECT_THAT(vectors[2].values, ElementsAre(13, 24, 31, 42));
  EXPECT_THAT(vectors[3].values, ElementsAre(14, 21, 32, 43));
}

TEST(LinearMap, GiantStepsRotateTheVectorsBack) {
  const auto layer = matrix(4, 4, {11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 33, 34, 41, 42, 43, 44});
  const Layout layout = flat(4, 4);
  const LinearMap map(layer, layout, layout);
  const Split split{4, 0, 1, 2};  // rotation 3 = baby 1 + giant 2
  EXPECT_EQ(split.steps(3, 4).baby, 1);
  EXPECT_EQ(split.steps(3, 4).giant, 2);
  // Slot s + 2 before the giant step is slot s after it.
  EXPECT_THAT(map.vectors(split, 4)[3].values, ElementsAre(32, 43, 14, 21));
}

TEST(LinearMap, FewerOutputsFoldWhatTheSlotsHold) {
  // Two outputs of period 2: rotations 0 and 1, then slots s and s + 2 are added up.
  const auto layer = matrix(2, 4, {11, 12, 13, 14, 21, 22, 23, 24});
  const Layout in = flat(4, 4), out = flat(2, 4);
  const LinearMap map(layer, in, out);
  EXPECT_THAT(rotations(map), ElementsAre(0, 1));
  EXPECT_EQ(map.fold(), 2u);
  const auto vectors = map.vectors({2, 0, 1, 2}, 4);
  EXPECT_THAT(vectors[0].values, ElementsAre(11, 22, 13, 24));
  EXPECT_THAT(vectors[1].values, ElementsAre(12, 23, 14, 21));
}

TEST(LinearMap, ReplicasOfTheInputSaveRotations) {
  // In natural order 4 outputs of 8 inputs take 4 rotations; folded for period 4 with run 2, two.
  testing::Weights weights(3);
  const auto layer = testing::dense_layer("d", {{8}}, 4, weights);
  const Layout out = flat(4, 16);
  const Layout natural = flat(8, 16);
  const Layout folded = folded_layout({{8}}, {1, 1, 1}, 4, 2, 16);
  EXPECT_THAT(rotations(LinearMap(layer, natural, out)), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(rotations(LinearMap(layer, folded, out)), ElementsAre(0, 1));
}

TEST(LinearMap, ConstantWhereTheInputHasElementsIsAScalar) {
  testing::Weights weights(3);
  const model::Shape shape{{1, 1, 3}};
  const auto conv = testing::conv_layer("c", shape, 1, {}, weights);  // 1 x 1
  const Layout layout = flat(3, 8);                                   // the fourth slot is empty
  const auto vectors = LinearMap(conv, layout, layout).vectors({4, 0, 1, 4}, 8);
  EXPECT_THAT(vectors[0].values, ElementsAre(conv.convolution()->weights[0]));
}

TEST(LinearMap, UsesEveryWeightExactlyOnce) {
  testing::Weights weights(5);
  auto layer = testing::dense_layer("d", {{13}}, 6, weights);
  layer.map = model::Dense{std::vector<double>(13 * 6, 1.0)};
  const Layout in = folded_layout({{13}}, {1, 1, 1}, 8, 4, 64), out = flat(6, 64);
  const LinearMap map(layer, in, out);
  for (const SplitOption& option : split_options(map.diagonals(), map.modulus())) {
    double sum = 0;
    for (const SlotVector& vector : map.vectors(option.split, 64)) {
      for (const double value : vector.values) {
        sum += value * 64.0 / static_cast<double>(vector.values.size());
      }
    }
    EXPECT_EQ(sum, 13 * 6);  // no vector is constant here: empty outputs are in between
  }
}

TEST(LinearMap, NamesTheElementThatStandsNowhere) {
  testing::Weights weights(5);
  const auto layer = testing::dense_layer("fc1", {{3}}, 2, weights);
  const Layout in{"", {{{0, _, 2, _}}}}, out = flat(2, 4);
  const std::string message =
      testing::error_of(ErrorCode::kInvalidArgument, [&] { LinearMap(layer, in, out); });
  EXPECT_THAT(message, HasSubstr("layer fc1: input element 1 stands in no slot"));
}

}  // namespace
}  // namespace ffconv::plan
