#include "ffconv/ckks/linear_transform.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/key_switching.h"

namespace ffconv {
namespace {

using Group = LinearTransform::Group;
using Term = LinearTransform::Term;

void check_groups(const LinearTransform& transform) {
  std::pair<std::int32_t, std::int32_t> last(-1, -1);
  for (const Group& group : transform.groups) {
    const std::pair place(group.output, group.giant);
    if (place <= last || group.output > last.first + 1 || group.terms.empty()) {
      fail(ErrorCode::kInvalidArgument,
           "linear_transform: expected terms for every output, by ascending output and giant step; "
           "got output {}, giant step {} after {}, {}",
           group.output, group.giant, last.first, last.second);
    }
    last = place;
  }
  if (last.first + 1 != transform.outputs) {
    fail(ErrorCode::kInvalidArgument, "linear_transform: expected terms for {} outputs, got {}",
         transform.outputs, last.first + 1);
  }
}

// The transform of several images, one after the other's inputs and outputs.
LinearTransform repeated(const LinearTransform& transform, std::size_t images) {
  LinearTransform all{transform.inputs * static_cast<int>(images),
                      transform.outputs * static_cast<int>(images),
                      transform.level,
                      {}};
  for (std::size_t image = 0; image < images; ++image) {
    for (Group group : transform.groups) {
      group.output += static_cast<std::int32_t>(image) * transform.outputs;
      for (Term& term : group.terms) {
        term.input += static_cast<std::int32_t>(image) * transform.inputs;
      }
      all.groups.push_back(std::move(group));
    }
  }
  return all;
}

// Block by block of every limb: the rotated inputs stay in cache while every group's products with
// them are summed.
class GroupSums {
 public:
  // `transform` is that of so many images, repeated.
  GroupSums(std::span<const Ciphertext* const> inputs, const LinearTransform& transform,
            std::size_t images, const EvaluationKeys& keys)
      : inputs_(inputs),
        transform_(transform),
        context_(*inputs[0]->context),
        rotates_(transform.rotates()),
        small_(std::ranges::any_of(transform.groups,
                                   [](const Group& g) { return g.weights->is_small(); })) {
    if (rotates_) {
      add_babies(keys);
    }
    add_unrotated();
    make_batches();
    split_batches();
    if (images > 1) {  // all images' products with a block of weights follow one another
      std::ranges::stable_sort(batches_, {}, [&](const Batch& batch) {
        return batch.groups.front() % (transform.groups.size() / images);
      });
    }
  }

  // One pair a group: extended polynomials where the transform rotates, over Q otherwise.
  PoolVector<ExtendedPair> run() const {
    const Basis& basis =
        rotates_ ? context_.qp_basis(transform_.level) : context_.q_basis(transform_.level);
    PoolVector<ExtendedPair> sums;
    for (std::size_t g = 0; g < transform_.groups.size(); ++g) {
      sums.push_back({Poly<Eval>(context_.ring(), basis), Poly<Eval>(context_.ring(), basis)});
    }
    parallel_for(basis.size(), [&](std::size_t i) {
      PoolVector<Decomposition::Limb> digits;
      for (const Decomposition& decomposition : decompositions_) {
        digits.push_back(decomposition.limb(i));
      }
      Expanded expanded;
      if (small_) {
        sum_block(i, digits, 0, context_.n(), expanded, sums);
        return;
      }
      for_each_block(context_.n(), [&](std::size_t begin, std::size_t count) {
        sum_block(i, digits, begin, count, expanded, sums);
      });
    });
    return sums;
  }

 private:
  static constexpr std::size_t kManyRows = 24, kRowsTogether = 4;

  struct Baby {
    std::pair<std::int32_t, std::int32_t> place;  // step, input
    std::size_t decomposition = 0;                // of the input
    const RotationKey* key = nullptr;

    std::size_t input() const { return static_cast<std::size_t>(place.second); }
  };

  // Blocks of operands: those of babies in their order, then those of inputs_ as they are.
  struct Batch {
    PoolVector<std::size_t> groups;
    PoolVector<std::size_t> operands;  // of every term, its block
  };

  // A limb of weights that are kept small, of each row of a batch.
  struct ExpandedRow {
    const PackedPlaintexts* weights = nullptr;
    AlignedBuffer<std::uint8_t> limb;
  };
  using Expanded = std::array<ExpandedRow, kRowsTogether>;

  void add_babies(const EvaluationKeys& keys) {
    for (const Group& group : transform_.groups) {
      for (const Term& term : group.terms) {
        if (term.baby != 0) {
          babies_.push_back({{term.baby, term.input}});
        }
      }
    }
    std::ranges::sort(babies_, {}, &Baby::place);
    const auto is_same = [](const Baby& x, const Baby& y) { return x.place == y.place; };
    babies_.erase(std::unique(babies_.begin(), babies_.end(), is_same), babies_.end());
    PoolVector<std::optional<std::size_t>> decomposition_of(inputs_.size());
    for (Baby& baby : babies_) {
      auto& decomposition = decomposition_of[baby.input()];
      if (!decomposition) {
        decomposition = decompositions_.size();
        decompositions_.emplace_back(context_, inputs_[baby.input()]->polys[1], transform_.level);
      }
      baby.decomposition = *decomposition;
      baby.key = &keys.rotation(baby.place.first, transform_.level, context_.params());
    }
  }

  void add_unrotated() {
    for (const Group& group : transform_.groups) {
      for (const Term& term : group.terms) {
        if (term.baby == 0) {
          unrotated_.push_back(term.input);
        }
      }
    }
    std::ranges::sort(unrotated_);
    unrotated_.erase(std::unique(unrotated_.begin(), unrotated_.end()), unrotated_.end());
  }

  std::size_t operand_of(const Term& term) const {
    if (term.baby == 0) {
      const auto place = std::ranges::lower_bound(unrotated_, term.input);
      return babies_.size() + static_cast<std::size_t>(place - unrotated_.begin());
    }
    const auto baby =
        std::ranges::lower_bound(babies_, std::pair(term.baby, term.input), {}, &Baby::place);
    return static_cast<std::size_t>(baby - babies_.begin());
  }

  // Groups of the same rotated inputs, wherever they stand, share what is read of these.
  void make_batches() {
    const auto alike = [](const Group& a, const Group& b) {
      return a.weights->stride() == b.weights->stride() &&
             std::ranges::equal(a.terms, b.terms, [](const Term& x, const Term& y) {
               return x.input == y.input && x.baby == y.baby;
             });
    };
    for (std::size_t g = 0; g < transform_.groups.size(); ++g) {
      const Group& group = transform_.groups[g];
      auto batch = std::ranges::find_if(batches_, [&](const Batch& known) {
        return alike(transform_.groups[known.groups.front()], group);
      });
      if (batch == batches_.end()) {
        batches_.emplace_back();
        batch = batches_.end() - 1;
        for (const Term& term : group.terms) {
          batch->operands.push_back(operand_of(term));
        }
      }
      batch->groups.push_back(g);
    }
  }

  // Large batches are more streams of weights than are fetched in time; those of weights kept small
  // are made limb by limb, which memory for a few is enough for.
  void split_batches() {
    PoolVector<Batch> parts;
    for (const Batch& batch : batches_) {
      const std::size_t rows = batch.groups.size();
      const std::size_t together = small_ || rows >= kManyRows ? kRowsTogether : rows;
      for (std::size_t first = 0; first < rows; first += together) {
        const auto begin = batch.groups.begin() + static_cast<std::ptrdiff_t>(first);
        const auto count = static_cast<std::ptrdiff_t>(std::min(together, rows - first));
        parts.push_back({PoolVector<std::size_t>(begin, begin + count), batch.operands});
      }
    }
    batches_ = std::move(parts);
  }

  // Blocks of operands begin a cache line apart modulo their size: side by side, they would meet in
  // the same sets of the first-level cache.
  static std::size_t stride(std::size_t count) {
    return count + AlignedBuffer<Word>::kAlignment / sizeof(Word);
  }

  void sum_block(std::size_t i, std::span<const Decomposition::Limb> digits, std::size_t begin,
                 std::size_t count, Expanded& expanded, PoolVector<ExtendedPair>& sums) const {
    const bool in_q = i < inputs_[0]->polys[0].limb_count();
    AlignedBuffer<Word> blocks(2 * (babies_.size() + unrotated_.size()) * stride(count));
    rotate_inputs(i, digits, begin, count, blocks.data());
    if (in_q) {  // else P times the input: zero modulo the primes of P
      copy_inputs(i, begin, count, blocks.data() + 2 * babies_.size() * stride(count));
    }
    PoolVector<Word*> d0, d1;
    PoolVector<const Word*> c0, c1;
    PoolVector<const std::uint8_t*> plain;
    for (const Batch& batch : batches_) {
      c0.clear(), c1.clear(), d0.clear(), d1.clear(), plain.clear();
      for (const std::size_t block : batch.operands) {
        if (block < babies_.size() || in_q) {
          c0.push_back(blocks.data() + 2 * block * stride(count));
          c1.push_back(c0.back() + stride(count));
        }
      }
      for (const std::size_t g : batch.groups) {
        const Group& group = transform_.groups[g];
        const std::uint8_t* const weights =
            small_ ? expand(*group.weights, i, expanded[d0.size()]) : group.weights->limb(i);
        d0.push_back(sums[g].c0.limb(i) + begin);
        d1.push_back(sums[g].c1.limb(i) + begin);
        for (const Term& term : group.terms) {
          if (term.baby != 0 || in_q) {
            const auto k = static_cast<std::size_t>(term.plaintext);
            plain.push_back(weights + group.weights->offset(k, begin));
          }
        }
      }
      context_.ring().kernels().packed_products(
          d0.data(), d1.data(), d0.size(), c0.data(), c1.data(), c0.size(), plain.data(),
          transform_.groups[batch.groups.front()].weights->stride(), count, sums[0].c0.tables(i));
    }
  }

  // Images follow one another with the same weights, which are expanded once.
  static const std::uint8_t* expand(const PackedPlaintexts& weights, std::size_t i,
                                    ExpandedRow& row) {
    if (row.weights != &weights) {
      weights.expand(i, row.limb);
      row.weights = &weights;
    }
    return row.limb.data();
  }

  // The block of limb i of QP of every baby, pair after pair.
  void rotate_inputs(std::size_t i, std::span<const Decomposition::Limb> digits, std::size_t begin,
                     std::size_t count, Word* dst) const {
    for_each_block(count, [&](std::size_t first, std::size_t words) {
      Word* at = dst + first;
      for (const Baby& baby : babies_) {
        const Poly<Eval>& c0 = inputs_[baby.input()]->polys[0];
        digits[baby.decomposition].rotate(*baby.key, begin + first, words,
                                          i < c0.limb_count() ? c0.limb(i) : nullptr, at,
                                          at + stride(count));
        at += 2 * stride(count);
      }
    });
  }

  // The block of limb i of Q of every input that is used as it is. Products read a line of every
  // operand in turn, which is slow where they come from memory; copied one after the other, they
  // come from cache.
  void copy_inputs(std::size_t i, std::size_t begin, std::size_t count, Word* dst) const {
    for (const std::int32_t input : unrotated_) {
      for (const Poly<Eval>& poly : inputs_[static_cast<std::size_t>(input)]->polys) {
        std::copy_n(poly.limb(i) + begin, count, dst);
        dst += stride(count);
      }
    }
  }

  std::span<const Ciphertext* const> inputs_;
  const LinearTransform& transform_;
  const Context& context_;
  const bool rotates_;
  const bool small_;  // weights
  PoolVector<Decomposition> decompositions_;
  PoolVector<Baby> babies_;  // by step, then input: a block of a key serves all inputs in turn
  PoolVector<std::int32_t> unrotated_;  // inputs that are used as they are
  PoolVector<Batch> batches_;
};

// What is added to an output rotated by one giant step.
struct GiantTerm {
  const ExtendedPair* sum;
  ExtendedPair* total;
};

// Every total += rotate(sum, giant), extended polynomials all. A limb of the key serves all terms
// in turn.
void add_giant_step(const Context& context, std::span<const GiantTerm> terms, int level,
                    const RotationKey& key) {
  PoolVector<Poly<Eval>> c1;
  for (const GiantTerm& term : terms) {
    c1.push_back(context.switch_down(level)(term.sum->c1));
  }
  PoolVector<Decomposition> decompositions;
  for (const Poly<Eval>& x : c1) {
    decompositions.emplace_back(context, x, level);
  }
  parallel_for(context.qp_basis(level).size(), [&](std::size_t i) {
    for (std::size_t t = 0; t < terms.size(); ++t) {
      const ExtendedPair& sum = *terms[t].sum;
      ExtendedPair& total = *terms[t].total;
      const Decomposition::Limb digits = decompositions[t].limb(i);
      for_each_block(context.n(), [&](std::size_t begin, std::size_t count) {
        digits.add_rotated(key, begin, count, sum.c0.limb(i), total.c0.limb(i) + begin,
                           total.c1.limb(i) + begin);
      });
    }
  });
}

// The groups of every output, rotated by their giant steps and added up.
PoolVector<ExtendedPair> join_giants(const Context& context, const LinearTransform& transform,
                                     PoolVector<ExtendedPair> sums, const EvaluationKeys& keys) {
  PoolVector<ExtendedPair> totals(static_cast<std::size_t>(transform.outputs));
  PoolVector<std::pair<std::int32_t, std::size_t>> giants;  // step, group
  for (std::size_t g = 0; g < sums.size(); ++g) {
    const Group& group = transform.groups[g];
    ExtendedPair& total = totals[static_cast<std::size_t>(group.output)];
    if (group.giant == 0) {
      total = std::move(sums[g]);
      continue;
    }
    giants.emplace_back(group.giant, g);
    if (total.c0.empty()) {  // no group comes unrotated
      const Basis& basis = context.qp_basis(transform.level);
      total = {Poly<Eval>(context.ring(), basis), Poly<Eval>(context.ring(), basis)};
      set_zero(total.c0);
      set_zero(total.c1);
    }
  }
  std::ranges::sort(giants);
  PoolVector<GiantTerm> terms;
  for (std::size_t k = 0; k < giants.size(); ++k) {
    const auto [giant, g] = giants[k];
    terms.push_back({&sums[g], &totals[static_cast<std::size_t>(transform.groups[g].output)]});
    if (k + 1 == giants.size() || giants[k + 1].first != giant) {
      add_giant_step(context, terms, transform.level,
                     keys.rotation(giant, transform.level, context.params()));
      terms.clear();
    }
  }
  return totals;
}

// Weights bounded by the largest of each plaintext, errors independent.
Noise transformed_noise(std::span<const Ciphertext* const> inputs, std::span<const Group> groups,
                        int level, bool rotates) {
  const Params& params = inputs[0]->context->params();
  double variance = 0.0, message = 0.0;
  const double switching = rotates ? key_switching_noise(params, level) : 0.0;
  for (const Group& group : groups) {
    for (const Term& term : group.terms) {
      const Ciphertext& input = *inputs[static_cast<std::size_t>(term.input)];
      const double weight =
          group.weights->max_abs(static_cast<std::size_t>(term.plaintext)) * group.weights->scale();
      const double rounded = input.noise.message_max * encoding_noise(params);
      const double error = input.noise.error_std;
      variance +=
          weight * weight * (error * error + (term.baby == 0 ? 0.0 : switching * switching)) +
          rounded * rounded;
      message += weight * input.noise.message_max;
    }
    variance += group.giant == 0 ? 0.0 : switching * switching;
  }
  const double rounding = rotates ? rounding_noise(params) : 0.0;
  return {std::sqrt(variance + rounding * rounding), message};
}

// `transform` is that of so many images, repeated.
PoolVector<Ciphertext> transformed(std::span<const Ciphertext* const> inputs,
                                   const LinearTransform& transform, std::size_t images,
                                   const EvaluationKeys& keys) {
  check_groups(transform);
  const Context& context = *inputs[0]->context;
  PoolVector<ExtendedPair> totals = GroupSums(inputs, transform, images, keys).run();
  const bool rotates = transform.rotates();
  if (rotates) {
    totals = join_giants(context, transform, std::move(totals), keys);
  }
  PoolVector<Ciphertext> outputs;
  std::span<const Group> groups = transform.groups;
  for (ExtendedPair& total : totals) {
    const auto end = std::ranges::find_if(
        groups, [&](const Group& group) { return group.output != groups.front().output; });
    const auto own = static_cast<std::size_t>(end - groups.begin());
    Ciphertext& result = outputs.emplace_back();
    result.context = inputs[0]->context;
    result.level = transform.level;
    result.scale = inputs[0]->scale * groups.front().weights->scale();
    result.noise = transformed_noise(inputs, groups.first(own), transform.level, rotates);
    if (rotates) {
      const ModulusChange& down = context.switch_down(transform.level);
      result.polys = {down(total.c0), down(total.c1)};
    } else {
      result.polys = {std::move(total.c0), std::move(total.c1)};
    }
    groups = groups.subspan(own);
  }
  return outputs;
}

}  // namespace

bool LinearTransform::rotates() const {
  return std::ranges::any_of(groups, [](const Group& group) {
    return group.giant != 0 ||
           std::ranges::any_of(group.terms, [](const Term& term) { return term.baby != 0; });
  });
}

PoolVector<Ciphertext> linear_transform(std::span<const Ciphertext* const> inputs,
                                        const LinearTransform& transform,
                                        const EvaluationKeys& keys) {
  const auto of_one = static_cast<std::size_t>(transform.inputs);
  const std::size_t images = std::max<std::size_t>(1, inputs.size() / of_one);
  internal::check_operands(inputs, images * of_one, transform.level, "linear_transform");
  return images == 1 ? transformed(inputs, transform, 1, keys)
                     : transformed(inputs, repeated(transform, images), images, keys);
}

}  // namespace ffconv
