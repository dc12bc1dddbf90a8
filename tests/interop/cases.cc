#include "cases.h"

#include <array>
#include <cmath>
#include <random>

#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/linear_transform.h"
#include "ffconv/ckks/public_encryptor.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ffconv/ckks/secret/key_generator.h"

namespace ffconv::interop {
namespace {

struct SetSpec {
  ParamsSpec params;
  double log_scale;
};

// The largest error among the inputs is that of public-key encryption, v e + e_1 s: Laplace in
// every slot, standard deviation 2^(log_n + 2.9). Beyond 2^(log_n + 7) lies one of N slots once in
// two million encryptions.
double required_bits(const SetSpec& set) {
  return set.log_scale - set.params.log_n - 7;
}

SetSpec spec_of(int set) {
  SetSpec spec;
  if (set == 0) {
    spec.params = one_prime_a_level(13, {46, 40, 40, 40}, {46}, 1, 3);
    spec.log_scale = 40;
  } else {
    spec.params = one_prime_a_level(14, {46, 44, 44, 44, 44}, {46, 46}, 2, 4);
    spec.log_scale = 44;
  }
  return spec;
}

// 1, N/2 + 3 and N - 1: the shortest, one across the middle, and the shortest backwards.
std::array<int, 3> steps_of(const Setup& setup) {
  const int n = static_cast<int>(setup.context->n());
  return {1, n / 2 + 3, n - 1};
}

constexpr int kChainStep = 5;

std::vector<double> rotated(const std::vector<double>& x, int step) {
  std::vector<double> result(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    result[j] = x[(j + static_cast<std::size_t>(step)) % x.size()];
  }
  return result;
}

std::vector<double> product(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<double> result(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    result[j] = x[j] * y[j];
  }
  return result;
}

std::vector<double> sum(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<double> result(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    result[j] = x[j] + y[j];
  }
  return result;
}

// z + rotate(z, N - 1), z = y x + y rotate(x, 1), as one transform with baby and giant steps.
LinearTransform two_by_two(const Setup& setup, double scale) {
  const int level = setup.context->params().max_level();
  const int back = static_cast<int>(setup.context->n()) - 1;
  LinearTransform transform;
  transform.inputs = 1;
  transform.outputs = 1;
  transform.level = level;
  const auto weights = std::make_shared<const PackedPlaintexts>(
      1, [&](std::size_t) { return encode(*setup.context, setup.y, scale, level, true); });
  for (const int giant : {0, back}) {
    transform.groups.push_back({0, giant, {{0, 0, 0}, {0, 1, 0}}, weights});
  }
  return transform;
}

double prime_of(const Setup& setup, int level) {
  return static_cast<double>(setup.context->params().q()[static_cast<std::size_t>(level)]);
}

}  // namespace

Setup make_setup(int set) {
  const SetSpec spec = spec_of(set);
  const std::uint64_t seed = 20210300 + static_cast<std::uint64_t>(set);
  std::mt19937_64 random(seed);
  const auto context = Context::make(Params(spec.params));
  std::vector<std::int8_t> secret(context->n());
  for (std::int8_t& coefficient : secret) {
    coefficient = static_cast<std::int8_t>(static_cast<int>(random() % 3) - 1);
  }
  Setup setup{context,
              SecretKey::from_coefficients(context, secret),
              seed,
              std::exp2(spec.log_scale),
              required_bits(spec),
              {},
              {}};
  for (std::vector<double>* values : {&setup.x, &setup.y}) {
    for (std::size_t j = 0; j < context->n(); ++j) {
      values->push_back(static_cast<double>(random() >> 11) * 0x1p-52 - 1.0);
    }
  }
  return setup;
}

std::map<std::string, Expected> expectations(const Setup& setup) {
  const int top = setup.context->params().max_level();
  const double scale = setup.scale;
  const double product_scale = scale * scale / prime_of(setup, top);
  const std::vector<double> xy = product(setup.x, setup.y);
  const std::vector<double> turned = rotated(xy, kChainStep);
  const std::vector<double> z = product(setup.y, sum(setup.x, rotated(setup.x, 1)));
  std::map<std::string, Expected> result;
  result["fresh_secret"] = {setup.x, top, scale};
  result["fresh_public"] = {setup.y, top, scale};
  result["sum"] = {sum(setup.x, setup.y), top, scale};
  result["tensor"] = {xy, top, scale * scale};
  result["product"] = {xy, top - 1, product_scale};
  result["weighted"] = {xy, top - 1, scale};
  result["transformed"] = {sum(z, rotated(z, static_cast<int>(z.size()) - 1)), top - 1, scale};
  // (p + e)^2 = p^2 + 2 p e: one bit.
  result["chain"] = {sum(product(turned, turned), setup.x), top - 2,
                     product_scale * product_scale / prime_of(setup, top - 1), 1.0};
  result["dropped"] = {setup.x, 0, scale};
  for (const int step : steps_of(setup)) {
    result["rotated_" + std::to_string(step)] = {rotated(setup.x, step), top, scale};
  }
  return result;
}

std::map<std::string, Ciphertext> encrypt_messages(const Setup& setup) {
  const Context& context = *setup.context;
  const int top = context.params().max_level();
  const PublicKey key = KeyGenerator(setup.secret).public_key(top);
  std::map<std::string, Ciphertext> result;
  result["fresh_secret"] = encrypt(setup.secret, encode(context, setup.x, setup.scale, top));
  result["fresh_public"] = encrypt(setup.context, key, encode(context, setup.y, setup.scale, top));
  return result;
}

std::map<std::string, Ciphertext> evaluate(const Setup& setup, const Ciphertext& x,
                                           const Ciphertext& y) {
  const Context& context = *setup.context;
  const int top = context.params().max_level();
  const KeyGenerator generator(setup.secret);
  EvaluationKeys keys;
  keys.relinearization.emplace(top, generator.relinearization_key(top));
  for (const int step : steps_of(setup)) {
    keys.rotations.emplace(std::pair(step, top), generator.rotation_key(step, top));
  }
  // Made where it is used, one level below the others.
  keys.rotations.emplace(std::pair(kChainStep, top - 1),
                         generator.rotation_key(kChainStep, top - 1));

  std::map<std::string, Ciphertext> result;
  result["sum"] = add(x, y);
  result["tensor"] = multiply(x, y);
  result["product"] = rescale(relinearize(result["tensor"], keys));
  // Weights at the scale of the prime that rescaling divides by: the scale comes back exactly.
  const double weight_scale = prime_of(setup, top);
  result["weighted"] = rescale(multiply_plain(x, encode(context, setup.y, weight_scale, top)));
  const Ciphertext* const input = &x;
  result["transformed"] =
      rescale(linear_transform({&input, 1}, two_by_two(setup, weight_scale), keys).front());
  const Ciphertext turned = rotate(result["product"], kChainStep, keys);
  const Ciphertext squared = relinearize_rescale(square(turned), keys);
  result["chain"] = add_plain(squared, encode(context, setup.x, squared.scale, squared.level));
  result["dropped"] = drop_level(x, 0);
  const auto steps = steps_of(setup);
  const std::vector<Ciphertext> hoisted = rotate_hoisted(x, steps, keys);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    result["rotated_" + std::to_string(steps[i])] = hoisted[i];
  }
  return result;
}

}  // namespace ffconv::interop
