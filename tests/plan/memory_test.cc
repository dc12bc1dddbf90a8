// What a server's memory is read off the program, and budgets.
#include "ffconv/plan/memory.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/programs.h"
#include "support/error_of.h"

namespace ffconv::plan {
namespace {

using ::ffconv::testing::error_of;
using ::testing::HasSubstr;

// A product with `count` vectors, one of them rotated, at N = 2^log_n.
Program products(int log_n, std::int32_t count) {
  const std::size_t n = std::size_t{1} << log_n;
  Emitter emitter(log_n, 1);
  const Register x = emitter.input({{0}}, {1, 1});
  emitter.begin_layer("layer");
  std::vector<LinearTerm> terms;
  for (std::int32_t k = 0; k < count; ++k) {
    std::vector<double> values(n, 0.0);
    values[static_cast<std::size_t>(k)] = 1;
    terms.push_back({0, 0, k == 3 ? 1 : 0, 0, emitter.vector({values})});
  }
  emitter.output(emitter.rescale(emitter.linear({x}, 1, terms, {4, 1})[0]), {{0}});
  Program program = emitter.finish();
  program.params = one_prime_a_level(log_n, {30, 30}, {40}, 1, 1);
  program.params.security = Security::kInsecureForTesting;
  program.instructions[0].plain_scale = 0x1p20;
  return program;
}

TEST(Memory, CountsWeightsKeysAndCiphertexts) {
  const Program program = products(4, 4);
  const Params params(program.params);
  const Memory memory = memory_of(program, params);
  EXPECT_EQ(memory.weights, 4u * 3 * 16 * 6);  // two primes and a special one
  EXPECT_EQ(memory.slots, 4u * 16 * 8);
  EXPECT_EQ(memory.keys, 2u * 2 * 3 * 16 * 6 + 16 * 4);  // two digits, and a permutation
  SmallWeights small(program.instructions.size(), false);
  small[0] = true;
  const Memory kept_small = memory_of(program, params, small, 2);
  EXPECT_EQ(kept_small.weights, 4u * 16 * 3);
  // Two threads: a limb of the one group's four vectors, and of x as it is and rotated.
  EXPECT_EQ(kept_small.ciphertexts, memory.ciphertexts + 2u * (4 * 16 * 6 + 2 * 2 * 16 * 8));
  EXPECT_GT(expansion_us(program, program.instructions[0], default_cost_table()), 0);
  EXPECT_EQ(expansion_us(program, program.instructions[1], default_cost_table()), 0);
}

TEST(Memory, WeightsThatAreNotSmallStay) {
  Program program = products(4, 4);
  program.instructions[0].plain_scale = 0x1p40;
  EXPECT_EQ(expansion_us(program, program.instructions[0], default_cost_table()), 0);
}

TEST(FitMemory, KeepsWeightsSmallOnlyAsFarAsTheBudgetAsks) {
  const Program program = products(12, 300);
  const Params params(program.params);
  const std::uint64_t all = memory_of(program, params).total(), needed = all + all / 20;
  const auto& table = default_cost_table();
  EXPECT_EQ(std::ranges::count(fit_memory(program, params, needed, table), true), 0);
  const SmallWeights small = fit_memory(program, params, needed - 1, table);
  EXPECT_EQ(std::ranges::count(small, true), 1);
  EXPECT_LT(memory_of(program, params, small).total(), all);
}

TEST(FitMemory, RefusesABudgetBelowTheLeastAndNamesIt) {
  const Program program = testing::small_compiled().program;
  const Params params(program.params);
  EXPECT_THAT(error_of(ErrorCode::kUnsupported,
                       [&] { fit_memory(program, params, 1'000'000, default_cost_table()); }),
              HasSubstr("got 1 MB"));
}

}  // namespace
}  // namespace ffconv::plan
