// Levels, scales and predicted precision.
#include "ffconv/plan/parameters.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ffconv/backend/clear.h"
#include "ffconv/plan/errors.h"
#include "ffconv/plan/precision.h"
#include "plan/programs.h"

namespace ffconv::plan {
namespace {

const ValueInfo& value(const Program& program, std::int32_t r) {
  return program.values[static_cast<std::size_t>(r)];
}

TEST(Parameters, EveryTensorUsesTheFullRangeAfterEachLinearMap) {
  const Program program = testing::small_compiled().program;
  const double full = std::log2(value(program, 0).scale * value(program, 0).max_abs);
  const Params params(program.params);
  EXPECT_NEAR(params.log_q(0), full + 3, 0.3);  // sign and two bits to spare
  for (const Instruction& op : program.instructions) {
    const ValueInfo& out = value(program, op.out[0]);
    if (op.op == OpCode::kRescale) {
      EXPECT_NEAR(std::log2(out.scale * out.max_abs), full, 1e-9);
    } else if (op.op == OpCode::kRelinearizeRescale) {
      // After a square: the factor differs from 2^full by what primes differ from their sizes.
      EXPECT_NEAR(std::log2(out.scale * out.max_abs), full, 1);
    }
  }
}

TEST(Parameters, ScalesFollowTheRealPrimesExactly) {
  const Program program = testing::small_compiled().program;
  const Params params(program.params);
  for (const Instruction& op : program.instructions) {
    const ValueInfo& in = value(program, op.in[0]);
    const ValueInfo& out = value(program, op.out[0]);
    const double factor = in.level > 0 ? params.rescale_factor(in.level) : 1.0;
    if (op.op == OpCode::kRescale || op.op == OpCode::kRelinearizeRescale) {
      EXPECT_NEAR(out.scale * factor / in.scale, 1, 0x1p-50);
    } else if (op.op == OpCode::kLinear) {
      EXPECT_NEAR(out.scale / (in.scale * op.plain_scale), 1, 0x1p-50);
    } else if (op.op == OpCode::kSquare) {
      EXPECT_EQ(out.scale, in.scale * in.scale);
    } else {
      EXPECT_EQ(out.scale, in.scale);
    }
  }
}

TEST(Parameters, AreSecureWhereACiphertextOrAKeyIsPublished) {
  for (const Packing packing : kAllPackings) {
    const Program program = testing::small_compiled(packing).program;
    const Params params(program.params);  // throws where they are not
    EXPECT_EQ(params.security_bits(), 128);
    const KeyRequest keys = key_request(program);
    for (const std::int32_t level : keys.relinearization) {
      EXPECT_TRUE(params.has_keys(level));
    }
    for (const auto& rotation : keys.rotations) {
      EXPECT_TRUE(params.has_keys(rotation.level));
    }
    // Outputs stand at level 0, inputs at the top.
    EXPECT_EQ(value(program, 0).level, params.max_level());
    EXPECT_EQ(value(program, program.outputs[0]).level, 0);
  }
}

TEST(Parameters, LeastValueBitsRuleOutSmallRings) {
  // At N = 2^12, rounding alone has 2^10.9 in a slot.
  EXPECT_NEAR(least_value_bits(12, 0x1p-11), 21.92, 0.01);
  EXPECT_EQ(least_value_bits(12, 0x1p20), 12);
  EXPECT_NEAR(least_chain_bits(12, 5, 0x1p-11), 21.92 + 3 + 5 * 8, 0.01);
}

// Root mean square of simulated errors over images and seeds.
double simulated_std(const Program& program, const model::Network& network) {
  double sum = 0;
  std::size_t count = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const auto image = testing::random_image(network.input, seed);
    const auto exact = backend::run_clear(program, image, network.classes);
    const auto noisy = backend::run_clear(program, image, network.classes, seed);
    for (std::size_t c = 0; c < exact.size(); ++c, ++count) {
      sum += (noisy[c] - exact[c]) * (noisy[c] - exact[c]);
    }
  }
  return std::sqrt(sum / static_cast<double>(count));
}

TEST(Precision, PredictionIsNearSimulatedNoise) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    SCOPED_TRACE("network seed " + std::to_string(seed));
    const model::Network network = testing::random_network(seed);
    for (const Packing packing : {Packing::kDense, Packing::kLola}) {
      CompileOptions options;
      options.packing = packing;
      const Program program = compile(network, testing::ranges_of(network), options).program;
      const double simulated = simulated_std(program, network);
      EXPECT_LT(simulated, 2 * program.output_noise_std);
      EXPECT_GT(simulated, program.output_noise_std / 8);  // replicas average it
    }
  }
}

// y = (x * 0.5)^2, x at most 8; the last register is relinearized late or with the rescaling.
Program halve_and_square(bool late) {
  Emitter emitter(12, 2);
  Register x = emitter.input({{0}}, {8, 3});
  emitter.begin_layer("layer");
  x = emitter.rescale(emitter.multiply_plain(x, emitter.vector({{0.5}}), {4, 1.5}));
  x = emitter.square(x);
  x = late ? emitter.relinearize(emitter.rescale(x)) : emitter.relinearize_rescale(x);
  emitter.output(x, {{0}});
  Program program = emitter.finish();
  program.params = one_prime_a_level(12, {30, 30, 30}, {35}, 1, 1);
  assign_scales(program, std::vector<double>{0x1p30, 0x1p30, 0x1p30}, 30);
  return program;
}

TEST(Precision, OneProductAndOneSquareByHand) {
  // Registers: 0 x, 1 product, 2 rescaled, 3 square, 4 on: divided. The product is 1.5
  // as a rule: dy/dx = 2 * 1.5 * 0.5 = 1.5, and d(y^2)/dw = 2 * 1.5 * 3.
  const auto square = [](double v) { return v * v; };
  for (const bool late : {false, true}) {
    const Program program = halve_and_square(late);
    const ErrorModel errors(program.params);
    const auto scale = [&](std::size_t r) { return program.values[r].scale; };
    const double encoding = square(ErrorModel::encoding(1) / program.instructions[0].plain_scale);
    const double before = square(1.5 * errors.fresh() / scale(0)) + 81 * encoding +
                          9 * square(errors.rounding() / scale(2));
    const double divided =
        late ? square(errors.rescaling(3) / scale(4)) + square(errors.key_switch(0) / scale(4))
             : square(errors.key_switch(1) / scale(3));
    const double expected = before + divided + square(errors.rounding() / scale(4));
    EXPECT_NEAR(ErrorPropagation(program).output_std(program) / std::sqrt(expected), 1, 1e-9);
  }
}

TEST(ErrorModel, MatchesTheFormulasOfDocsPrecision) {
  const ErrorModel errors(one_prime_a_level(13, {40, 30, 30, 30}, {46, 46}, 2, 3));
  EXPECT_NEAR(std::log2(errors.fresh()), 8.678, 1e-3);      // 3.2 sqrt(2N)
  EXPECT_NEAR(std::log2(errors.rounding()), 11.915, 1e-3);  // sqrt(2N/12 (1 + 2N 2/3))
  EXPECT_NEAR(std::log2(errors.rescaling(3)), 19.415, 1e-3);
  EXPECT_NEAR(std::log2(ErrorModel::encoding(8192)), 5.207, 1e-3);  // sqrt(2N/12)
  EXPECT_NEAR(ErrorModel::encoding(1), std::sqrt(1.0 / 12), 1e-12);
  // Digits of 2^70 and 2^60 over P = 2^92; the first decides.
  EXPECT_NEAR(std::log2(errors.key_switch(3)), std::log2(2 * 8192 * 3.2 / std::sqrt(12)) - 22,
              1e-3);
  EXPECT_NEAR(std::log2(errors.key_switch(0)), std::log2(2 * 8192 * 3.2 / std::sqrt(12)) - 52,
              1e-9);
}

}  // namespace
}  // namespace ffconv::plan
