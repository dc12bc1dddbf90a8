#include "ffconv/ckks/evaluator.h"

#include <cmath>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/key_switching.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace internal {

void check_scales(double a, double b, const char* operation) {
  if (!(std::abs(a - b) <= 0x1p-40 * a)) {
    fail(ErrorCode::kMismatch, "{}: scales differ: 2^{:.12f} and 2^{:.12f}", operation,
         std::log2(a), std::log2(b));
  }
}

void check_same(const Ciphertext& a, const Ciphertext& b, const char* operation) {
  if (a.context != b.context) {
    fail(ErrorCode::kMismatch, "{}: the ciphertexts belong to different parameters", operation);
  }
  if (a.level != b.level) {
    fail(ErrorCode::kMismatch, "{}: levels differ: {} and {}", operation, a.level, b.level);
  }
}

void check_polynomials(const Ciphertext& a, std::size_t count, const char* operation) {
  if (a.polys.size() != count) {
    fail(ErrorCode::kMismatch, "{}: expected a ciphertext of {} polynomials, got {}{}", operation,
         count, a.polys.size(), count == 2 ? ": relinearize it first" : "");
  }
}

int normalized_step(const Context& context, int step) {
  const int n = static_cast<int>(context.n());
  return ((step % n) + n) % n;
}

}  // namespace internal

namespace {

using internal::check_polynomials;
using internal::check_same;
using internal::check_scales;

double root_sum_square(double a, double b) {
  return std::sqrt(a * a + b * b);
}

void check_plain(const Ciphertext& a, const Plaintext& b, const char* operation) {
  if (&b.poly.ring() != &a.context->ring()) {
    fail(ErrorCode::kMismatch, "{}: ciphertext and plaintext belong to different parameters",
         operation);
  }
  if (a.level != b.level || b.extended) {
    fail(ErrorCode::kMismatch, "{}: expected a plaintext of level {}, got level {}{}", operation,
         a.level, b.level, b.extended ? " with special primes" : "");
  }
}

// Steps of rotations that need a key, each with its key; throws where one is missing.
std::vector<const RotationKey*> find_keys(const Ciphertext& a, std::span<const int> steps,
                                          const EvaluationKeys& keys) {
  std::vector<const RotationKey*> found;
  for (const int step : steps) {
    const int k = internal::normalized_step(*a.context, step);
    found.push_back(k == 0 ? nullptr : &keys.rotation(k, a.level));
  }
  return found;
}

double switched_noise(const Ciphertext& a) {
  return root_sum_square(a.noise.error_std, key_switching_noise(a.context->params(), a.level));
}

// P rotate(a) over QP.
ExtendedPair rotate_extended(const Ciphertext& a, const Decomposition& decomposition,
                             const RotationKey& key) {
  ExtendedPair switched = inner_product(*a.context, decomposition, key.key);
  add_lifted(*a.context, switched.c0, a.polys[0]);
  return permute(switched, key.permutation);
}

Ciphertext with_polys(const Ciphertext& like, std::vector<Poly<Eval>> polys) {
  Ciphertext result;
  result.context = like.context;
  result.polys = std::move(polys);
  result.level = like.level;
  result.scale = like.scale;
  result.noise = like.noise;
  return result;
}

Ciphertext rotate_with(const Ciphertext& a, const Decomposition& decomposition,
                       const RotationKey& key) {
  const Context& context = *a.context;
  const ExtendedPair switched = inner_product(context, decomposition, key.key);
  Poly<Eval> c0 = context.mod_down(a.level)(switched.c0);
  add_inplace(c0, a.polys[0]);
  const Poly<Eval> c1 = context.mod_down(a.level)(switched.c1);
  Ciphertext result = with_polys(a, {permute(c0, key.permutation), permute(c1, key.permutation)});
  result.noise.error_std = switched_noise(a);
  return result;
}

void check_can_rescale(const Ciphertext& a) {
  if (a.level == 0) {
    fail(ErrorCode::kInvalidArgument,
         "rescale: expected a level of 1 or more, got 0: the parameters have too few levels");
  }
}

double last_prime(const Ciphertext& a) {
  return static_cast<double>(a.context->params().q()[static_cast<std::size_t>(a.level)]);
}

// Level, scale and noise of c, whose polynomials have just been divided by q; error_std is the
// noise before.
Ciphertext rescaled(Ciphertext c, double q, double error_std) {
  c.level -= 1;
  c.scale /= q;
  c.noise = {root_sum_square(error_std / q, rounding_noise(c.context->params())),
             c.noise.message_max / q};
  return c;
}

// apply(x, y) on each pair of polynomials: sums and differences.
template <typename F>
Ciphertext combine(const Ciphertext& a, const Ciphertext& b, const char* operation,
                   const F& apply) {
  check_same(a, b, operation);
  check_scales(a.scale, b.scale, operation);
  check_polynomials(b, a.polys.size(), operation);
  Ciphertext result = with_polys(a, a.polys);
  for (std::size_t i = 0; i < a.polys.size(); ++i) {
    apply(result.polys[i], b.polys[i]);
  }
  result.noise = {root_sum_square(a.noise.error_std, b.noise.error_std),
                  a.noise.message_max + b.noise.message_max};
  return result;
}

}  // namespace

Ciphertext add(const Ciphertext& a, const Ciphertext& b) {
  return combine(a, b, "add", [](Poly<Eval>& x, const Poly<Eval>& y) { add_inplace(x, y); });
}

Ciphertext sub(const Ciphertext& a, const Ciphertext& b) {
  return combine(a, b, "sub", sub_inplace);
}

Ciphertext add_plain(const Ciphertext& a, const Plaintext& b) {
  check_plain(a, b, "add_plain");
  check_scales(a.scale, b.scale, "add_plain");
  Ciphertext result = with_polys(a, a.polys);
  add_inplace(result.polys[0], b.poly);
  result.noise = {root_sum_square(a.noise.error_std, encoding_noise(a.context->params())),
                  a.noise.message_max + b.max_abs * b.scale};
  return result;
}

Ciphertext multiply_plain(const Ciphertext& a, const Plaintext& b) {
  check_plain(a, b, "multiply_plain");
  Ciphertext result = with_polys(a, a.polys);
  for (Poly<Eval>& poly : result.polys) {
    mul_into(poly, poly, b.poly);
  }
  const double factor = b.max_abs * b.scale;
  result.scale = a.scale * b.scale;
  result.noise = {root_sum_square(a.noise.error_std * factor,
                                  a.noise.message_max * encoding_noise(a.context->params())),
                  a.noise.message_max * factor};
  return result;
}

Ciphertext multiply_scalar(const Ciphertext& a, double value, double scale) {
  const double integer = std::nearbyint(value * scale);
  if (!(std::abs(integer) < 0x1p62) || !(scale > 0.0)) {
    fail(ErrorCode::kInvalidArgument,
         "multiply_scalar: expected |value * scale| below 2^62 and a positive scale, got {} at {}",
         value, scale);
  }
  std::vector<std::uint64_t> residues;
  for (int i = 0; i <= a.level; ++i) {
    residues.push_back(reduce_signed(static_cast<std::int64_t>(integer),
                                     a.context->params().q()[static_cast<std::size_t>(i)]));
  }
  Ciphertext result = with_polys(a, a.polys);
  for (Poly<Eval>& poly : result.polys) {
    mul_constant_inplace(poly, residues);
  }
  result.scale = a.scale * scale;
  // The rounded factor is off by up to 1/2, on the message.
  result.noise = {root_sum_square(a.noise.error_std * std::abs(integer), a.noise.message_max * 0.5),
                  a.noise.message_max * std::abs(integer)};
  return result;
}

Ciphertext multiply(const Ciphertext& a, const Ciphertext& b) {
  check_same(a, b, "multiply");
  check_polynomials(a, 2, "multiply");
  check_polynomials(b, 2, "multiply");
  const Poly<Eval>&a0 = a.polys[0], &a1 = a.polys[1], &b0 = b.polys[0], &b1 = b.polys[1];
  Ciphertext result =
      with_polys(a, {Poly<Eval>(a0.ring(), a0.basis()), Poly<Eval>(a0.ring(), a0.basis()),
                     Poly<Eval>(a0.ring(), a0.basis())});
  Poly<Eval> cross(a0.ring(), a0.basis());
  mul_into(result.polys[0], a0, b0);
  mul_into(result.polys[1], a0, b1);
  mul_into(cross, a1, b0);
  add_inplace(result.polys[1], cross);
  mul_into(result.polys[2], a1, b1);
  result.scale = a.scale * b.scale;
  result.noise = {root_sum_square(a.noise.error_std * b.noise.message_max,
                                  b.noise.error_std * a.noise.message_max),
                  a.noise.message_max * b.noise.message_max};
  return result;
}

Ciphertext square(const Ciphertext& a) {
  check_polynomials(a, 2, "square");
  const Poly<Eval>&a0 = a.polys[0], &a1 = a.polys[1];
  Ciphertext result =
      with_polys(a, {Poly<Eval>(a0.ring(), a0.basis()), Poly<Eval>(a0.ring(), a0.basis()),
                     Poly<Eval>(a0.ring(), a0.basis())});
  mul_into(result.polys[0], a0, a0);
  mul_into(result.polys[1], a0, a1);
  add_inplace(result.polys[1], result.polys[1]);
  mul_into(result.polys[2], a1, a1);
  result.scale = a.scale * a.scale;
  result.noise = {2.0 * a.noise.error_std * a.noise.message_max,
                  a.noise.message_max * a.noise.message_max};
  return result;
}

Ciphertext relinearize(const Ciphertext& a, const EvaluationKeys& keys) {
  check_polynomials(a, 3, "relinearize");
  const Context& context = *a.context;
  const SwitchingKey& key = keys.relinearization_for(a.level);
  const ExtendedPair switched =
      inner_product(context, decompose(context, a.polys[2], a.level), key);
  Ciphertext result = with_polys(
      a, {context.mod_down(a.level)(switched.c0), context.mod_down(a.level)(switched.c1)});
  add_inplace(result.polys[0], a.polys[0]);
  add_inplace(result.polys[1], a.polys[1]);
  result.noise.error_std = switched_noise(a);
  return result;
}

Ciphertext relinearize_rescale(const Ciphertext& a, const EvaluationKeys& keys) {
  check_polynomials(a, 3, "relinearize_rescale");
  check_can_rescale(a);
  const Context& context = *a.context;
  const SwitchingKey& key = keys.relinearization_for(a.level);
  ExtendedPair switched = inner_product(context, decompose(context, a.polys[2], a.level), key);
  add_lifted(context, switched.c0, a.polys[0]);
  add_lifted(context, switched.c1, a.polys[1]);
  const DivideByPrimes& divide = context.mod_down_rescale(a.level);
  Ciphertext result = with_polys(a, {divide(switched.c0), divide(switched.c1)});
  return rescaled(result, last_prime(a), switched_noise(a));
}

Ciphertext rescale(const Ciphertext& a) {
  check_can_rescale(a);
  const Context& context = *a.context;
  std::vector<Poly<Eval>> polys;
  for (const Poly<Eval>& poly : a.polys) {
    polys.push_back(context.rescale(a.level)(poly));
  }
  Ciphertext result = rescaled(with_polys(a, std::move(polys)), last_prime(a), a.noise.error_std);
  if (a.polys.size() == 3) {  // c_2's rounding meets s^2
    const double s2 = 2.0 * static_cast<double>(context.n()) * 2.0 / 3.0;
    result.noise.error_std = root_sum_square(
        result.noise.error_std, rounding_noise(context.params()) * std::sqrt(s2 * 3.0));
  }
  return result;
}

Ciphertext drop_level(const Ciphertext& a, int level) {
  if (level < 0 || level > a.level) {
    fail(ErrorCode::kInvalidArgument, "drop_level: expected a level of 0 to {}, got {}", a.level,
         level);
  }
  Ciphertext result = with_polys(a, a.polys);
  for (Poly<Eval>& poly : result.polys) {
    poly.keep_limbs(static_cast<std::size_t>(level) + 1);
  }
  result.level = level;
  return result;
}

Ciphertext rotate(const Ciphertext& a, int step, const EvaluationKeys& keys) {
  check_polynomials(a, 2, "rotate");
  const int k = internal::normalized_step(*a.context, step);
  if (k == 0) {
    return with_polys(a, a.polys);
  }
  const RotationKey& key = keys.rotation(k, a.level);
  return rotate_with(a, decompose(*a.context, a.polys[1], a.level), key);
}

std::vector<Ciphertext> rotate_hoisted(const Ciphertext& a, std::span<const int> steps,
                                       const EvaluationKeys& keys) {
  check_polynomials(a, 2, "rotate_hoisted");
  const auto found = find_keys(a, steps, keys);
  const Decomposition decomposition = decompose(*a.context, a.polys[1], a.level);
  std::vector<Ciphertext> results;
  for (const RotationKey* key : found) {
    results.push_back(key == nullptr ? with_polys(a, a.polys)
                                     : rotate_with(a, decomposition, *key));
  }
  return results;
}

Ciphertext rotate_sum(const Ciphertext& a, std::span<const int> steps, const EvaluationKeys& keys) {
  check_polynomials(a, 2, "rotate_sum");
  if (steps.empty()) {
    fail(ErrorCode::kInvalidArgument, "rotate_sum: expected at least one step, got none");
  }
  const Context& context = *a.context;
  const auto found = find_keys(a, steps, keys);
  const Decomposition decomposition = decompose(context, a.polys[1], a.level);
  std::optional<ExtendedPair> sum;
  for (const RotationKey* key : found) {
    ExtendedPair term = key == nullptr ? lift(context, a.polys[0], a.polys[1], a.level)
                                       : rotate_extended(a, decomposition, *key);
    if (sum) {
      add_inplace(*sum, term);
    } else {
      sum = std::move(term);
    }
  }
  Ciphertext result =
      with_polys(a, {context.mod_down(a.level)(sum->c0), context.mod_down(a.level)(sum->c1)});
  const auto count = static_cast<double>(steps.size());
  result.noise = {std::sqrt(count) * switched_noise(a), count * a.noise.message_max};
  return result;
}

}  // namespace ffconv
