#include "ffconv/plan/program.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/plan/emitter.h"
#include "plan/programs.h"

namespace ffconv::plan {
namespace {

constexpr model::Range kUnit{1, 1};

using ::testing::ElementsAre;

// Over one prime a level, so that a key serves all levels below its own.
Program with_params(Program program) {
  program.params = one_prime_a_level(4, {30, 30, 30, 30}, {40}, 1, 3);
  program.params.security = Security::kInsecureForTesting;
  return program;
}

TEST(KeyRequest, AsksForEachStepAtItsHighestLevel) {
  Emitter emitter(4, 3);
  const Register x = emitter.input({{0}}, kUnit);
  emitter.begin_layer("layer");
  const std::int32_t one = emitter.vector({{1.0}});
  const Register y = emitter.linear({x}, 1, {{0, 0, 5, 2, one}, {0, 0, 0, 2, one}}, kUnit)[0];
  Register z = emitter.rescale(y);                     // level 2
  z = emitter.rotate(z, -1);                           // by 15
  z = emitter.rotate_sum(z, {0, 5, 7});                // 5 again, lower
  z = emitter.relinearize_rescale(emitter.square(z));  // from level 2 to 1
  emitter.output(emitter.rescale(z), {{0}});
  const KeyRequest keys = key_request(with_params(emitter.finish()));
  EXPECT_EQ(keys.relinearization, std::vector<std::int32_t>{2});
  std::vector<std::pair<int, int>> rotations;
  for (const auto& rotation : keys.rotations) {
    rotations.emplace_back(rotation.step, rotation.level);
  }
  EXPECT_THAT(rotations,
              ElementsAre(std::pair(2, 3), std::pair(5, 3), std::pair(7, 2), std::pair(15, 2)));
}

TEST(KeyRequest, AsksForEveryLevelThatNoHigherKeyServes) {
  Emitter emitter(4, 2);
  Register x = emitter.input({{0}}, kUnit);
  emitter.begin_layer("layer");
  x = emitter.rescale(emitter.multiply_plain(emitter.rotate(x, 3), emitter.vector({{2.0}}), kUnit));
  emitter.output(
      emitter.rescale(emitter.multiply_plain(emitter.rotate(x, 3), emitter.vector({{2.0}}), kUnit)),
      {{0}});
  Program program = with_params(emitter.finish());
  program.params.levels[1].primes = {0, 3};  // not the first primes of level 2
  const KeyRequest keys = key_request(program);
  ASSERT_EQ(keys.rotations.size(), 2u);
  EXPECT_EQ(keys.rotations[0].level, 1);
  EXPECT_EQ(keys.rotations[1].level, 2);
}

TEST(KeyRequest, AProgramWithoutRotationsNeedsNone) {
  Emitter emitter(4, 1);
  const Register x = emitter.input({{0}}, kUnit);
  emitter.begin_layer("layer");
  const Register y = emitter.rotate(x, 16);  // by a whole turn: nothing is emitted
  EXPECT_EQ(y, x);
  emitter.output(emitter.rescale(emitter.multiply_plain(y, emitter.vector({{2.0}}), kUnit)), {{0}});
  const KeyRequest keys = key_request(with_params(emitter.finish()));
  EXPECT_TRUE(keys.relinearization.empty());
  EXPECT_TRUE(keys.rotations.empty());
}

TEST(LastUses, KeepsRegistersUntilTheirLastReaderAndOutputsToTheEnd) {
  Emitter emitter(4, 1);
  const Register a = emitter.input({{0}}, kUnit);
  const Register unused = emitter.input({{0}}, kUnit);
  emitter.begin_layer("layer");
  const Register b = emitter.rotate(a, 1);     // 0
  const Register c = emitter.add(a, b);        // 1
  const Register dead = emitter.rotate(c, 2);  // 2
  const Register d = emitter.rescale(c);       // 3
  emitter.output(d, {{0}});
  const auto last = last_uses(emitter.finish());
  EXPECT_EQ(last[static_cast<std::size_t>(a)], 1u);
  EXPECT_EQ(last[static_cast<std::size_t>(unused)], 0u);
  EXPECT_EQ(last[static_cast<std::size_t>(b)], 1u);
  EXPECT_EQ(last[static_cast<std::size_t>(c)], 3u);
  EXPECT_EQ(last[static_cast<std::size_t>(dead)], 2u);
  EXPECT_EQ(last[static_cast<std::size_t>(d)], 4u);
}

TEST(Emitter, KeepsVectorsWithTheirShortestPeriod) {
  Emitter emitter(3, 1);
  emitter.begin_layer("layer");
  emitter.vector({{1, 2, 1, 2, 1, 2, 1, 2}});
  emitter.vector({{3, 3, 3, 3}});
  const Program program = emitter.finish();
  EXPECT_THAT(program.vectors[0].values, ElementsAre(1, 2));
  EXPECT_THAT(program.vectors[1].values, ElementsAre(3));
}

TEST(ForgetWeights, GivesTheirStorageBackAndKeepsConstants) {
  Program program;
  program.vectors = {{{1, 2, 3, 4}}, {{5}}};
  forget_weights(program);
  EXPECT_EQ(program.vectors[0].values.capacity(), 0u);
  EXPECT_EQ(program.vectors[1].values, std::vector<double>{5});
}

}  // namespace
}  // namespace ffconv::plan
