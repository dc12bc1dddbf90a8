// The cost model: by hand from kernel times, and the relations that the planner relies on.
#include "ffconv/ckks/cost.h"

#include <cmath>

#include <gtest/gtest.h>

namespace ffconv {
namespace {

// Every kernel a power of ten, so that a sum shows which kernels ran how often.
const CostTable kDecimal{.machine = "test",
                         .ntt_forward_us = 1,
                         .ntt_inverse_us = 100,
                         .multiply_accumulate_us = 1e4,
                         .plain_product_us = 1e5,
                         .base_extend_us = 1e6,
                         .automorphism_us = 1e8,
                         .add_us = 1e10,
                         .multiply_us = 1e12};
// 4 limbs in 2 digits of 2, 2 special primes: 6 limbs in QP.
constexpr CostShape kShape{14, 4, 2, 2};

TEST(Cost, DecompositionTransformsBackExtendsAndTransforms) {
  // 4 inverse transforms; per digit 2 sources to 4 targets, 4 forward transforms.
  EXPECT_EQ(decompose_us(kDecimal, kShape), 4 * 100 + 2 * (2 * 4 * 1e6 + 4));
}

TEST(Cost, InnerProductMeetsBothPolynomialsOfEveryDigit) {
  EXPECT_EQ(inner_product_us(kDecimal, kShape), 2 * 2 * 6 * 1e4);
}

TEST(Cost, ModDownExtendsTheSpecialLimbsToEveryLimbOfQ) {
  EXPECT_EQ(mod_down_us(kDecimal, kShape), 2 * 100 + 4 * 1 + 2 * 4 * 1e6 + 4 * 1e10);
}

TEST(Cost, RotationIsTheSumOfItsParts) {
  EXPECT_DOUBLE_EQ(rotate_us(kDecimal, kShape), decompose_us(kDecimal, kShape) +
                                                    inner_product_us(kDecimal, kShape) +
                                                    2 * mod_down_us(kDecimal, kShape) + 8 * 1e8);
}

TEST(Cost, TransformsScaleWithNLogNAndTheRestWithN) {
  CostShape half = kShape;
  half.log_n = 13;
  EXPECT_DOUBLE_EQ(inner_product_us(kDecimal, half), inner_product_us(kDecimal, kShape) / 2);
  CostTable transforms{};
  transforms.ntt_forward_us = 7;
  EXPECT_DOUBLE_EQ(decompose_us(transforms, half), decompose_us(transforms, kShape) / 2 * 13 / 14);
}

TEST(Cost, LastDigitMayBeShort) {
  // 3 limbs in digits of 2: one of 2 to 3 targets, one of 1 to 4.
  EXPECT_EQ(decompose_us(kDecimal, {14, 3, 2, 2}), 3 * 100 + (2 * 3 * 1e6 + 3) + (1 * 4 * 1e6 + 4));
}

TEST(Cost, HoistedRotationsAreCheaperThanFullOnesAndFoldsThanDoubling) {
  const CostTable& table = default_cost_table();
  for (const CostShape shape : {CostShape{13, 4, 1, 1}, CostShape{14, 6, 3, 3}}) {
    EXPECT_LT(hoisted_rotation_us(table, shape), rotate_us(table, shape) / 2);
    EXPECT_LT(rotate_sum_us(table, shape, 3), 2 * rotate_sum_us(table, shape, 1));
    EXPECT_LT(
        rotate_us(table, shape),
        rotate_us(table, {shape.log_n, shape.limbs + 1, shape.special_primes, shape.digit_primes}));
  }
}

TEST(Cost, RescalingDividesByWhatLeavesAndReachesWhatEnters) {
  // Of 4 limbs 3 leave and 1 enters: 3 sources to 2 targets.
  const CostShape shape{14, 4, 2, 2, 3, 1};
  EXPECT_EQ(rescale_us(kDecimal, shape, 1), 3 * 100 + 2 * (3 * 1e6 + 1) + 2 * 1e12);
}

TEST(Cost, ALevelWithoutSpecialPrimesHasNoRotations) {
  const CostShape shape{14, 4, 0, 1};
  EXPECT_TRUE(std::isinf(rotate_us(kDecimal, shape)));
  LinearShape map;
  map.plain_terms = 1;
  EXPECT_TRUE(std::isfinite(linear_us(kDecimal, shape, map)));
}

TEST(Cost, ShapesCountSharedPrimes) {
  ParamsSpec spec;
  spec.log_n = 13;
  spec.levels = {{{0, 1}, {}, 1}, {{0, 2, 3}, {0, 1}, 2}};
  EXPECT_EQ(cost_shape(spec, 1), (CostShape{13, 3, 2, 2, 2, 1}));
  EXPECT_EQ(cost_shape(spec, 1).next_limbs(), 2);
}

TEST(Cost, DescendingDividesInTheSmallRing) {
  CostShape half = kShape;
  half.log_n = 13;
  // 12 limbs of both polynomials are projected: sorted whole, added and halved at half the length.
  EXPECT_DOUBLE_EQ(descend_us(kDecimal, kShape),
                   decompose_us(kDecimal, kShape) + inner_product_us(kDecimal, kShape) + 4 * 1e10 +
                       12 * (1e8 + 1e10 / 2 + 1e12 / 2) + 2 * mod_down_us(kDecimal, half));
  EXPECT_LT(descend_us(default_cost_table(), kShape), relinearize_us(default_cost_table(), kShape));
  EXPECT_TRUE(std::isinf(descend_us(kDecimal, {14, 4, 0, 1})));
}

TEST(Cost, LinearMapAddsUpItsComposition) {
  LinearShape map;
  map.plain_terms = 3;
  EXPECT_DOUBLE_EQ(linear_us(kDecimal, kShape, map),
                   3 * multiply_plain_us(kDecimal, kShape, false));
  map = {.decomposed_inputs = 1,
         .babies = 3,
         .giants = 2,
         .extended_outputs = 1,
         .extended_terms = 12,
         .plain_terms = 0};
  const double decompose = decompose_us(kDecimal, kShape);
  const double hoisted = hoisted_rotation_us(kDecimal, kShape);
  const double mod_down = mod_down_us(kDecimal, kShape);
  EXPECT_DOUBLE_EQ(linear_us(kDecimal, kShape, map),
                   decompose + 3 * hoisted + 2 * (mod_down + decompose + hoisted + 12 * 1e10) +
                       2 * mod_down + 12 * multiply_plain_us(kDecimal, kShape, true));
}

}  // namespace
}  // namespace ffconv
