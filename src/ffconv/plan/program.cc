#include "ffconv/plan/program.h"

#include <algorithm>
#include <set>

namespace ffconv::plan {
namespace {

std::size_t index(std::int32_t number) {
  return static_cast<std::size_t>(number);
}

// Without the levels that a key of a higher one serves.
std::vector<std::int32_t> key_levels(const std::set<std::int32_t>& used, const Params& params) {
  std::vector<std::int32_t> levels;
  for (const std::int32_t level : used) {
    const bool served = std::any_of(used.upper_bound(level), used.end(), [&](std::int32_t higher) {
      return params.serves(higher, level);
    });
    if (!served) {
      levels.push_back(level);
    }
  }
  return levels;
}

}  // namespace

bool rotates(const Instruction& op) {
  return std::ranges::any_of(op.terms, &LinearTerm::rotates);
}

bool is_scalar(const Program& program, const Instruction& op) {
  return op.op == OpCode::kLinear && std::ranges::all_of(op.terms, [&](const LinearTerm& term) {
           return !term.rotates() && program.vectors[index(term.vector)].is_constant();
         });
}

void forget_weights(Program& program) {
  for (SlotVector& vector : program.vectors) {
    if (!vector.is_constant()) {
      vector.values = std::vector<double>();  // {} would keep the storage
    }
  }
}

UsedKeys used_keys(const Program& program) {
  UsedKeys used;
  const auto need = [&](std::int32_t step, std::int32_t level) {
    if (step != 0) {
      used.rotations[step].insert(level);
    }
  };
  for (const Instruction& op : program.instructions) {
    const std::int32_t level = program.values[index(op.in[0])].level;
    if (op.op == OpCode::kRelinearize || op.op == OpCode::kRelinearizeRescale) {
      used.relinearization.insert(level);
    }
    for (const std::int32_t step : op.rotations) {
      need(step, level);
    }
    for (const LinearTerm& term : op.terms) {
      need(term.baby, level);
      need(term.giant, level);
    }
  }
  return used;
}

KeyRequest key_request(const Program& program) {
  const Params params(program.params);
  const UsedKeys used = used_keys(program);
  KeyRequest request{key_levels(used.relinearization, params), {}};
  for (const auto& [step, levels] : used.rotations) {
    for (const std::int32_t level : key_levels(levels, params)) {
      request.rotations.push_back({step, level});
    }
  }
  return request;
}

PoolVector<std::size_t> last_uses(const Program& program) {
  PoolVector<std::size_t> last(program.values.size(), 0);
  for (std::size_t at = 0; at < program.instructions.size(); ++at) {
    for (const std::int32_t r : program.instructions[at].in) {
      last[index(r)] = at;
    }
    for (const std::int32_t r : program.instructions[at].out) {
      last[index(r)] = at;
    }
  }
  for (const std::int32_t r : program.outputs) {
    last[index(r)] = program.instructions.size();
  }
  return last;
}

}  // namespace ffconv::plan
