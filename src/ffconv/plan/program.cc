#include "ffconv/plan/program.h"

#include <algorithm>
#include <map>

namespace ffconv::plan {
namespace {

std::size_t index(std::int32_t number) {
  return static_cast<std::size_t>(number);
}

}  // namespace

KeyRequest key_request(const Program& program) {
  KeyRequest request;
  std::map<std::int32_t, std::int32_t> levels;  // step -> highest level
  const auto need = [&](std::int32_t step, std::int32_t level) {
    if (step != 0) {
      auto& highest = levels.try_emplace(step, level).first->second;
      highest = std::max(highest, level);
    }
  };
  for (const Instruction& op : program.instructions) {
    const std::int32_t level = program.values[index(op.in[0])].level;
    if (op.op == OpCode::kRelinearize || op.op == OpCode::kRelinearizeRescale) {
      request.relinearization_level = std::max(request.relinearization_level, level);
    }
    for (const std::int32_t step : op.rotations) {
      need(step, level);
    }
    for (const LinearTerm& term : op.terms) {
      need(term.baby, level);
      need(term.giant, level);
    }
  }
  for (const auto& [step, level] : levels) {
    request.rotations.push_back({step, level});
  }
  return request;
}

std::vector<std::size_t> last_uses(const Program& program) {
  std::vector<std::size_t> last(program.values.size(), 0);
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
