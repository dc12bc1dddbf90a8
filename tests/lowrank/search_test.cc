#include "ffconv/lowrank/search.h"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ffconv::lowrank {
namespace {

using ::testing::ElementsAre;

Layer dense(std::size_t rows, std::size_t columns) {
  return {0, "", rows, columns, 1};
}

Components with_energies(std::vector<double> energies) {
  return {Matrix(), std::move(energies), Vector()};
}

TEST(HmaCost, IsOneAWeightOfTheTwoPartsWhateverThePositions) {
  const Layer layer{0, "", 112, 8300, 49};
  EXPECT_EQ(hma_cost(layer, kWhole), 112.0 * 8300);
  EXPECT_EQ(hma_cost(layer, 27), 27.0 * 8300 + 112 * 27);
}

TEST(RanksForEnergy, AreTheSmallestThatKeepIt) {
  const std::vector<Layer> layers{dense(4, 100), dense(4, 100)};
  const std::vector components{with_energies({6, 3, 1, 0}), with_energies({7, 1, 1, 1})};
  EXPECT_THAT(ranks_for_energy(layers, components, 0.9, hma_cost), ElementsAre(2, 3));
  EXPECT_THAT(ranks_for_energy(layers, components, 0.91, hma_cost), ElementsAre(3, kWhole));
  EXPECT_THAT(ranks_for_energy(layers, components, 0, hma_cost), ElementsAre(1, 1));
}

TEST(RanksForEnergy, LeaveALayerWholeWhereThatIsCheaper) {
  // Rank 2 of 4 x 4 has as many products as the layer itself.
  const std::vector<Layer> layers{dense(4, 4)};
  const std::vector components{with_energies({8, 1, 1, 0})};
  EXPECT_THAT(ranks_for_energy(layers, components, 0.9, hma_cost), ElementsAre(kWhole));
  EXPECT_THAT(ranks_for_energy(layers, components, 0.8, hma_cost), ElementsAre(1));
}

// Layers of random shapes and spectra, and every combination of their ranks.
class SearchTest : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  SearchTest() {
    std::mt19937_64 random(GetParam());
    std::vector<double> sensitivities;
    for (int l = 0; l < 3; ++l) {
      layers_.push_back({0, "", 2 + random() % 5, 2 + random() % 9, 1 + random() % 4});
      std::vector<double> energies;
      for (std::size_t k = 0; k < layers_.back().full_rank(); ++k) {
        energies.push_back(static_cast<double>(random() % 1000));
      }
      std::ranges::sort(energies, std::greater<>());
      components_.push_back(with_energies(std::move(energies)));
      sensitivities.push_back(static_cast<double>(1 + random() % 10));
    }
    error_ = lost_energy(components_, sensitivities);
  }

  double error_of(const Ranks& ranks) const {
    double sum = 0;
    for (std::size_t l = 0; l < ranks.size(); ++l) {
      sum += error_(l, ranks[l]);
    }
    return sum;
  }

  // The least error of all combinations that cost at most `budget`; infinite where none does.
  double least_error(double budget) const {
    double least = INFINITY;
    Ranks ranks(3);
    for (ranks[0] = 0; ranks[0] <= layers_[0].full_rank(); ++ranks[0]) {
      for (ranks[1] = 0; ranks[1] <= layers_[1].full_rank(); ++ranks[1]) {
        for (ranks[2] = 0; ranks[2] <= layers_[2].full_rank(); ++ranks[2]) {
          if (total_cost(layers_, ranks, hma_cost) <= budget) {
            least = std::min(least, error_of(ranks));
          }
        }
      }
    }
    return least;
  }

  std::vector<Layer> layers_;
  std::vector<Components> components_;
  RankError error_;
};

TEST_P(SearchTest, EveryStateOfThePathHasTheLeastErrorForItsCost) {
  const auto path = rank_path(layers_, error_, hma_cost);
  EXPECT_EQ(path.front(), Ranks(3, kWhole));
  double cost = total_cost(layers_, path.front(), hma_cost) + 1;
  for (const Ranks& ranks : path) {
    const double next = total_cost(layers_, ranks, hma_cost);
    EXPECT_LT(next, cost);
    cost = next;
    EXPECT_NEAR(error_of(ranks), least_error(cost), 1e-9);
    EXPECT_EQ(without_costly(layers_, ranks, hma_cost), ranks);
  }
  EXPECT_EQ(least_error(cost - 1), INFINITY);  // it ends where nothing is cheaper
}

TEST_P(SearchTest, BudgetsAreKeptAndSpent) {
  const double whole = total_cost(layers_, Ranks(3, kWhole), hma_cost);
  for (double budget = 0; budget <= whole; budget += whole / 23) {
    const double least = least_error(budget);
    const auto ranks = ranks_within_budget(layers_, error_, hma_cost, budget);
    ASSERT_EQ(ranks.has_value(), std::isfinite(least));
    if (!ranks) {
      continue;
    }
    const double cost = total_cost(layers_, *ranks, hma_cost);
    EXPECT_LE(cost, budget);
    // No single layer could be raised for what is left and lose less.
    for (std::size_t l = 0; l < 3; ++l) {
      Ranks raised = *ranks;
      for (raised[l] = 0; raised[l] <= layers_[l].full_rank(); ++raised[l]) {
        if (total_cost(layers_, raised, hma_cost) <= budget) {
          EXPECT_GE(error_of(raised), error_of(*ranks) - 1e-9);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SearchTest, ::testing::Range<std::uint64_t>(0, 25));

TEST(RanksWithinLoss, AreTheLastOfThePathThatKeepsTheLimit) {
  std::vector<Ranks> path;
  for (std::size_t k = 0; k < 17; ++k) {
    path.push_back({k});
  }
  for (std::size_t last = 0; last < 17; ++last) {
    std::size_t calls = 0;
    const auto loss = [&](const Ranks& ranks) {
      ++calls;
      return ranks[0] <= last ? 0.01 : 0.02;
    };
    EXPECT_THAT(ranks_within_loss(path, loss, 0.01), ElementsAre(last));
    EXPECT_LE(calls, 5u);
  }
}

TEST(RanksWithinLatency, AreTheFirstProbedThatIsFastEnoughRefined) {
  std::vector<Ranks> path;
  for (std::size_t k = 0; k < 17; ++k) {
    path.push_back({k});
  }
  // A level more costs 5 at first; then every step saves 1.
  const auto latency = [](const Ranks& ranks) {
    return ranks[0] == 0 ? 20.0 : 25.0 - static_cast<double>(ranks[0]);
  };
  EXPECT_THAT(*ranks_within_latency(path, latency, 20, 4), ElementsAre(0));
  EXPECT_THAT(*ranks_within_latency(path, latency, 18, 4), ElementsAre(7));
  EXPECT_THAT(*ranks_within_latency(path, latency, 9, 4), ElementsAre(16));
  EXPECT_FALSE(ranks_within_latency(path, latency, 8, 4).has_value());
  EXPECT_FALSE(ranks_within_latency({{0}}, latency, 8, 4).has_value());
}

}  // namespace
}  // namespace ffconv::lowrank
