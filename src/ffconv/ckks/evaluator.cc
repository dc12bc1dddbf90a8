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

void check_operands(std::span<const Ciphertext* const> inputs, std::size_t count, int level,
                    const char* operation) {
  if (inputs.size() != count) {
    fail(ErrorCode::kMismatch, "{}: expected {} ciphertexts, got {}", operation, count,
         inputs.size());
  }
  for (const Ciphertext* input : inputs) {
    check_same(*inputs[0], *input, operation);
    check_scales(inputs[0]->scale, input->scale, operation);
    check_polynomials(*input, 2, operation);
  }
  if (inputs[0]->level != level) {
    fail(ErrorCode::kMismatch,
         "{}: weights are encoded for level {}, the ciphertexts stand at level {}", operation,
         level, inputs[0]->level);
  }
}

int normalized_step(const Context& context, int step) {
  const int n = static_cast<int>(context.n());
  return ((step % n) + n) % n;
}

std::int64_t scaled_integer(double value, double scale, const char* operation) {
  const double integer = std::nearbyint(value * scale);
  if (!(std::abs(integer) < 0x1p62) || !(scale > 0.0)) {
    fail(ErrorCode::kInvalidArgument,
         "{}: expected |value * scale| below 2^62 and a positive scale, got {} at {}", operation,
         value, scale);
  }
  return static_cast<std::int64_t>(integer);
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
PoolVector<const RotationKey*> find_keys(const Ciphertext& a, std::span<const int> steps,
                                         const EvaluationKeys& keys) {
  PoolVector<const RotationKey*> found;
  for (const int step : steps) {
    const int k = internal::normalized_step(*a.context, step);
    found.push_back(k == 0 ? nullptr : &keys.rotation(k, a.level, a.context->params()));
  }
  return found;
}

double switched_noise(const Ciphertext& a) {
  return root_sum_square(a.noise.error_std, key_switching_noise(a.context->params(), a.level));
}

// Limb i of QP of the sum of rotate(a, step) over the keys' steps, nullptr standing for step 0.
void sum_rotations(const Ciphertext& a, const Decomposition& decomposition,
                   const PoolVector<const RotationKey*>& keys, std::size_t i, Word* d0, Word* d1) {
  const Ring& ring = a.context->ring();
  const LimbTables& tables = ring.tables(a.context->qp_basis(a.level)[i]);
  const bool in_q = i < a.polys[0].limb_count();
  const Word *c0 = in_q ? a.polys[0].limb(i) : nullptr, *c1 = in_q ? a.polys[1].limb(i) : nullptr;
  const Decomposition::Limb digits = decomposition.limb(i);
  for_each_block(ring.n(), [&](std::size_t begin, std::size_t count) {
    Word *s0 = d0 + begin, *s1 = d1 + begin;
    std::fill_n(s0, count, Word{0});
    std::fill_n(s1, count, Word{0});
    for (const RotationKey* key : keys) {
      if (key != nullptr) {
        digits.add_rotated(*key, begin, count, c0, s0, s1);
      } else if (in_q) {
        ring.kernels().add(s0, s0, c0 + begin, count, tables);
        ring.kernels().add(s1, s1, c1 + begin, count, tables);
      }
    }
  });
}

Ciphertext with_polys(const Ciphertext& like, PoolVector<Poly<Eval>> polys) {
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
  const Ring& ring = context.ring();
  const ModulusChange& down = context.switch_down(a.level);
  PoolVector<Poly<Eval>> polys = {Poly<Eval>(ring, down.target()), Poly<Eval>(ring, down.target())};
  bring_down(
      ring, down,
      [&](std::size_t i, Word* d0, Word* d1) {
        decomposition.limb(i).inner_product(key.key, 0, ring.n(), d0, d1, false);
      },
      [&](std::size_t k, std::size_t i, const Word* x, const Word* remainder) {
        ring.kernels().sub_add_permute(polys[k].limb(i), x, remainder,
                                       k == 0 ? a.polys[0].limb(i) : nullptr,
                                       key.permutation.source.data(), ring.n(), polys[k].tables(i));
      });
  Ciphertext result = with_polys(a, std::move(polys));
  result.noise.error_std = switched_noise(a);
  return result;
}

// Adds (P c_0, P c_1) to the switched third polynomial, and brings the sum down.
Ciphertext relinearize_by(const Ciphertext& a, const EvaluationKeys& keys,
                          const ModulusChange& down) {
  const Context& context = *a.context;
  const std::size_t n = context.n();
  const SwitchingKey& key = keys.relinearization_for(a.level, context.params());
  const Decomposition decomposition(context, a.polys[2], a.level);
  return with_polys(a, bring_down(context.ring(), down, [&](std::size_t i, Word* d0, Word* d1) {
                      const bool in_q = i < a.polys[0].limb_count();
                      if (in_q) {
                        std::copy_n(a.polys[0].limb(i), n, d0);
                        std::copy_n(a.polys[1].limb(i), n, d1);
                      }
                      decomposition.limb(i).inner_product(key, 0, n, d0, d1, in_q);
                    }));
}

void check_has_keys(const Ciphertext& a, const char* operation) {
  if (!a.context->params().has_keys(a.level)) {
    fail(ErrorCode::kMissingKey,
         "{}: level {} carries no keys in these parameters; give it special primes or use the "
         "operation at another level",
         operation, a.level);
  }
}

void check_can_rescale(const Ciphertext& a) {
  if (a.level == 0) {
    fail(ErrorCode::kInvalidArgument,
         "rescale: expected a level of 1 or more, got 0: the parameters have too few levels");
  }
}

// Level, scale and noise of c, whose polynomials have just been rescaled; error_std is the noise
// before.
Ciphertext rescaled(Ciphertext c, double error_std) {
  const double q = c.context->params().rescale_factor(c.level);
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
  const std::int64_t integer = internal::scaled_integer(value, scale, "multiply_scalar");
  PoolVector<std::uint64_t> residues;
  for (const std::uint16_t prime : a.context->q_basis(a.level)) {
    residues.push_back(reduce_signed(integer, a.context->ring().prime(prime)));
  }
  Ciphertext result = with_polys(a, a.polys);
  for (Poly<Eval>& poly : result.polys) {
    mul_constant_inplace(poly, residues);
  }
  result.scale = a.scale * scale;
  // The rounded factor is off by up to 1/2, on the message.
  const double magnitude = std::abs(static_cast<double>(integer));
  result.noise = {root_sum_square(a.noise.error_std * magnitude, a.noise.message_max * 0.5),
                  a.noise.message_max * magnitude};
  return result;
}

Ciphertext multiply(const Ciphertext& a, const Ciphertext& b) {
  check_same(a, b, "multiply");
  check_polynomials(a, 2, "multiply");
  check_polynomials(b, 2, "multiply");
  const Ring& ring = a.context->ring();
  const Basis& basis = a.polys[0].basis();
  PoolVector<Poly<Eval>> polys = {Poly<Eval>(ring, basis), Poly<Eval>(ring, basis),
                                  Poly<Eval>(ring, basis)};
  parallel_for(basis.size(), [&](std::size_t i) {
    ring.kernels().tensor(polys[0].limb(i), polys[1].limb(i), polys[2].limb(i), a.polys[0].limb(i),
                          a.polys[1].limb(i), b.polys[0].limb(i), b.polys[1].limb(i), ring.n(),
                          ring.tables(basis[i]));
  });
  Ciphertext result = with_polys(a, std::move(polys));
  result.scale = a.scale * b.scale;
  // The errors of a square are one and the same: they add up.
  const double ab = a.noise.error_std * b.noise.message_max;
  const double ba = b.noise.error_std * a.noise.message_max;
  result.noise = {&a == &b ? ab + ba : root_sum_square(ab, ba),
                  a.noise.message_max * b.noise.message_max};
  return result;
}

Ciphertext square(const Ciphertext& a) {
  return multiply(a, a);
}

Ciphertext relinearize(const Ciphertext& a, const EvaluationKeys& keys) {
  check_polynomials(a, 3, "relinearize");
  check_has_keys(a, "relinearize");
  Ciphertext result = relinearize_by(a, keys, a.context->switch_down(a.level));
  result.noise.error_std = switched_noise(a);
  return result;
}

Ciphertext relinearize_rescale(const Ciphertext& a, const EvaluationKeys& keys) {
  check_polynomials(a, 3, "relinearize_rescale");
  check_can_rescale(a);
  check_has_keys(a, "relinearize_rescale");
  return rescaled(relinearize_by(a, keys, a.context->switch_down_rescale(a.level)),
                  switched_noise(a));
}

Ciphertext rescale(const Ciphertext& a) {
  check_can_rescale(a);
  const Context& context = *a.context;
  PoolVector<Poly<Eval>> polys;
  for (const Poly<Eval>& poly : a.polys) {
    polys.push_back(context.rescale(a.level)(poly));
  }
  Ciphertext result = rescaled(with_polys(a, std::move(polys)), a.noise.error_std);
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
  const Basis& basis = a.context->q_basis(level);
  if (!contains(a.context->q_basis(a.level), basis)) {
    fail(ErrorCode::kInvalidArgument,
         "drop_level: level {} has primes that level {} has not: rescale down to it instead", level,
         a.level);
  }
  PoolVector<Poly<Eval>> polys;
  for (const Poly<Eval>& poly : a.polys) {
    polys.push_back(restrict_basis(poly, basis));
  }
  Ciphertext result = with_polys(a, std::move(polys));
  result.level = level;
  return result;
}

Ciphertext rotate(const Ciphertext& a, int step, const EvaluationKeys& keys) {
  check_polynomials(a, 2, "rotate");
  const int k = internal::normalized_step(*a.context, step);
  if (k == 0) {
    return with_polys(a, a.polys);
  }
  check_has_keys(a, "rotate");
  const RotationKey& key = keys.rotation(k, a.level, a.context->params());
  return rotate_with(a, Decomposition(*a.context, a.polys[1], a.level), key);
}

std::vector<Ciphertext> rotate_hoisted(const Ciphertext& a, std::span<const int> steps,
                                       const EvaluationKeys& keys) {
  check_polynomials(a, 2, "rotate_hoisted");
  check_has_keys(a, "rotate_hoisted");
  const auto found = find_keys(a, steps, keys);
  Decomposition decomposition(*a.context, a.polys[1], a.level);
  decomposition.expand();
  std::vector<Ciphertext> results;
  for (const RotationKey* key : found) {
    results.push_back(key == nullptr ? with_polys(a, a.polys)
                                     : rotate_with(a, decomposition, *key));
  }
  return results;
}

Ciphertext rotate_sum(const Ciphertext& a, std::span<const int> steps, const EvaluationKeys& keys) {
  check_polynomials(a, 2, "rotate_sum");
  check_has_keys(a, "rotate_sum");
  if (steps.empty()) {
    fail(ErrorCode::kInvalidArgument, "rotate_sum: expected at least one step, got none");
  }
  const Context& context = *a.context;
  const Ring& ring = context.ring();
  const auto found = find_keys(a, steps, keys);
  const Decomposition decomposition(context, a.polys[1], a.level);
  const ModulusChange& down = context.switch_down(a.level);
  Ciphertext result = with_polys(a, bring_down(ring, down, [&](std::size_t i, Word* d0, Word* d1) {
                                   sum_rotations(a, decomposition, found, i, d0, d1);
                                 }));
  const auto count = static_cast<double>(steps.size());
  result.noise = {std::sqrt(count) * switched_noise(a), count * a.noise.message_max};
  return result;
}

}  // namespace ffconv
