#include "memory.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "ffconv/ring/kernels/kernels.h"
#include "ffconv/wire/keys_file.h"

namespace ffconv::cli {
namespace {

using plan::Instruction;
using plan::OpCode;

constexpr std::uint64_t kWordBytes = 8;
constexpr std::uint64_t kPackedWordBytes = 6;
constexpr std::uint64_t kPermutationWordBytes = 4;

class Estimate {
 public:
  Estimate(const plan::Program& program, const Params& params)
      : program_(program), params_(params) {}

  Memory run() const {
    return {weights(), keys(), ciphertexts(),
            wire::key_bytes(params_, plan::key_request(program_))};
  }

 private:
  std::uint64_t limb() const { return params_.n() * kWordBytes; }
  // Limbs of one polynomial modulo Q, and modulo QP, at a level.
  std::uint64_t limbs(std::int32_t level) const { return params_.level(level).primes.size(); }
  std::uint64_t extended_limbs(std::int32_t level) const {
    return limbs(level) + params_.level(level).special.size();
  }
  const plan::ValueInfo& info(std::int32_t reg) const {
    return program_.values[static_cast<std::size_t>(reg)];
  }

  // One plaintext for each vector, level, scale and basis; those of a linear map's output and giant
  // step are packed together, and shared where all are the same.
  std::uint64_t weights() const {
    using Use = std::tuple<std::set<std::int32_t>, std::int32_t, bool, double>;
    std::set<Use> packed, plain;
    std::uint64_t scalars = 0;
    for (const Instruction& op : program_.instructions) {
      const plan::ValueInfo& x = info(op.in[0]);
      if (op.op == OpCode::kAddPlain) {
        plain.emplace(std::set{op.vector}, x.level, false, x.scale);
      } else if (op.op == OpCode::kMultiplyPlain && !is_constant(op.vector)) {
        plain.emplace(std::set{op.vector}, x.level, false, op.plain_scale);
      }
      if (plan::is_scalar(program_, op)) {
        scalars += op.terms.size() * limbs(x.level) * sizeof(Constant);
        continue;
      }
      for (auto& [step, vectors] : groups(op)) {
        packed.emplace(std::move(vectors), x.level, plan::rotates(op), op.plain_scale);
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
    return bytes(packed, kPackedWordBytes) + bytes(plain, kWordBytes) + scalars;
  }

  // The vectors of a linear map by output and giant step.
  using Groups = std::map<std::pair<std::int32_t, std::int32_t>, std::set<std::int32_t>>;
  static Groups groups(const Instruction& op) {
    Groups groups;
    for (const plan::LinearTerm& term : op.terms) {
      groups[{term.output, term.giant}].insert(term.vector);
    }
    return groups;
  }

  bool is_constant(std::int32_t vector) const {
    return program_.vectors[static_cast<std::size_t>(vector)].is_constant();
  }

  std::uint64_t key(std::int32_t level) const {
    return 2 * static_cast<std::uint64_t>(params_.digit_count(level)) * extended_limbs(level) *
           limb();
  }

  std::uint64_t keys() const {
    const plan::KeyRequest request = plan::key_request(program_);
    std::uint64_t bytes = 0;
    for (const std::int32_t level : request.relinearization) {
      bytes += key(level);
    }
    for (const auto& [step, level] : request.rotations) {
      bytes += key(level) + params_.n() * kPermutationWordBytes;
    }
    return bytes;
  }

  // What an instruction holds beside its operands and results: the sum of every output and giant
  // step of a linear map, and the digits of its inputs or of all outputs of one giant step.
  std::uint64_t working(const Instruction& op) const {
    if (!plan::rotates(op)) {
      return 0;
    }
    const std::int32_t level = info(op.in[0]).level;
    std::set<std::int32_t> decomposed;
    for (const plan::LinearTerm& term : op.terms) {
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
    return (std::max(decomposed.size() * digits, rotated * (digits + limbs(level))) +
            2 * sums.size() * extended_limbs(level)) *
           limb();
  }

  std::uint64_t ciphertexts() const {
    const auto last = plan::last_uses(program_);
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
      peak = std::max(peak, alive + working(op));
      alive -= freed[at];
    }
    return peak;
  }

  const plan::Program& program_;
  const Params& params_;
};

}  // namespace

Memory memory_of(const plan::Program& program, const Params& params) {
  return Estimate(program, params).run();
}

}  // namespace ffconv::cli
