#include "ffconv/ckks/evaluator.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ckks/ckks_fixture.h"
#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/linear_transform.h"
#include "ffconv/ckks/public_encryptor.h"
#include "ffconv/ckks/scalar_transform.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ring/tier_param.h"
#include "support/error_of.h"
#include "support/residues.h"

namespace ffconv {
namespace {

constexpr double kScale = 0x1p40;

class EvaluatorTest : public TierTest {
 protected:
  static constexpr std::uint64_t kSeed = 31;
  std::mt19937_64 random_{kSeed};

  template <typename Body>
  void for_each_spec(const Body& body) {
    for (const ParamsSpec& spec : algebra_specs()) {
      SCOPED_TRACE("log_n " + std::to_string(spec.log_n) + " digit_primes " +
                   std::to_string(spec.levels[0].digit_primes) + " seed " + std::to_string(kSeed));
      Fixture f(spec, *GetParam());
      body(f, spec.q_bits[1] < 35 ? 0x1p30 : kScale);
    }
  }
};

TEST_P(EvaluatorTest, EncryptionsDecryptWithTheEstimatedNoise) {
  for_each_spec([&](Fixture& f, double scale) {
    const int level = f.context->params().max_level();
    const auto x = random_slots(f.context->n(), random_);
    const Plaintext plain = encode(*f.context, x, scale, level);
    expect_noise_as_estimated(f.secret, encrypt(f.secret, plain), x, "secret key");
    const PublicKey key = KeyGenerator(f.secret).public_key(level);
    expect_noise_as_estimated(f.secret, encrypt(f.context, key, plain), x, "public key");
  });
}

TEST_P(EvaluatorTest, PublicKeysAboveTheSpecialPrimesWorkWithMoreNoise) {
  ParamsSpec spec = insecure_spec(10, 2, 40.0, 1, 1);
  for (std::size_t level = 2; level < spec.levels.size(); ++level) {
    spec.levels[level].special.clear();
  }
  Fixture f(spec, *GetParam());
  const auto x = random_slots(f.context->n(), random_);
  const PublicKey plain = KeyGenerator(f.secret).public_key(2);
  const PublicKey extended = KeyGenerator(f.secret).public_key(1);
  // Over the level's primes alone, and over one special prime too.
  EXPECT_EQ(plain.b.basis(), f.context->q_basis(plain.level));
  EXPECT_EQ(extended.b.limb_count(), f.context->q_basis(extended.level).size() + 1);
  for (const PublicKey* key : {&plain, &extended}) {
    for (int level = 0; level <= key->level; ++level) {
      const Ciphertext c = encrypt(f.context, *key, encode(*f.context, x, kScale, level));
      EXPECT_EQ(c.level, level);
      expect_noise_as_estimated(f.secret, c, x, "public key, level " + std::to_string(level));
    }
  }
  EXPECT_THROW(encrypt(f.context, extended, encode(*f.context, x, kScale, 2)), Error);
}

TEST_P(EvaluatorTest, SumsAndPlainProductsAreHomomorphic) {
  for_each_spec([&](Fixture& f, double scale) {
    const int level = f.context->params().max_level();
    const std::size_t n = f.context->n();
    const auto x = random_slots(n, random_), y = random_slots(n, random_);
    const Plaintext py = encode(*f.context, y, scale, level);
    const Ciphertext cx = encrypt(f.secret, encode(*f.context, x, scale, level));
    const Ciphertext cy = encrypt(f.secret, py);
    std::vector<double> sum(n), difference(n), product(n), scaled(n);
    for (std::size_t j = 0; j < n; ++j) {
      sum[j] = x[j] + y[j];
      difference[j] = x[j] - y[j];
      product[j] = x[j] * y[j];
      scaled[j] = -0.75 * x[j];
    }
    expect_noise_as_estimated(f.secret, add(cx, cy), sum, "add");
    expect_noise_as_estimated(f.secret, sub(cx, cy), difference, "sub");
    expect_noise_as_estimated(f.secret, add_plain(cx, py), sum, "add_plain");
    expect_noise_as_estimated(f.secret, multiply_plain(cx, py), product, "multiply_plain");
    expect_noise_as_estimated(f.secret, rescale(multiply_plain(cx, py)), product, "rescale");
    expect_noise_as_estimated(f.secret, drop_level(sub(cx, cy), 1), difference, "drop_level");
    const Ciphertext cs = multiply_scalar(cx, -0.75, scale);
    EXPECT_EQ(cs.scale, cx.scale * scale);
    expect_noise_as_estimated(f.secret, rescale(cs), scaled, "multiply_scalar");
  });
}

TEST_P(EvaluatorTest, ProductsOfCiphertextsAreHomomorphicBeforeAndAfterRelinearization) {
  for_each_spec([&](Fixture& f, double scale) {
    const int level = f.context->params().max_level();
    const std::size_t n = f.context->n();
    f.add_relinearization(level);
    const auto x = random_slots(n, random_), y = random_slots(n, random_);
    const Ciphertext cx = encrypt(f.secret, encode(*f.context, x, scale, level));
    const Ciphertext cy = encrypt(f.secret, encode(*f.context, y, scale, level));
    std::vector<double> product(n), squared(n);
    for (std::size_t j = 0; j < n; ++j) {
      product[j] = x[j] * y[j];
      squared[j] = x[j] * x[j];
    }
    const Ciphertext three = multiply(cx, cy);
    expect_noise_as_estimated(f.secret, three, product, "multiply");
    expect_noise_as_estimated(f.secret, rescale(relinearize(three, f.keys)), product,
                              "relinearize, rescale");
    expect_noise_as_estimated(f.secret, relinearize(rescale(three), f.keys), product,
                              "rescale, relinearize one level lower: rounding times s^2", 6.0);
    expect_noise_as_estimated(f.secret, relinearize_rescale(square(cx), f.keys), squared, "square");
  });
}

TEST_P(EvaluatorTest, RotationsAreHomomorphicComposeAndHoist) {
  for_each_spec([&](Fixture& f, double scale) {
    const int level = f.context->params().max_level();
    const int n = static_cast<int>(f.context->n());
    for (const int step : {1, 5, 6, n - 1}) {
      f.add_rotation(step, level);
    }
    const auto x = random_slots(f.context->n(), random_);
    const Ciphertext c = encrypt(f.secret, encode(*f.context, x, scale, level));
    expect_noise_as_estimated(f.secret, rotate(c, 1, f.keys), rotated(x, 1), "rotate");
    expect_noise_as_estimated(f.secret, rotate(c, -1, f.keys), rotated(x, n - 1), "rotate back");
    expect_noise_as_estimated(f.secret, rotate(c, n, f.keys), x, "rotate by N");
    expect_noise_as_estimated(f.secret, rotate(rotate(c, 1, f.keys), 5, f.keys), rotated(x, 6),
                              "composition");
    expect_noise_as_estimated(f.secret, rotate(drop_level(c, 1), 5, f.keys), rotated(x, 5),
                              "a key of a higher level");
    const std::vector<int> steps = {0, 1, 5, 6};
    const auto hoisted = rotate_hoisted(c, steps, f.keys);
    std::vector<double> sum(x.size(), 0.0);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto expected = rotated(x, steps[i]);
      expect_noise_as_estimated(f.secret, hoisted[i], expected, "hoisted");
      for (std::size_t j = 0; j < sum.size(); ++j) {
        sum[j] += expected[j];
      }
    }
    expect_noise_as_estimated(f.secret, rotate_sum(c, steps, f.keys), sum, "rotate_sum");
  });
}

// Two inputs, two outputs, 2 babies and 3 giants each, against the same sum on the clear.
TEST_P(EvaluatorTest, LinearTransformsEqualTheirDiagonals) {
  for_each_spec([&](Fixture& f, double scale) {
    const int level = f.context->params().max_level() - 1;
    const std::size_t n = f.context->n();
    for (const int step : {3, 16, 32}) {
      f.add_rotation(step, level);
    }
    std::vector<std::vector<double>> x, expected(2, std::vector<double>(n, 0.0));
    for (int i = 0; i < 2; ++i) {
      x.push_back(random_slots(n, random_));
    }
    const Ciphertext c0 = encrypt(f.secret, encode(*f.context, x[0], scale, level));
    const Ciphertext c1 = encrypt(f.secret, encode(*f.context, x[1], scale, level));
    const std::vector<const Ciphertext*> inputs = {&c0, &c1};
    LinearTransform transform{2, 2, level, {}};
    for (std::int32_t output = 0; output < 2; ++output) {
      for (const std::int32_t giant : {0, 16, 32}) {
        LinearTransform::Group group{output, giant, {}, {}};
        std::vector<std::vector<double>> vectors;
        for (std::int32_t input = 0; input < 2; ++input) {
          for (const std::int32_t baby : {0, 3}) {
            const auto weights = random_slots(n, random_);
            std::vector<double> product = rotated(x[static_cast<std::size_t>(input)], baby);
            for (std::size_t j = 0; j < n; ++j) {
              product[j] *= weights[j];
            }
            product = rotated(product, giant);
            for (std::size_t j = 0; j < n; ++j) {
              expected[static_cast<std::size_t>(output)][j] += product[j];
            }
            group.terms.push_back({input, baby, static_cast<std::int32_t>(vectors.size())});
            vectors.push_back(weights);
          }
        }
        group.weights = std::make_shared<const PackedPlaintexts>(
            vectors.size(),
            [&](std::size_t k) { return encode(*f.context, vectors[k], scale, level, true); });
        transform.groups.push_back(std::move(group));
      }
    }
    const auto outputs = linear_transform(inputs, transform, f.keys);
    ASSERT_EQ(outputs.size(), 2U);
    for (std::size_t o = 0; o < 2; ++o) {
      EXPECT_EQ(outputs[o].scale, scale * scale);
      expect_noise_as_estimated(f.secret, outputs[o], expected[o], "linear_transform");
    }
  });
}

// Two groups share weights, one has its own; the same residues whichever way weights are kept.
TEST_P(EvaluatorTest, SmallWeightsGiveTheSameCiphertexts) {
  for_each_spec([&](Fixture& f, double scale) {
    const int level = f.context->params().max_level() - 1;
    const std::size_t n = f.context->n();
    for (const int step : {3, 16}) {
      f.add_rotation(step, level);
    }
    const Ciphertext x =
        encrypt(f.secret, encode(*f.context, random_slots(n, random_), scale, level));
    std::vector<std::vector<double>> vectors;
    for (const std::size_t period : {n, n, n / 4, std::size_t{1}}) {
      vectors.push_back(random_slots(period, random_));
    }
    double weight_scale = 0;
    const auto packed = [&](std::size_t first) {
      return std::make_shared<const PackedPlaintexts>(2, [&, first](std::size_t k) {
        return encode(*f.context, vectors[first + k], weight_scale, level, true);
      });
    };
    const auto small = [&](std::size_t first) {
      return std::make_shared<const PackedPlaintexts>(
          f.context->ring(), f.context->qp_basis(level), 2, [&, first](std::size_t k) {
            return encode_integers(*f.context, vectors[first + k], weight_scale);
          });
    };
    const auto transform = [&](const auto& weights) {
      const std::vector<LinearTransform::Term> terms = {{0, 0, 0}, {0, 3, 1}};
      const auto shared = weights(0);
      return LinearTransform{
          1, 2, level, {{0, 0, terms, shared}, {0, 16, terms, weights(2)}, {1, 16, terms, shared}}};
    };
    for (const std::size_t bytes : {3u, 4u}) {  // of a coefficient
      weight_scale = bytes == 3 ? 0x1p20 : 0x1p29;
      const LinearTransform compact = transform(small);
      EXPECT_EQ(compact.groups[0].weights->bytes(), 2 * n * bytes);
      const std::vector<const Ciphertext*> inputs = {&x};
      const auto expected = linear_transform(inputs, transform(packed), f.keys);
      const auto got = linear_transform(inputs, compact, f.keys);
      EXPECT_EQ(got[0].scale, expected[0].scale);
      EXPECT_TRUE(testing::residues(got) == testing::residues(expected));
    }
    EXPECT_THAT(::ffconv::testing::error_of(
                    ErrorCode::kInvalidArgument,
                    [&] {
                      PackedPlaintexts(
                          f.context->ring(), f.context->qp_basis(level), 1, [&](std::size_t) {
                            return encode_integers(*f.context, std::vector<double>{1.0}, 0x1p31);
                          });
                    }),
                ::testing::HasSubstr("not small"));
  });
}

// 20 inputs: more than a pass of the kernel's terms. Five outputs of all of them, more than it sums
// at once, then two of other inputs.
TEST_P(EvaluatorTest, ScalarTransformsMultiplyByTheirMatrix) {
  Fixture f(insecure_spec(12, 2, 40.0, 1, 1), *GetParam());
  const std::size_t n = f.context->n(), inputs = 20;
  std::vector<ScalarTransform::Row> rows(5);
  for (auto& row : rows) {
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(inputs); ++i) {
      row.push_back({i, random_slots(1, random_)[0]});
    }
  }
  rows.push_back({{7, 0.5}});
  rows.push_back({{19, -0.75}, {3, 0.25}});
  const ScalarTransform transform(*f.context, 2, kScale, inputs, rows);
  EXPECT_EQ(transform.batches().size(), 3U);

  std::vector<std::vector<double>> slots;
  std::vector<Ciphertext> x;
  std::vector<const Ciphertext*> pointers;
  for (std::size_t i = 0; i < inputs; ++i) {
    slots.push_back(random_slots(n, random_));
    x.push_back(encrypt(f.secret, encode(*f.context, slots[i], kScale, 2)));
  }
  for (const Ciphertext& input : x) {
    pointers.push_back(&input);
  }
  const auto sums = scalar_transform(pointers, transform);
  ASSERT_EQ(sums.size(), rows.size());
  for (std::size_t o = 0; o < rows.size(); ++o) {
    std::vector<double> expected(n, 0.0);
    for (const auto& [input, weight] : rows[o]) {
      for (std::size_t j = 0; j < n; ++j) {
        expected[j] += weight * slots[static_cast<std::size_t>(input)][j];
      }
    }
    EXPECT_EQ(sums[o].scale, kScale * kScale);
    expect_noise_as_estimated(f.secret, sums[o], expected, "scalar_transform");
  }

  EXPECT_THAT(testing::error_of(ErrorCode::kMismatch,
                                [&] { scalar_transform(std::span(pointers).first(3), transform); }),
              ::testing::HasSubstr("expected 20 ciphertexts, got 3"));
  const Ciphertext lower = drop_level(x[0], 1);
  pointers[0] = &lower;
  EXPECT_THROW(scalar_transform(pointers, transform), Error);
  const std::vector<ScalarTransform::Row> large = {{{0, 1.0}}};
  EXPECT_THAT(testing::error_of(ErrorCode::kInvalidArgument,
                                [&] { ScalarTransform(*f.context, 2, 0x1p63, 1, large); }),
              ::testing::HasSubstr("below 2^62"));
}

TEST_P(EvaluatorTest, LinearTransformsWithoutRotationNeedNoKey) {
  Fixture f(insecure_spec(10, 2, 40.0, 1, 1), *GetParam());
  const std::size_t n = f.context->n();
  const auto x = random_slots(n, random_), y = random_slots(n, random_),
             w = random_slots(n, random_);
  const Ciphertext cx = encrypt(f.secret, encode(*f.context, x, kScale, 2));
  const Ciphertext cy = encrypt(f.secret, encode(*f.context, y, kScale, 2));
  const std::vector<const Ciphertext*> inputs = {&cx, &cy};
  const auto weights = std::make_shared<const PackedPlaintexts>(
      2, [&](std::size_t k) { return encode(*f.context, k == 0 ? w : x, kScale, 2); });
  const LinearTransform transform{2, 1, 2, {{0, 0, {{0, 0, 0}, {1, 0, 1}}, weights}}};
  std::vector<double> expected(n);
  for (std::size_t j = 0; j < n; ++j) {
    expected[j] = w[j] * x[j] + x[j] * y[j];
  }
  const auto outputs = linear_transform(inputs, transform, f.keys);
  expect_noise_as_estimated(f.secret, outputs[0], expected, "no rotation");
}

INSTANTIATE_TEST_SUITE_P(Tiers, EvaluatorTest, ::testing::ValuesIn(all_tiers()), tier_name);

TEST(Evaluator, RefusesWhatDoesNotBelongTogether) {
  Fixture f(insecure_spec(10, 2, 40.0, 1, 1)), other(insecure_spec(10, 2, 39.0, 1, 1));
  const std::vector<double> x(f.context->n(), 0.5);
  const Ciphertext a = encrypt(f.secret, encode(*f.context, x, kScale, 2));
  const Ciphertext lower = drop_level(a, 1);
  const Ciphertext scaled = encrypt(f.secret, encode(*f.context, x, 1.01 * kScale, 2));
  const Ciphertext foreign = encrypt(other.secret, encode(*other.context, x, kScale, 2));
  const auto code = [](const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kIo;
  };
  EXPECT_EQ(code([&] { add(a, lower); }), ErrorCode::kMismatch);
  EXPECT_EQ(code([&] { add(a, scaled); }), ErrorCode::kMismatch);
  EXPECT_EQ(code([&] { add(a, foreign); }), ErrorCode::kMismatch);
  EXPECT_EQ(code([&] { multiply(a, lower); }), ErrorCode::kMismatch);
  EXPECT_EQ(code([&] { multiply_plain(a, encode(*f.context, x, kScale, 1)); }),
            ErrorCode::kMismatch);
  EXPECT_EQ(code([&] { add_plain(a, encode(*f.context, x, 2 * kScale, 2)); }),
            ErrorCode::kMismatch);
  EXPECT_EQ(code([&] { rotate(a, 1, f.keys); }), ErrorCode::kMissingKey);
  EXPECT_EQ(code([&] { relinearize(square(a), f.keys); }), ErrorCode::kMissingKey);
  EXPECT_EQ(code([&] { rotate(square(a), 1, f.keys); }), ErrorCode::kMismatch);
  EXPECT_EQ(code([&] { rescale(drop_level(a, 0)); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([&] { drop_level(lower, 2); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([&] { decrypt_raw(other.secret, a); }), ErrorCode::kMismatch);
  f.add_rotation(1, 1);
  EXPECT_EQ(code([&] { rotate(a, 1, f.keys); }), ErrorCode::kMissingKey) << "key of a lower level";
}

TEST(Evaluator, ResultsDoNotDependOnTheNumberOfThreads) {
  Fixture f(insecure_spec(10, 3, 40.0, 1, 1));
  f.add_relinearization(3);
  f.add_rotation(7, 3);
  std::mt19937_64 random(33);
  const Ciphertext c =
      encrypt(f.secret, encode(*f.context, random_slots(f.context->n(), random), kScale, 3));
  const auto run = [&] {
    const Ciphertext r = rotate(relinearize(square(c), f.keys), 7, f.keys);
    return testing::residues(std::vector{r});
  };
  const int before = thread_count();
  set_thread_count(1);
  const auto one = run();
  set_thread_count(4);
  const auto four = run();
  set_thread_count(before);
  EXPECT_EQ(one, four);
}

TEST(Decryptor, SharedResultsAreRoundedToTheirNoise) {
  Fixture f(insecure_spec(10, 2, 40.0, 1, 1));
  std::mt19937_64 random(34);
  const auto x = random_slots(f.context->n(), random);
  const Ciphertext c = encrypt(f.secret, encode(*f.context, x, kScale, 2));
  const SharedResult shared = decrypt(f.secret, c);
  const double flood = std::exp2(4.0) * c.noise.error_std / c.scale;
  EXPECT_GE(shared.step, flood);
  EXPECT_LE(shared.step, 2 * flood);
  double square_sum = 0.0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    EXPECT_EQ(std::fmod(shared.slots[j], shared.step), 0.0);
    EXPECT_NEAR(shared.slots[j], x[j], 8 * shared.step);
    square_sum += (shared.slots[j] - x[j]) * (shared.slots[j] - x[j]);
  }
  // The flooding is there: the error is far above the encryption's own.
  EXPECT_GT(std::sqrt(square_sum / static_cast<double>(x.size())), 0.7 * flood);
  // What the data owner knows of the program overrides a ciphertext that declares less.
  DecryptOptions options;
  options.error_at_least = 0.01;
  EXPECT_GE(decrypt(f.secret, c, options).step, 0.16);
}

}  // namespace
}  // namespace ffconv
