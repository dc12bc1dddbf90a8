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

// Terms of one output and giant step, in the order of the transform.
struct Group {
  std::int32_t output, giant;
  std::vector<TransformTerm> terms;
};

// By ascending output, then giant step.
std::vector<Group> group_terms(const LinearTransform& transform) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::vector<TransformTerm>> by_step;
  for (const TransformTerm& term : transform.terms) {
    by_step[{term.output, term.giant}].push_back(term);
  }
  std::vector<Group> groups;
  for (auto& [key, terms] : by_step) {
    groups.push_back({key.first, key.second, std::move(terms)});
  }
  for (std::int32_t output = 0; output < transform.outputs; ++output) {
    if (std::ranges::find(groups, output, &Group::output) == groups.end()) {
      fail(ErrorCode::kInvalidArgument, "linear_transform: output {} has no term", output);
    }
  }
  return groups;
}

// Limb by limb: the rotated inputs of one limb stay in cache while every group's products with them
// are summed.
class GroupSums {
 public:
  GroupSums(std::span<const Ciphertext* const> inputs, const LinearTransform& transform,
            const EvaluationKeys& keys)
      : inputs_(inputs),
        transform_(transform),
        context_(*inputs[0]->context),
        rotates_(transform.rotates()),
        groups_(group_terms(transform)) {
    if (rotates_) {
      add_babies(keys);
    }
  }

  const std::vector<Group>& groups() const { return groups_; }

  // One pair a group: extended polynomials where the transform rotates, over Q otherwise.
  std::vector<ExtendedPair> run() {
    for (Decomposition& decomposition : decompositions_) {
      decomposition.expand();
    }
    const Basis& basis =
        rotates_ ? context_.qp_basis(transform_.level) : context_.q_basis(transform_.level);
    std::vector<ExtendedPair> sums;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      sums.push_back({Poly<Eval>(context_.ring(), basis), Poly<Eval>(context_.ring(), basis)});
    }
    parallel_for(basis.size(), [&](std::size_t i) { sum_limb(i, sums); });
    return sums;
  }

 private:
  struct Baby {
    std::int32_t input, step;
    std::size_t decomposition;  // of the input
    const RotationKey* key;
    bool operator<(const Baby& other) const {
      return std::pair(input, step) < std::pair(other.input, other.step);
    }
  };

  void add_babies(const EvaluationKeys& keys) {
    std::set<std::pair<std::int32_t, std::int32_t>> steps;
    for (const TransformTerm& term : transform_.terms) {
      if (term.baby != 0) {
        steps.emplace(term.input, term.baby);
      }
    }
    std::map<std::int32_t, std::size_t> decomposed;
    for (const auto& [input, step] : steps) {
      const auto [place, is_new] = decomposed.try_emplace(input, decompositions_.size());
      if (is_new) {
        decompositions_.emplace_back(context_, inputs_[static_cast<std::size_t>(input)]->polys[1],
                                     transform_.level);
      }
      babies_.push_back(
          {input, step, place->second, &keys.rotation(step, transform_.level, context_.params())});
    }
  }

  void sum_limb(std::size_t i, std::vector<ExtendedPair>& sums) const {
    const Ring& ring = context_.ring();
    const std::size_t n = ring.n();
    const bool in_q = i < inputs_[0]->polys[0].limb_count();
    AlignedBuffer<Word> rotated(2 * babies_.size() * n);
    rotate_inputs(i, rotated.data());
    std::vector<const Word*> c0, c1;
    std::vector<const std::uint8_t*> plain;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      c0.clear(), c1.clear(), plain.clear();
      for (const TransformTerm& term : groups_[g].terms) {
        const auto& input = inputs_[static_cast<std::size_t>(term.input)]->polys;
        if (term.baby != 0) {
          const Baby key{term.input, term.baby, 0, nullptr};
          const auto baby = std::lower_bound(babies_.begin(), babies_.end(), key);
          const Word* at =
              rotated.data() + 2 * n * static_cast<std::size_t>(baby - babies_.begin());
          c0.push_back(at);
          c1.push_back(at + n);
        } else if (in_q) {
          c0.push_back(input[0].limb(i));
          c1.push_back(input[1].limb(i));
        } else {
          continue;  // P times the input: zero modulo the primes of P
        }
        plain.push_back(transform_.plaintexts[static_cast<std::size_t>(term.plaintext)]->limb(i));
      }
      ring.kernels().inner_product_pair_packed(sums[g].c0.limb(i), sums[g].c1.limb(i), c0.data(),
                                               c1.data(), plain.data(), plain.size(), false, n,
                                               sums[g].c0.tables(i));
    }
  }

  // Limb i of QP of every baby, pair after pair.
  void rotate_inputs(std::size_t i, Word* dst) const {
    const std::size_t n = context_.n();
    for (const Baby& baby : babies_) {
      const Poly<Eval>& c0 = inputs_[static_cast<std::size_t>(baby.input)]->polys[0];
      decompositions_[baby.decomposition].rotate_limb(
          *baby.key, i, i < c0.limb_count() ? c0.limb(i) : nullptr, dst, dst + n);
      dst += 2 * n;
    }
  }

  std::span<const Ciphertext* const> inputs_;
  const LinearTransform& transform_;
  const Context& context_;
  const bool rotates_;
  std::vector<Group> groups_;
  std::vector<Decomposition> decompositions_;
  std::vector<Baby> babies_;  // ascending
};

// total += rotate(x, giant), extended polynomials all.
void add_giant_step(const Context& context, ExtendedPair& total, const ExtendedPair& x, int level,
                    const RotationKey& key) {
  const Poly<Eval> c1 = context.switch_down(level)(x.c1);
  const Decomposition decomposition(context, c1, level);
  parallel_for(total.c0.limb_count(), [&](std::size_t i) {
    decomposition.add_rotated_limb(key, i, x.c0.limb(i), total.c0.limb(i), total.c1.limb(i));
  });
}

// The sum of one output's groups, brought down to Q.
std::vector<Poly<Eval>> join_giants(const Context& context, int level, std::span<ExtendedPair> sums,
                                    std::span<const Group> groups, const EvaluationKeys& keys) {
  ExtendedPair total;
  if (groups[0].giant == 0) {
    total = std::move(sums[0]);
  } else {
    const Basis& basis = context.qp_basis(level);
    total = {Poly<Eval>(context.ring(), basis), Poly<Eval>(context.ring(), basis)};
    set_zero(total.c0);
    set_zero(total.c1);
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].giant != 0) {
      add_giant_step(context, total, sums[g], level,
                     keys.rotation(groups[g].giant, level, context.params()));
    }
  }
  return {context.switch_down(level)(total.c0), context.switch_down(level)(total.c1)};
}

// Weights bounded by the largest of each plaintext, errors independent.
Noise transformed_noise(std::span<const Ciphertext* const> inputs, const LinearTransform& transform,
                        std::span<const Group> groups) {
  const Params& params = inputs[0]->context->params();
  double variance = 0.0, message = 0.0;
  const double switching = transform.rotates() ? key_switching_noise(params, transform.level) : 0.0;
  for (const Group& group : groups) {
    for (const TransformTerm& term : group.terms) {
      const Ciphertext& input = *inputs[static_cast<std::size_t>(term.input)];
      const PackedPlaintext& plain =
          *transform.plaintexts[static_cast<std::size_t>(term.plaintext)];
      const double weight = plain.max_abs * plain.scale;
      const double rounded = input.noise.message_max * encoding_noise(params);
      const double error = input.noise.error_std;
      variance +=
          weight * weight * (error * error + (term.baby == 0 ? 0.0 : switching * switching)) +
          rounded * rounded;
      message += weight * input.noise.message_max;
    }
    variance += group.giant == 0 ? 0.0 : switching * switching;
  }
  const double rounding = transform.rotates() ? rounding_noise(params) : 0.0;
  return {std::sqrt(variance + rounding * rounding), message};
}

}  // namespace

PackedPlaintext::PackedPlaintext(const Plaintext& plaintext)
    : scale(plaintext.scale),
      max_abs(plaintext.max_abs),
      basis_(plaintext.poly.basis()),
      limb_bytes_(6 * plaintext.poly.ring().n()),
      bytes_(basis_.size() * limb_bytes_) {
  const Poly<Eval>& poly = plaintext.poly;
  for (std::size_t i = 0; i < basis_.size(); ++i) {
    poly.ring().kernels().pack48(bytes_.data() + i * limb_bytes_, poly.limb(i), poly.ring().n(),
                                 poly.tables(i));
  }
}

bool LinearTransform::rotates() const {
  return std::any_of(terms.begin(), terms.end(),
                     [](const TransformTerm& term) { return term.baby != 0 || term.giant != 0; });
}

std::vector<Ciphertext> linear_transform(std::span<const Ciphertext* const> inputs,
                                         const LinearTransform& transform,
                                         const EvaluationKeys& keys) {
  check(inputs, transform);
  const Context& context = *inputs[0]->context;
  GroupSums sums(inputs, transform, keys);
  std::vector<ExtendedPair> pairs = sums.run();
  std::vector<Ciphertext> outputs;
  for (std::size_t g = 0; g < pairs.size();) {
    Ciphertext result;
    result.context = inputs[0]->context;
    result.level = transform.level;
    result.scale = inputs[0]->scale * transform.plaintexts.front()->scale;
    const std::int32_t output = sums.groups()[g].output;
    std::size_t end = g;
    while (end < pairs.size() && sums.groups()[end].output == output) {
      ++end;
    }
    result.noise =
        transformed_noise(inputs, transform, std::span(sums.groups()).subspan(g, end - g));
    result.polys = transform.rotates()
                       ? join_giants(context, transform.level, std::span(pairs).subspan(g, end - g),
                                     std::span(sums.groups()).subspan(g, end - g), keys)
                       : std::vector{std::move(pairs[g].c0), std::move(pairs[g].c1)};
    outputs.push_back(std::move(result));
    g = end;
  }
  return outputs;
}

}  // namespace ffconv
