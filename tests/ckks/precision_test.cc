// Precision at real parameters, in bits, against the bounds of docs/precision.md.
#include <gtest/gtest.h>

#include "ckks/ckks_fixture.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/public_encryptor.h"
#include "ffconv/ckks/ring_switching.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/ckks/secret/encryptor.h"

namespace ffconv {
namespace {

constexpr std::uint64_t kSeed = 41;

PrecisionStats measure(const SecretKey& secret, const Ciphertext& c,
                       const std::vector<double>& expected, const std::string& name) {
  const PrecisionStats stats(decrypt_raw(secret, c), expected);
  stats.print(name);
  return stats;
}

TEST(SlowPrecision, FreshProductsAndRotationsAtRing14Scale40) {
  Fixture f(Params::from_depth(8, 40.0, 44.0).spec());
  ASSERT_EQ(f.context->params().log_n(), 14);
  const int level = f.context->params().max_level();
  f.add_relinearization(level);
  f.add_rotation(1, level);
  std::mt19937_64 random(kSeed);
  const auto x = random_slots(f.context->n(), random), y = random_slots(f.context->n(), random);
  const Plaintext px = encode(*f.context, x, 0x1p40, level);
  const Ciphertext cx = encrypt(f.secret, px);
  const Ciphertext cy = encrypt(f.secret, encode(*f.context, y, 0x1p40, level));
  std::vector<double> product(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    product[j] = x[j] * y[j];
  }
  EXPECT_GE(measure(f.secret, cx, x, "fresh, secret key").min_bits, 25.0);
  const PublicKey key = KeyGenerator(f.secret).public_key(level);
  EXPECT_GE(measure(f.secret, encrypt(f.context, key, px), x, "fresh, public key").min_bits, 22.0);
  EXPECT_GE(measure(f.secret, relinearize_rescale(multiply(cx, cy), f.keys), product,
                    "product, relinearized, rescaled")
                .min_bits,
            22.0);
  EXPECT_GE(measure(f.secret, rotate(cx, 1, f.keys), rotated(x, 1), "rotation").min_bits, 22.0);
}

TEST(SlowPrecision, EightSquaringsStayWithinTheirBound) {
  Fixture f(Params::from_depth(8, 40.0, 44.0).spec());
  const int level = f.context->params().max_level();
  f.add_relinearization(level);
  std::mt19937_64 random(kSeed);
  std::vector<double> x = random_slots(f.context->n(), random);
  Ciphertext c = encrypt(f.secret, encode(*f.context, x, 0x1p40, level));
  for (int depth = 1; depth <= 8; ++depth) {
    c = relinearize_rescale(square(c), f.keys);
    for (double& v : x) {
      v *= v;
    }
    const PrecisionStats stats = measure(f.secret, c, x, "squaring " + std::to_string(depth));
    // Errors at most double with each squaring of |x| <= 1, beside one rounding a step.
    EXPECT_GE(stats.min_bits, 22.0 - depth) << "seed " << kSeed;
    EXPECT_LT(std::log2(stats.error_std) - c.noise.error_bits(c.scale), 1.0);
  }
}

// Keys of 210 bits: as much as the small ring carries.
TEST(SlowPrecision, DescentFromRing14ToRing13AtScale40) {
  const ParamsSpec spec = Params::from_depth(8, 40.0, 44.0).spec();
  constexpr int kLevel = 3;
  const Fixture large(spec), small(halved(spec, kLevel));
  ASSERT_EQ(small.context->params().log_n(), 13);
  ASSERT_EQ(small.context->params().security_bits(), 128);
  std::mt19937_64 random(kSeed);
  const auto x = random_slots(small.context->n(), random);  // repeats in the large ring
  const Ciphertext c = encrypt(large.secret, encode(*large.context, x, 0x1p40, kLevel));
  const Ciphertext down =
      descend(c, KeyGenerator(large.secret).ring_switching_key(small.secret, kLevel));
  EXPECT_GE(measure(small.secret, down, x, "descent to N / 2").min_bits, 22.0) << kSeed;
  const Ciphertext up =
      ascend(down, KeyGenerator(small.secret).ring_switching_key(large.secret, kLevel));
  std::vector<double> twice = x;
  twice.insert(twice.end(), x.begin(), x.end());
  EXPECT_GE(measure(large.secret, up, twice, "and ascent").min_bits, 21.0) << kSeed;
}

}  // namespace
}  // namespace ffconv
