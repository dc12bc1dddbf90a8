#include "ffconv/ckks/linear_transform.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/key_switching.h"

namespace ffconv {
namespace {

// A pair of polynomials and the plaintext it is multiplied by.
struct Product {
  const Poly<Eval>* c0;
  const Poly<Eval>* c1;
  const Poly<Eval>* plain;
};

// sum of the products, limb by limb over all terms.
ExtendedPair sum_products(const std::vector<Product>& products) {
  const Poly<Eval>& like = *products.front().plain;
  const Ring& ring = like.ring();
  ExtendedPair sum{Poly<Eval>(ring, like.basis()), Poly<Eval>(ring, like.basis())};
  parallel_for(like.limb_count(), [&](std::size_t i) {
    std::vector<const Word*> c0, c1, plain;
    for (const Product& product : products) {
      c0.push_back(product.c0->limb(i));
      c1.push_back(product.c1->limb(i));
      plain.push_back(product.plain->limb(i));
    }
    ring.kernels().inner_product_pair(sum.c0.limb(i), sum.c1.limb(i), c0.data(), c1.data(),
                                      plain.data(), plain.size(), false, ring.n(), like.tables(i));
  });
  return sum;
}

void check(std::span<const Ciphertext* const> inputs, const LinearTransform& transform) {
  if (inputs.size() != static_cast<std::size_t>(transform.inputs)) {
    fail(ErrorCode::kMismatch, "linear_transform: expected {} ciphertexts, got {}",
         transform.inputs, inputs.size());
  }
  for (const Ciphertext* input : inputs) {
    internal::check_same(*inputs[0], *input, "linear_transform");
    internal::check_scales(inputs[0]->scale, input->scale, "linear_transform");
    internal::check_polynomials(*input, 2, "linear_transform");
  }
  if (inputs[0]->level != transform.level) {
    fail(ErrorCode::kMismatch,
         "linear_transform: weights are encoded for level {}, the ciphertexts stand at level {}",
         transform.level, inputs[0]->level);
  }
}

// Terms by output and giant step.
using Groups = std::map<std::int32_t, std::map<std::int32_t, std::vector<TransformTerm>>>;

Groups group_terms(const LinearTransform& transform) {
  Groups groups;
  for (const TransformTerm& term : transform.terms) {
    groups[term.output][term.giant].push_back(term);
  }
  for (std::int32_t output = 0; output < transform.outputs; ++output) {
    if (!groups.contains(output)) {
      fail(ErrorCode::kInvalidArgument, "linear_transform: output {} has no term", output);
    }
  }
  return groups;
}

// Every rotated input, P rotate(in, baby) over QP.
using Babies = std::map<std::pair<std::int32_t, std::int32_t>, ExtendedPair>;

Babies make_babies(std::span<const Ciphertext* const> inputs, const LinearTransform& transform,
                   const EvaluationKeys& keys) {
  const Context& context = *inputs[0]->context;
  const int level = transform.level;
  std::map<std::int32_t, std::set<std::int32_t>> steps;
  for (const TransformTerm& term : transform.terms) {
    steps[term.input].insert(term.baby);
  }
  Babies babies;
  for (const auto& [input, input_steps] : steps) {
    const Ciphertext& c = *inputs[static_cast<std::size_t>(input)];
    Decomposition decomposition;
    for (const std::int32_t step : input_steps) {
      if (step == 0) {
        babies.emplace(std::pair(input, step), lift(context, c.polys[0], c.polys[1], level));
        continue;
      }
      const RotationKey& key = keys.rotation(step, level);
      if (decomposition.digits.empty()) {
        decomposition = decompose(context, c.polys[1], level);
      }
      ExtendedPair switched = inner_product(context, decomposition, key.key);
      add_lifted(context, switched.c0, c.polys[0]);
      babies.emplace(std::pair(input, step), permute(switched, key.permutation));
    }
  }
  return babies;
}

// rotate(x, giant) over QP, for x = P times a ciphertext over QP.
ExtendedPair giant_step(const Context& context, const ExtendedPair& x, int level,
                        const RotationKey& key) {
  const Poly<Eval> c1 = context.mod_down(level)(x.c1);
  ExtendedPair switched = inner_product(context, decompose(context, c1, level), key.key);
  add_inplace(switched.c0, x.c0);
  return permute(switched, key.permutation);
}

std::vector<Poly<Eval>> transform_extended(
    const Context& context, const LinearTransform& transform,
    const std::map<std::int32_t, std::vector<TransformTerm>>& by_giant, const Babies& babies,
    const EvaluationKeys& keys) {
  const int level = transform.level;
  std::optional<ExtendedPair> total;
  for (const auto& [giant, terms] : by_giant) {
    std::vector<Product> products;
    for (const TransformTerm& term : terms) {
      const ExtendedPair& baby = babies.at({term.input, term.baby});
      products.push_back({&baby.c0, &baby.c1,
                          &transform.plaintexts[static_cast<std::size_t>(term.plaintext)].poly});
    }
    ExtendedPair sum = sum_products(products);
    if (giant != 0) {
      sum = giant_step(context, sum, level, keys.rotation(giant, level));
    }
    if (total) {
      add_inplace(*total, sum);
    } else {
      total = std::move(sum);
    }
  }
  return {context.mod_down(level)(total->c0), context.mod_down(level)(total->c1)};
}

// Weights bounded by the largest of each plaintext, errors independent.
Noise transformed_noise(std::span<const Ciphertext* const> inputs, const LinearTransform& transform,
                        const std::map<std::int32_t, std::vector<TransformTerm>>& by_giant) {
  const Params& params = inputs[0]->context->params();
  double variance = 0.0, message = 0.0;
  const double switching = transform.rotates() ? key_switching_noise(params, transform.level) : 0.0;
  for (const auto& [giant, terms] : by_giant) {
    for (const TransformTerm& term : terms) {
      const Ciphertext& input = *inputs[static_cast<std::size_t>(term.input)];
      const Plaintext& plain = transform.plaintexts[static_cast<std::size_t>(term.plaintext)];
      const double weight = plain.max_abs * plain.scale;
      const double rounded = input.noise.message_max * encoding_noise(params);
      const double error = input.noise.error_std;
      variance +=
          weight * weight * (error * error + (term.baby == 0 ? 0.0 : switching * switching)) +
          rounded * rounded;
      message += weight * input.noise.message_max;
    }
    variance += giant == 0 ? 0.0 : switching * switching;
  }
  const double rounding = transform.rotates() ? rounding_noise(params) : 0.0;
  return {std::sqrt(variance + rounding * rounding), message};
}

}  // namespace

bool LinearTransform::rotates() const {
  return std::any_of(terms.begin(), terms.end(),
                     [](const TransformTerm& term) { return term.baby != 0 || term.giant != 0; });
}

std::vector<Ciphertext> linear_transform(std::span<const Ciphertext* const> inputs,
                                         const LinearTransform& transform,
                                         const EvaluationKeys& keys) {
  check(inputs, transform);
  const Context& context = *inputs[0]->context;
  const Groups groups = group_terms(transform);
  const bool rotates = transform.rotates();
  const Babies babies = rotates ? make_babies(inputs, transform, keys) : Babies{};
  std::vector<Ciphertext> outputs;
  for (const auto& [output, by_giant] : groups) {
    Ciphertext result;
    result.context = inputs[0]->context;
    result.level = transform.level;
    result.scale = inputs[0]->scale * transform.plaintexts.front().scale;
    result.noise = transformed_noise(inputs, transform, by_giant);
    if (rotates) {
      result.polys = transform_extended(context, transform, by_giant, babies, keys);
    } else {
      std::vector<Product> products;
      for (const TransformTerm& term : by_giant.begin()->second) {
        const Ciphertext& input = *inputs[static_cast<std::size_t>(term.input)];
        products.push_back({&input.polys[0], &input.polys[1],
                            &transform.plaintexts[static_cast<std::size_t>(term.plaintext)].poly});
      }
      ExtendedPair sum = sum_products(products);
      result.polys.push_back(std::move(sum.c0));
      result.polys.push_back(std::move(sum.c1));
    }
    outputs.push_back(std::move(result));
  }
  return outputs;
}

}  // namespace ffconv
