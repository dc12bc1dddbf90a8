#include "ffconv/plan/counts.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <set>
#include <utility>

namespace ffconv::plan {
namespace {

std::size_t index(std::int32_t number) {
  return static_cast<std::size_t>(number);
}

std::int64_t& products(const Program& program, std::int32_t vector, OpCounts& counts) {
  return program.vectors[index(vector)].is_constant() ? counts.scalar_products
                                                      : counts.plain_products;
}

}  // namespace

OpCounts& OpCounts::operator+=(const OpCounts& other) {
  rotations += other.rotations;
  hoisted_rotations += other.hoisted_rotations;
  plain_products += other.plain_products;
  scalar_products += other.scalar_products;
  ciphertext_products += other.ciphertext_products;
  rescales += other.rescales;
  key_switches += other.key_switches;
  levels += other.levels;
  predicted_us += other.predicted_us;
  return *this;
}

LinearShape linear_shape(const Instruction& op) {
  std::set<std::pair<std::int32_t, std::int32_t>> babies, giants;
  std::set<std::int32_t> unrotated, decomposed, outputs;
  for (const LinearTerm& term : op.terms) {
    if (term.baby != 0) {
      babies.emplace(term.input, term.baby);
      decomposed.insert(term.input);
    } else {
      unrotated.insert(term.input);
    }
    if (term.giant != 0) {
      giants.emplace(term.output, term.giant);
    }
    if (term.rotates()) {
      outputs.insert(term.output);
    }
  }
  const auto extended =
      std::count_if(op.terms.begin(), op.terms.end(),
                    [&](const LinearTerm& term) { return outputs.contains(term.output); });
  LinearShape shape;
  shape.unrotated_inputs = static_cast<int>(unrotated.size());
  shape.decomposed_inputs = static_cast<int>(decomposed.size());
  shape.babies = static_cast<int>(babies.size());
  shape.giants = static_cast<int>(giants.size());
  shape.extended_outputs = static_cast<int>(outputs.size());
  shape.extended_terms = static_cast<int>(extended);
  shape.plain_terms = static_cast<int>(op.terms.size()) - shape.extended_terms;
  return shape;
}

OpCounts count(const Program& program, const Instruction& op, const CostTable& table) {
  const ValueInfo& in = program.values[index(op.in[0])];
  const CostShape shape = cost_shape(program.params, in.level);
  OpCounts counts;
  switch (op.op) {
    case OpCode::kLinear: {
      const LinearShape map = linear_shape(op);
      counts.rotations = map.giants;
      counts.hoisted_rotations = map.babies;
      for (const LinearTerm& term : op.terms) {
        ++products(program, term.vector, counts);
      }
      counts.predicted_us = linear_us(table, shape, map);
      break;
    }
    case OpCode::kRotate:
      counts.rotations = 1;
      counts.predicted_us = rotate_us(table, shape);
      break;
    case OpCode::kRotateSum:
      counts.hoisted_rotations =
          std::count_if(op.rotations.begin(), op.rotations.end(), [](auto k) { return k != 0; });
      counts.predicted_us = rotate_sum_us(table, shape, static_cast<int>(counts.hoisted_rotations));
      break;
    case OpCode::kAdd:
      counts.predicted_us = add_us(table, shape, in.polynomials);
      break;
    case OpCode::kAddPlain:
      counts.predicted_us = add_us(table, shape, 1);
      break;
    case OpCode::kMultiplyPlain:
      products(program, op.vector, counts) = 1;
      counts.predicted_us = multiply_plain_us(table, shape, false);
      break;
    case OpCode::kSquare:
      counts.ciphertext_products = 1;
      counts.predicted_us = square_us(table, shape);
      break;
    case OpCode::kMultiply:
      counts.ciphertext_products = 1;
      counts.predicted_us = multiply_us(table, shape);
      break;
    case OpCode::kRelinearize:
      counts.key_switches = 1;
      counts.predicted_us = relinearize_us(table, shape);
      break;
    case OpCode::kRescale:
      counts.rescales = 1;
      counts.predicted_us = rescale_us(table, shape, in.polynomials);
      break;
    case OpCode::kDropLevel:
      break;
    case OpCode::kRelinearizeRescale:
      counts.key_switches = 1;
      counts.rescales = 1;
      counts.predicted_us = relinearize_rescale_us(table, shape);
      break;
  }
  counts.key_switches += counts.rotations + counts.hoisted_rotations;
  return counts;
}

ProgramCounts count(const Program& program, const CostTable& table) {
  ProgramCounts counts;
  counts.layers.resize(program.layers.size());
  std::vector<std::int32_t> first(program.layers.size(), -1);  // of a layer's main input
  std::vector<std::int32_t> lowest(program.layers.size(), std::numeric_limits<std::int32_t>::max());
  for (const Instruction& op : program.instructions) {
    const std::size_t layer = index(op.layer);
    counts.layers[layer] += count(program, op, table);
    first[layer] = first[layer] < 0 ? program.values[index(op.in[0])].level : first[layer];
    lowest[layer] = std::min(lowest[layer], program.values[index(op.out[0])].level);
  }
  for (std::size_t l = 0; l < counts.layers.size(); ++l) {
    counts.layers[l].levels = std::max(0, first[l] - lowest[l]);
    counts.total += counts.layers[l];
  }
  return counts;
}

}  // namespace ffconv::plan
