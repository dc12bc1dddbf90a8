#include "ffconv/plan/grouping.h"

#include <set>

#include <gtest/gtest.h>

#include "ffconv/plan/fold.h"

namespace ffconv::plan {
namespace {

std::vector<Diagonal> diagonals(const std::vector<std::int32_t>& rotations) {
  std::vector<Diagonal> result;
  for (const std::int32_t r : rotations) {
    result.push_back({0, 0, r});
  }
  return result;
}

std::vector<std::int32_t> range(std::int32_t count, std::int32_t step = 1) {
  std::vector<std::int32_t> result;
  for (std::int32_t k = 0; k < count; ++k) {
    result.push_back(k * step);
  }
  return result;
}

constexpr CostShape kShape{13, 4, 1, 1};

TEST(Grouping, StepsAlwaysAddUpToTheRotation) {
  for (const auto& rotations : {range(16), range(13, 3), {0, 1, 31, 61, 62, 63}}) {
    for (const SplitOption& option : split_options(diagonals(rotations), 64)) {
      for (const std::int32_t r : rotations) {
        const Steps steps = option.split.steps(r, 256);
        EXPECT_EQ((steps.baby + steps.giant - r) % 64, 0);
        EXPECT_GE(std::min(steps.baby, steps.giant), 0);
        EXPECT_LT(std::max(steps.baby, steps.giant), 256);
      }
    }
  }
}

TEST(Grouping, SixteenRotationsAreOfferedAsFourTimesFour) {
  // 3 babies and 3 giants other than 0; all products in the extended basis.
  bool found = false;
  for (const SplitOption& option : split_options(diagonals(range(16)), 128)) {
    found = found || (option.shape.babies == 3 && option.shape.giants == 3 &&
                      option.shape.decomposed_inputs == 1 && option.shape.extended_terms == 16);
  }
  EXPECT_TRUE(found);
}

TEST(Grouping, AKeyIsCountedForEveryStepAndItsPriceBalancesBabiesWithGiants) {
  // Two inputs share the keys of their babies.
  std::vector<Diagonal> two;
  for (const std::int32_t input : {0, 1}) {
    for (const std::int32_t r : range(16)) {
      two.push_back({0, input, r});
    }
  }
  const auto options = split_options(two, 16);
  for (const SplitOption& option : options) {
    std::set<std::int32_t> babies, giants;
    for (const Diagonal& d : two) {
      const Steps steps = option.split.steps(d.rotation, 16);
      babies.insert(steps.baby);
      giants.insert(steps.giant);
    }
    babies.erase(0);
    giants.erase(0);
    EXPECT_EQ(option.keys, static_cast<int>(babies.size() + giants.size()));
  }
  EXPECT_EQ(cheapest(options, default_cost_table(), kShape, 1e9).keys, 3 + 3);
  EXPECT_EQ(fold_keys(fold_factors(64, default_cost_table(), kShape, 1e9)), 6);  // by halves
}

TEST(Grouping, OneRotationByNothingNeedsNoExtendedBasis) {
  const auto options = split_options(diagonals({0}), 128);
  const LinearShape& shape = cheapest(options, default_cost_table(), kShape).shape;
  EXPECT_EQ(shape.plain_terms, 1);
  EXPECT_EQ(shape.babies + shape.giants + shape.extended_terms, 0);
}

TEST(Grouping, NegativeShiftsJoinTheirNeighbours) {
  // A 3 x 3 kernel on rows of 8 in channels of 64: -9 .. 9 around multiples of 64. With the right
  // offset the 9 spatial shifts are babies (8 of them not 0) and the 3 channel shifts giants.
  std::vector<std::int32_t> rotations;
  for (std::int32_t channel = 0; channel < 4; ++channel) {
    for (std::int32_t y = -1; y <= 1; ++y) {
      for (std::int32_t x = -1; x <= 1; ++x) {
        rotations.push_back((64 * channel + 8 * y + x + 256) % 256);
      }
    }
  }
  bool found = false;
  for (const SplitOption& option : split_options(diagonals(rotations), 256)) {
    found = found || (option.shape.babies == 8 && option.shape.giants == 3);
  }
  EXPECT_TRUE(found);
}

TEST(Grouping, NoOptionIsWorseThanAnother) {
  const auto options = split_options(diagonals(range(40)), 64);
  ASSERT_GT(options.size(), 1u);
  for (const SplitOption& a : options) {
    for (const SplitOption& b : options) {
      if (&a != &b) {
        EXPECT_TRUE(a.shape.babies > b.shape.babies || a.shape.giants > b.shape.giants ||
                    a.shape.extended_terms > b.shape.extended_terms ||
                    a.shape.decomposed_inputs > b.shape.decomposed_inputs ||
                    a.shape.extended_outputs > b.shape.extended_outputs);
      }
    }
  }
}

TEST(Fold, FactorsMultiplyToTheSizeAndCostNoMoreThanDoubling) {
  const CostTable& table = default_cost_table();
  for (std::size_t bits = 0; bits <= 12; ++bits) {
    const auto factors = fold_factors(std::size_t{1} << bits, table, kShape);
    std::size_t product = 1;
    for (const std::size_t factor : factors) {
      product *= factor;
    }
    EXPECT_EQ(product, std::size_t{1} << bits);
    EXPECT_LE(fold_us(factors, table, kShape),
              fold_us(std::vector<std::size_t>(bits, 2), table, kShape));
  }
}

TEST(Fold, StagesAddEveryMultipleOfTheDistanceOnce) {
  const auto stages = fold_rotations({4, 2}, 8);
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[0], (std::vector<std::int32_t>{0, 8, 16, 24}));
  EXPECT_EQ(stages[1], (std::vector<std::int32_t>{0, 32}));
}

}  // namespace
}  // namespace ffconv::plan
