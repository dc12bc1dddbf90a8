// The clear backend: each operation by hand on four slots, and simulated noise.
#include "ffconv/backend/clear.h"

#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/plan/emitter.h"
#include "plan/programs.h"

namespace ffconv::backend {
namespace {

using ::testing::ElementsAre;

class Clear : public ::testing::Test {
 protected:
  Clear() {
    plan::Emitter emitter(2, 3);
    emitter.input({{0, 1, plan::SlotLabels::kEmpty, 2}}, {4, 1});
    emitter.input({{0, 1}}, {4, 1});
    emitter.begin_layer("layer");
    emitter.vector({{1, 2, 3, 4}});
    emitter.vector({{10, 20}});
    program_ = emitter.finish();
  }

  plan::Program program_;
};

TEST_F(Clear, EncryptPutsElementsWhereTheLabelsSayAndRepeatsThePeriod) {
  ClearBackend backend(program_);
  const std::vector<double> image{5, 6, 7};
  EXPECT_THAT(backend.encrypt(0, image).slots, ElementsAre(5, 6, 0, 7));
  EXPECT_THAT(backend.encrypt(1, image).slots, ElementsAre(5, 6, 5, 6));
  EXPECT_EQ(backend.encrypt(0, image).level, 3);
}

TEST_F(Clear, OperationsDoWhatTheirNamesSay) {
  ClearBackend backend(program_);
  const std::vector<double> image{1, 2, 4};
  const auto x = backend.encrypt(0, image);  // 1 2 0 4
  EXPECT_THAT(backend.rotate(x, 1).slots, ElementsAre(2, 0, 4, 1));
  EXPECT_THAT(backend.rotate_sum(x, std::vector<std::int32_t>{0, 2}).slots,
              ElementsAre(1, 6, 1, 6));
  EXPECT_THAT(backend.add(x, backend.rotate(x, 3)).slots, ElementsAre(5, 3, 2, 4));
  EXPECT_THAT(backend.add_plain(x, 1).slots, ElementsAre(11, 22, 10, 24));
  EXPECT_THAT(backend.multiply_plain(x, 0, 8).slots, ElementsAre(1, 4, 0, 16));
  const auto square = backend.square(x);
  EXPECT_THAT(square.slots, ElementsAre(1, 4, 0, 16));
  EXPECT_EQ(square.polynomials, 3);
  EXPECT_EQ(backend.relinearize(square).polynomials, 2);
  const auto divided = backend.relinearize_rescale(square);
  EXPECT_THAT(divided.slots, ElementsAre(1, 4, 0, 16));
  EXPECT_EQ(divided.polynomials, 2);
  EXPECT_EQ(divided.level, 2);
  EXPECT_THAT(backend.multiply(x, backend.rotate(x, 1)).slots, ElementsAre(2, 0, 0, 4));
  EXPECT_EQ(backend.rescale(x).level, 2);
  EXPECT_THAT(backend.rescale(x).slots, ElementsAre(1, 2, 0, 4));
  EXPECT_EQ(backend.drop_level(x, 1).level, 1);
}

TEST_F(Clear, LinearSumsTermsWithBabyAndGiantSteps) {
  ClearBackend backend(program_);
  const std::vector<double> image{1, 2, 4};
  const auto x = backend.encrypt(0, image);  // 1 2 0 4
  const auto y = backend.encrypt(1, image);  // 1 2 1 2
  plan::Instruction op;
  op.in = {0, 1};
  op.out = {2, 3};
  op.terms = {{0, 0, 1, 0, 1},   // (10, 20, 10, 20) * (2, 0, 4, 1) = (20, 0, 40, 20)
              {1, 0, 0, 2, 0},   // (1, 2, 3, 4) * (1, 2, 1, 2) = (1, 4, 3, 8), by 2: (3, 8, 1, 4)
              {1, 1, 1, 0, 0}};  // (1, 2, 3, 4) * (2, 1, 2, 1) = (2, 2, 6, 4)
  op.plain_scale = 1;
  const ClearBackend::Ciphertext* inputs[] = {&x, &y};
  const auto outputs = backend.linear(op, inputs);
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_THAT(outputs[0].slots, ElementsAre(23, 8, 41, 24));
  EXPECT_THAT(outputs[1].slots, ElementsAre(2, 2, 6, 4));
}

TEST(ClearNoise, EqualSeedsGiveEqualResultsAndOthersDiffer) {
  const plan::Program program = testing::small_compiled().program;
  const std::vector<double> image(36, 3.0);
  const auto exact = run_clear(program, image, 4);
  const auto once = run_clear(program, image, 4, 1);
  EXPECT_EQ(once, run_clear(program, image, 4, 1));
  EXPECT_NE(once, run_clear(program, image, 4, 2));
  EXPECT_NE(once, exact);
}

TEST(ClearNoise, FreshErrorHasTheStandardDeviationOfTheModel) {
  const plan::Program program = testing::small_compiled().program;
  ClearBackend backend(program, 7);
  const auto x = backend.encrypt(0, std::vector<double>(36, 0.0));
  double sum = 0;
  for (const double slot : x.slots) {
    sum += slot * slot;
  }
  const double n = static_cast<double>(x.slots.size());
  const double measured = std::sqrt(sum / n) * x.scale;
  const plan::ErrorModel errors(program.params);
  // The mean of n squares is within 5 sqrt(2/n) of its expectation; encoding adds far less.
  EXPECT_NEAR(measured * measured / (errors.fresh() * errors.fresh()), 1,
              5 * std::sqrt(2 / n) + 0.01);
}

}  // namespace
}  // namespace ffconv::backend
