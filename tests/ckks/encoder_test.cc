#include "ffconv/ckks/encoder.h"

#include <cmath>
#include <limits>
#include <numbers>

#include <gtest/gtest.h>

#include "ckks/ckks_fixture.h"
#include "ffconv/base/error.h"
#include "ffconv/ring/modulus.h"
#include "ring/tier_param.h"

namespace ffconv {
namespace {

// Rings too small for a vector tier use the scalar one.
ContextPtr small_context(int log_n, int levels = 2) {
  const Kernels& active = active_kernels();
  return Context::make(Params(insecure_spec(log_n, levels, 40.0, 1, 1)),
                       log_n < active.min_log_n ? kernels_by_name("scalar") : active);
}

// f(zeta^(5^j)) by the definition.
double evaluate(const std::vector<double>& a, std::size_t j) {
  const std::size_t n = a.size();
  const auto exponent = static_cast<double>(pow_mod(5, j, 4 * n));
  double value = a[0];
  for (std::size_t i = 1; i < n; ++i) {
    value += 2.0 * a[i] *
             std::cos(2.0 * std::numbers::pi * exponent * static_cast<double>(i) /
                      static_cast<double>(4 * n));
  }
  return value;
}

TEST(Encoder, SlotsAreValuesAtThePowersOfFive) {
  const ContextPtr context = small_context(4);
  std::mt19937_64 random(21);
  const std::vector<double> a = random_slots(16, random);
  std::vector<double> slots = a;
  context->embedding().coefficients_to_slots(slots);
  for (std::size_t j = 0; j < slots.size(); ++j) {
    EXPECT_NEAR(slots[j], evaluate(a, j), 1e-13);
  }
  context->embedding().slots_to_coefficients(slots);
  for (std::size_t j = 0; j < slots.size(); ++j) {
    EXPECT_NEAR(slots[j], a[j], 1e-14);
  }
}

TEST(Encoder, EncodeThenDecodeKeepsThirtyBitsAtScaleForty) {
  std::mt19937_64 random(22);
  for (const int log_n : {4, 10, 13, 14}) {
    const ContextPtr context = small_context(log_n);
    const std::vector<double> slots = random_slots(context->n(), random);
    const Plaintext plaintext = encode(*context, slots, 0x1p40, 2);
    const std::vector<double> decoded =
        decode(*context, to_coeff(Poly<Eval>(plaintext.poly)), plaintext.scale);
    const PrecisionStats stats(decoded, slots);
    stats.print("encode, decode, N = 2^" + std::to_string(log_n) + ", scale 2^40");
    EXPECT_GE(stats.min_bits, 30.0) << "log_n " << log_n << " seed 22";
  }
}

TEST(Encoder, LargeScalesUseTheWholeModulus) {
  std::mt19937_64 random(23);
  const ContextPtr context = small_context(10);
  const std::vector<double> slots = random_slots(context->n(), random);
  const Plaintext plaintext = encode(*context, slots, 0x1p58, 2);
  const PrecisionStats stats(
      decode(*context, to_coeff(Poly<Eval>(plaintext.poly)), plaintext.scale), slots);
  EXPECT_GE(stats.min_bits, 44.0);
}

TEST(Encoder, CoefficientsNearHalfTheModulusKeepTheirSign) {
  const ContextPtr context = small_context(4, 0);
  const auto q = static_cast<std::int64_t>(context->params().q()[0]);
  std::vector<std::int64_t> a(16, 0);
  a[0] = (q - 1) / 2;
  a[1] = -(q - 1) / 2;
  a[2] = -1;
  const auto values = centred_coefficients(*context, from_signed(context->ring(), {0}, a));
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(values[i], static_cast<double>(a[i]));
  }
}

TEST(Encoder, ShortVectorsRepeat) {
  const ContextPtr context = small_context(5);
  const Plaintext plaintext = encode(*context, std::vector<double>{1.0, -2.0}, 0x1p30, 1);
  const auto slots = decode(*context, to_coeff(Poly<Eval>(plaintext.poly)), plaintext.scale);
  for (std::size_t j = 0; j < slots.size(); ++j) {
    EXPECT_NEAR(slots[j], j % 2 == 0 ? 1.0 : -2.0, 1e-6);
  }
}

class EncoderOfTier : public TierTest {};

TEST_P(EncoderOfTier, EncodesAndDecodesBitForBitAsTheScalarTier) {
  std::mt19937_64 random(24);
  const Params params(insecure_spec(11, 2, 40.0, 1, 1));
  const ContextPtr ours = Context::make(params, *GetParam());
  const ContextPtr scalar = Context::make(params, kernels_by_name("scalar"));
  for (const std::size_t count : {ours->n(), std::size_t{16}}) {
    const std::vector<double> slots = random_slots(count, random, 100.0);
    const Plaintext p = encode(*ours, slots, 0x1.8p45, 2), q = encode(*scalar, slots, 0x1.8p45, 2);
    EXPECT_EQ(p.max_abs, q.max_abs);
    std::vector<std::uint64_t> x(ours->n()), y(ours->n());
    for (std::size_t limb = 0; limb < p.poly.limb_count(); ++limb) {
      export_limb(x, p.poly, limb);
      export_limb(y, q.poly, limb);
      ASSERT_EQ(x, y) << "limb " << limb << " seed 24";
    }
    EXPECT_EQ(decode(*ours, to_coeff(Poly<Eval>(p.poly)), p.scale),
              decode(*scalar, to_coeff(Poly<Eval>(q.poly)), q.scale));
  }
}

INSTANTIATE_TEST_SUITE_P(Tiers, EncoderOfTier, testing::ValuesIn(all_tiers()), tier_name);

TEST(Encoder, RefusesWhatItCannotEncode) {
  const ContextPtr context = small_context(5);
  const std::vector<double> ok(32, 1.0), three(3, 1.0), too_long(64, 1.0);
  EXPECT_THROW(encode(*context, three, 0x1p30, 1), Error);
  EXPECT_THROW(encode(*context, too_long, 0x1p30, 1), Error);
  EXPECT_THROW(encode(*context, std::vector<double>{}, 0x1p30, 1), Error);
  for (const double value : {std::nan(""), std::numeric_limits<double>::infinity(), 0x1p900}) {
    for (const double sign : {1.0, -1.0}) {
      std::vector<double> one_of_many = ok;
      one_of_many[17] = sign * value;
      EXPECT_THROW(encode(*context, one_of_many, 0x1p-900, 1), Error) << sign * value;
    }
  }
  // A coefficient beyond the limit, and one beyond all doubles.
  EXPECT_THROW(encode(*context, std::vector<double>(32, 0x1p32), 0x1p30, 1), Error);
  EXPECT_THROW(encode(*context, std::vector<double>(32, 0x1p899), 0x1p900, 1), Error);
  EXPECT_NO_THROW(encode(*context, std::vector<double>(32, 0x1p31), 0x1p30, 1));
  EXPECT_THROW(encode(*context, ok, 0.0, 1), Error);
  EXPECT_THROW(encode(*context, ok, 0x1p63, 1), Error);
  EXPECT_THROW(encode(*context, ok, 0x1p30, 3), Error);
  EXPECT_THROW(encode(*context, ok, 0x1p30, -1), Error);
}

}  // namespace
}  // namespace ffconv
