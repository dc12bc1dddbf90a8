#include "ffconv/plan/memory.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "ffconv/base/error.h"
#include "ffconv/plan/counts.h"

namespace ffconv::plan {
namespace {

constexpr std::uint64_t kWordBytes = 8;
constexpr std::uint64_t kSmallWordBytes = 4, kNarrowWordBytes = 3;
constexpr std::uint64_t kScalarBytes = 16;
constexpr double kSmallLimit = 0x1p31, kNarrowLimit = 0x1p23;  // as PackedPlaintexts has them
constexpr std::uint64_t kPackedWordBytes = 6;
constexpr std::uint64_t kPermutationWordBytes = 4;
constexpr std::uint64_t kExpandedGroups = 4;  // a thread, as linear transforms make small weights

// A bound: a coefficient is a mean of slots, each times a cosine, rounded.
double largest_coefficient(const Program& program, const std::set<std::int32_t>& vectors,
                           double scale) {
  double largest = 0;
  for (const std::int32_t vector : vectors) {
    const auto& values = program.vectors[static_cast<std::size_t>(vector)].values;
    const double sum = std::transform_reduce(values.begin(), values.end(), 0.0, std::plus<>{},
                                             [](double value) { return std::abs(value); });
    largest = std::max(largest, sum / static_cast<double>(values.size()));
  }
  return scale * largest + 1;
}

class Estimate {
 public:
  Estimate(const Program& program, const Params& params, const SmallWeights& small, int threads)
      : program_(program),
        params_(params),
        small_(small),
        threads_(static_cast<std::uint64_t>(threads)) {}

  Memory run() const {
    Memory memory{.weights = weights(), .slots = slots(), .ciphertexts = ciphertexts()};
    const KeyRequest request = key_request(program_);
    for (const std::int32_t level : request.relinearization) {
      add_key(level, memory);
    }
    for (const auto& [step, level] : request.rotations) {
      add_key(level, memory);
      memory.keys += params_.n() * kPermutationWordBytes;
    }
    return memory;
  }

 private:
  std::uint64_t limb() const { return params_.n() * kWordBytes; }
  // Limbs of one polynomial modulo Q, and modulo QP, at a level.
  std::uint64_t limbs(std::int32_t level) const { return params_.level(level).primes.size(); }
  std::uint64_t extended_limbs(std::int32_t level) const {
    return limbs(level) + params_.level(level).special.size();
  }
  const ValueInfo& info(std::int32_t reg) const {
    return program_.values[static_cast<std::size_t>(reg)];
  }

  // One plaintext for each vector, level, scale and basis; those of a linear map's output and giant
  // step are packed together, and shared where all are the same.
  std::uint64_t weights() const {
    using Use = std::tuple<std::set<std::int32_t>, std::int32_t, bool, double>;
    std::set<Use> packed, small, plain;
    std::uint64_t scalars = 0;
    for (std::size_t at = 0; at < program_.instructions.size(); ++at) {
      const Instruction& op = program_.instructions[at];
      const ValueInfo& x = info(op.in[0]);
      if (op.op == OpCode::kAddPlain) {
        plain.emplace(std::set{op.vector}, x.level, false, x.scale);
      } else if (op.op == OpCode::kMultiplyPlain && !is_constant(op.vector)) {
        plain.emplace(std::set{op.vector}, x.level, false, op.plain_scale);
      }
      if (is_scalar(program_, op)) {
        scalars += op.terms.size() * limbs(x.level) * kScalarBytes;
        continue;
      }
      for (auto& [step, vectors] : groups(op)) {
        auto& uses = is_small(at) ? small : packed;
        uses.emplace(std::move(vectors), x.level, rotates(op), op.plain_scale);
      }
    }
    const auto bytes = [&](const std::set<Use>& uses, std::uint64_t word_bytes) {
      std::uint64_t total = 0;
      for (const auto& [vectors, level, extended, scale] : uses) {
        total += vectors.size() * (extended ? extended_limbs(level) : limbs(level)) * params_.n() *
                 word_bytes;
      }
      return total;
    };
    std::uint64_t coefficients = 0;
    for (const auto& [vectors, level, extended, scale] : small) {
      const bool narrow = largest_coefficient(program_, vectors, scale) < kNarrowLimit;
      coefficients += vectors.size() * params_.n() * (narrow ? kNarrowWordBytes : kSmallWordBytes);
    }
    return bytes(packed, kPackedWordBytes) + bytes(plain, kWordBytes) + scalars + coefficients;
  }

  std::uint64_t slots() const {
    return std::transform_reduce(
        program_.vectors.begin(), program_.vectors.end(), std::uint64_t{0}, std::plus<>{},
        [](const SlotVector& vector) { return vector.values.size() * sizeof(double); });
  }

  bool is_small(std::size_t at) const { return !small_.empty() && small_[at]; }

  // The vectors of a linear map by output and giant step.
  using Groups = std::map<std::pair<std::int32_t, std::int32_t>, std::set<std::int32_t>>;
  static Groups groups(const Instruction& op) {
    Groups groups;
    for (const LinearTerm& term : op.terms) {
      groups[{term.output, term.giant}].insert(term.vector);
    }
    return groups;
  }

  bool is_constant(std::int32_t vector) const {
    return program_.vectors[static_cast<std::size_t>(vector)].is_constant();
  }

  void add_key(std::int32_t level, Memory& memory) const {
    const std::uint64_t limbs =
        static_cast<std::uint64_t>(params_.digit_count(level)) * extended_limbs(level);
    memory.keys += 2 * limbs * params_.n() * kPackedWordBytes;
  }

  // What a thread holds while it makes products with small weights: a limb of those of the largest
  // groups, and of all inputs, rotated or not.
  std::uint64_t expanded(const Instruction& op) const {
    std::set<std::pair<std::int32_t, std::int32_t>> operands;
    for (const LinearTerm& term : op.terms) {
      operands.emplace(term.input, term.baby);
    }
    std::uint64_t largest = 0;
    const Groups sums = groups(op);
    for (const auto& [step, vectors] : sums) {
      largest = std::max<std::uint64_t>(largest, vectors.size());
    }
    const std::uint64_t weights = std::min<std::uint64_t>(sums.size(), kExpandedGroups) * largest;
    return (weights * kPackedWordBytes + 2 * operands.size() * kWordBytes) * params_.n();
  }

  // What an instruction holds beside its operands and results: the sum of every output and giant
  // step of a linear map, and the digits of its inputs or of all outputs of one giant step.
  std::uint64_t working(std::size_t at) const {
    const Instruction& op = program_.instructions[at];
    const std::uint64_t for_small = is_small(at) ? threads_ * expanded(op) : 0;
    if (!rotates(op)) {
      return for_small;
    }
    const std::int32_t level = info(op.in[0]).level;
    std::set<std::int32_t> decomposed;
    for (const LinearTerm& term : op.terms) {
      if (term.baby != 0) {
        decomposed.insert(term.input);
      }
    }
    const Groups sums = groups(op);
    std::map<std::int32_t, std::uint64_t> outputs;  // by giant step
    std::uint64_t rotated = 0;                      // of the giant step with the most
    for (const auto& [step, vectors] : sums) {
      if (step.second != 0) {
        rotated = std::max(rotated, ++outputs[step.second]);
      }
    }
    // In coefficient form, with one overflow a digit; an output's polynomial over Q beside them.
    const std::uint64_t digits =
        limbs(level) + static_cast<std::uint64_t>(params_.digit_count(level));
    return for_small + (std::max(decomposed.size() * digits, rotated * (digits + limbs(level))) +
                        2 * sums.size() * extended_limbs(level)) *
                           limb();
  }

  std::uint64_t ciphertexts() const {
    const auto last = last_uses(program_);
    std::vector<std::uint64_t> freed(program_.instructions.size() + 1);
    const auto size = [&](std::int32_t reg) {
      return static_cast<std::uint64_t>(info(reg).polynomials) * limbs(info(reg).level) * limb();
    };
    std::uint64_t alive = 0, peak = 0;
    for (std::size_t reg = 0; reg < program_.values.size(); ++reg) {
      freed[last[reg]] += size(static_cast<std::int32_t>(reg));
    }
    for (std::int32_t reg = 0; reg < program_.input_count; ++reg) {
      alive += size(reg);
    }
    for (std::size_t at = 0; at < program_.instructions.size(); ++at) {
      const Instruction& op = program_.instructions[at];
      for (const std::int32_t reg : op.out) {
        alive += size(reg);
      }
      peak = std::max(peak, alive + working(at));
      alive -= freed[at];
    }
    return peak;
  }

  const Program& program_;
  const Params& params_;
  const SmallWeights& small_;
  const std::uint64_t threads_;
};

}  // namespace

Memory memory_of(const Program& program, const Params& params, const SmallWeights& small,
                 int threads) {
  return Estimate(program, params, small, threads).run();
}

double expansion_us(const Program& program, const Instruction& op, const CostTable& table) {
  if (op.op != OpCode::kLinear || is_scalar(program, op)) {
    return 0;
  }
  std::set<std::int32_t> vectors;
  for (const LinearTerm& term : op.terms) {
    vectors.insert(term.vector);
  }
  if (largest_coefficient(program, vectors, op.plain_scale) >= kSmallLimit) {
    return 0;
  }
  const CostShape shape =
      cost_shape(program.params, program.values[static_cast<std::size_t>(op.in[0])].level);
  return static_cast<double>(op.terms.size()) * encode_us(table, shape, rotates(op));
}

SmallWeights fit_memory(const Program& program, const Params& params,
                        std::optional<std::uint64_t> budget, const CostTable& table, int threads) {
  if (!budget) {
    return {};
  }
  const auto memory = [&](const SmallWeights& small) {
    return memory_of(program, params, small, threads);
  };
  const auto needed = [&](const SmallWeights& small) {
    const std::uint64_t total = memory(small).total();
    return total + total / 20;
  };
  const std::size_t count = program.instructions.size();
  const auto all = static_cast<double>(memory({}).weights);
  std::vector<std::pair<double, std::size_t>> order;  // microseconds a byte saved, instruction
  for (std::size_t at = 0; at < count; ++at) {
    if (const double us = expansion_us(program, program.instructions[at], table); us > 0) {
      SmallWeights alone(count, false);
      alone[at] = true;
      const double saved = all - static_cast<double>(memory(alone).weights);
      order.emplace_back(saved > 0 ? us / saved : std::numeric_limits<double>::infinity(), at);
    }
  }
  std::ranges::sort(order);
  SmallWeights small(count, false);
  std::uint64_t least = needed(small);
  for (const auto& [rate, at] : order) {
    if (least <= *budget) {
      return small;
    }
    small[at] = true;
    least = std::min(least, needed(small));
  }
  if (least > *budget) {
    constexpr std::uint64_t kMega = 1'000'000;
    fail(ErrorCode::kUnsupported,
         "memory budget: expected at least {} MB for this network, got {} MB; allow more, or "
         "compile it with a lower --precision",
         (least + kMega - 1) / kMega, *budget / kMega);
  }
  return small;
}

}  // namespace ffconv::plan
