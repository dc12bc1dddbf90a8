#include "ffconv/ckks/params.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "ffconv/base/error.h"

namespace ffconv {
namespace {

// The rows of engine.md, written again.
TEST(Params, TableIsThePublishedOne) {
  EXPECT_EQ(max_log_qp(12), 106);
  EXPECT_EQ(max_log_qp(13), 214);
  EXPECT_EQ(max_log_qp(14), 430);
  EXPECT_EQ(max_log_qp(15), 868);
  EXPECT_EQ(max_log_qp(16), 1747);
  EXPECT_EQ(max_log_qp(17), 3523);
  EXPECT_THROW(max_log_qp(18), Error);
}

ParamsSpec at_the_limit(int log_n, double special_bits) {
  return one_prime_a_level(log_n, {42.0, 42.0, 42.0}, {44.0, special_bits}, 1, 2);
}

TEST(Params, OneBitOverTheTableIsRefusedNamingBothSides) {
  EXPECT_NO_THROW(Params(at_the_limit(13, 43.8)));
  try {
    const Params params(at_the_limit(13, 45.0));
    FAIL() << params.log_qp();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInsecure);
    const std::string message = error.what();
    EXPECT_NE(message.find("215.0"), std::string::npos) << message;
    EXPECT_NE(message.find("214"), std::string::npos) << message;
  }
}

TEST(Params, CiphertextsAboveTheKeysAreHeldToTheTableAlone) {
  // 210 bits: no room for a special prime at the top.
  const auto spec = [](int max_key_level, int levels) {
    return one_prime_a_level(13, std::vector<double>(static_cast<std::size_t>(levels), 42.0),
                             {46.0}, 1, max_key_level);
  };
  EXPECT_NO_THROW(Params{spec(2, 5)});
  EXPECT_THROW(Params{spec(4, 5)}, Error);
  EXPECT_THROW(Params{spec(2, 6)}, Error);
}

TEST(Params, InsecureOnlyWhenNamed) {
  ParamsSpec spec = at_the_limit(13, 46.0);
  spec.log_n = 11;
  EXPECT_THROW(Params{spec}, Error);
  spec.security = Security::kInsecureForTesting;
  EXPECT_EQ(Params(spec).security_bits(), 0);
}

TEST(Params, EqualSpecsGiveEqualPrimesAndFingerprints) {
  const Params a(at_the_limit(13, 43.0)), b(at_the_limit(13, 43.0)), c(at_the_limit(13, 42.0));
  EXPECT_EQ(a.q(), b.q());
  EXPECT_EQ(a.fingerprint(), b.fingerprint());
  EXPECT_NE(a.fingerprint(), c.fingerprint());
}

TEST(Params, DigitsLargerThanTheSpecialPrimesAreRefused) {
  EXPECT_THROW(Params{one_prime_a_level(14, {40.0, 40.0}, {46.0}, 2, 1)}, Error);
  EXPECT_NO_THROW(Params{one_prime_a_level(14, {40.0, 40.0}, {46.0, 46.0}, 2, 1)});
}

TEST(Params, HalvedParametersShareTheirPrimesAndAreHeldToTheirOwnRow) {
  // 166 bits at level 2 and its special prime; 42 more above.
  const ParamsSpec spec = one_prime_a_level(14, {40.0, 40.0, 40.0, 42.0}, {46.0}, 1, 3);
  const Params large(spec), half(halved(spec, 2)), quarter(halved(halved(spec, 0), 0));
  for (const Params* smaller : {&half, &quarter}) {
    EXPECT_EQ(smaller->q(), large.q());
    EXPECT_EQ(smaller->p(), large.p());
    EXPECT_EQ(smaller->spec().prime_log_n, 14);
  }
  EXPECT_EQ(half.log_n(), 13);
  EXPECT_EQ(half.max_level(), 2);
  EXPECT_EQ(quarter.log_n(), 12);
  EXPECT_EQ(Params(halved(spec, 3)).log_qp(), large.log_qp());
  ParamsSpec wider = spec;
  wider.q_bits[3] = 46.0;
  wider.p_bits = {46.0, 46.0};
  wider.levels[3].special = {0, 1};
  EXPECT_NO_THROW(Params{wider});
  EXPECT_THROW(Params{halved(wider, 3)}, Error);  // 258 bits
  EXPECT_THROW(halved(spec, 4), Error);
  EXPECT_THROW(halved(spec, -1), Error);
  // Same fields otherwise, other primes.
  ParamsSpec own = halved(spec, 2);
  own.prime_log_n = 0;
  EXPECT_NE(Params(own).fingerprint(), half.fingerprint());
  EXPECT_NE(own, half.spec());
}

TEST(Params, FromDepthPicksTheSmallestSafeRing) {
  const Params params = Params::from_depth(4, 26.0, 34.0);  // 104 + 34 + 46 = 184
  EXPECT_EQ(params.log_n(), 13);
  EXPECT_EQ(params.max_level(), 4);
  EXPECT_LE(params.log_qp(), max_log_qp(13));
  EXPECT_EQ(Params::from_depth(8, 40.0, 46.0).log_n(), 14);  // 412
  EXPECT_THROW(Params::from_depth(100, 40.0, 46.0), Error);
}

TEST(Params, PresetsAreSafeAndUseTheirRing) {
  for (int log_n = 12; log_n <= 16; ++log_n) {
    const Params params(preset(log_n));
    EXPECT_EQ(params.security_bits(), 128);
    EXPECT_LE(params.log_qp(), max_log_qp(log_n));
    // Another level would not fit.
    EXPECT_GT(params.log_qp() + std::log2(params.rescale_factor(1)), max_log_qp(log_n)) << log_n;
  }
  EXPECT_THROW(preset(11), Error);
  EXPECT_THROW(preset(17), Error);
}

TEST(Params, FieldsOutsideTheirRangesAreRefused) {
  ParamsSpec spec = at_the_limit(13, 40.0);
  for (const auto& break_it : std::initializer_list<void (*)(ParamsSpec&)>{
           [](ParamsSpec& s) { s.log_n = 9; }, [](ParamsSpec& s) { s.log_n = 18; },
           [](ParamsSpec& s) { s.prime_log_n = 13; }, [](ParamsSpec& s) { s.prime_log_n = 18; },
           [](ParamsSpec& s) { s.prime_log_n = -1; }, [](ParamsSpec& s) { s.q_bits.clear(); },
           [](ParamsSpec& s) { s.q_bits[0] = 47.0; },
           [](ParamsSpec& s) { s.q_bits[0] = std::nan(""); },
           [](ParamsSpec& s) { s.p_bits.clear(); }, [](ParamsSpec& s) { s.levels.clear(); },
           [](ParamsSpec& s) { s.levels[1].digit_primes = 0; },
           [](ParamsSpec& s) { s.levels[1].primes.clear(); },
           [](ParamsSpec& s) {
             s.levels[1].primes = {0, 3};
           },
           [](ParamsSpec& s) {
             s.levels[1].primes = {1, 1};
           },
           [](ParamsSpec& s) { s.levels[1].special = {2}; },
           [](ParamsSpec& s) { std::swap(s.levels[1].primes, s.levels[2].primes); }}) {
    ParamsSpec broken = spec;
    break_it(broken);
    EXPECT_THROW(Params{broken}, Error);
  }
}

TEST(Params, JsonRoundTripsAndRefusesWhatItDoesNotKnow) {
  const ParamsSpec spec = at_the_limit(13, 40.0);
  EXPECT_EQ(params_spec_from_json(to_json(spec)), spec);
  const ParamsSpec half = halved(at_the_limit(14, 40.0), 1);
  EXPECT_EQ(params_spec_from_json(to_json(half)), half);
  EXPECT_THROW(params_spec_from_json("{\"log_n\": 13, \"security\": 1}"), Error);
  EXPECT_THROW(params_spec_from_json("{\"log_n\": \"13\"}"), Error);
  EXPECT_THROW(params_spec_from_json("{\"levels\": [{\"prime\": 1}]}"), Error);
  EXPECT_THROW(params_spec_from_json("["), Error);
}

}  // namespace
}  // namespace ffconv
