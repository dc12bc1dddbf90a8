#include "ffconv/plan/emitter.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "ffconv/base/assert.h"

namespace ffconv::plan {
namespace {

// Halves `values` as long as both halves are equal.
void shorten(std::vector<double>& values) {
  while (values.size() > 1) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    if (!std::equal(values.begin(), middle, middle)) {
      return;
    }
    values.erase(middle, values.end());
  }
}

}  // namespace

Emitter::Emitter(int log_n, int top_level) : top_level_(top_level) {
  program_.params.log_n = log_n;
}

Register Emitter::value(const ValueInfo& info) {
  program_.values.push_back(info);
  return static_cast<Register>(program_.values.size() - 1);
}

ValueInfo Emitter::ranged(Register x, const model::Range& range) const {
  ValueInfo result = info(x);
  result.max_abs = range.max_abs;
  result.rms = range.rms;
  return result;
}

Register Emitter::append(Instruction op, const ValueInfo& result) {
  FFCONV_ASSERT(!program_.layers.empty() && result.level >= 0);
  op.layer = static_cast<std::int32_t>(program_.layers.size() - 1);
  const Register r = value(result);
  op.out = {r};
  program_.instructions.push_back(std::move(op));
  return r;
}

Register Emitter::input(SlotLabels labels, const model::Range& range) {
  FFCONV_ASSERT(program_.instructions.empty());
  program_.input_labels.push_back(std::move(labels));
  ++program_.input_count;
  return value({.level = top_level_,
                .polynomials = 2,
                .scale = 0,
                .max_abs = range.max_abs,
                .rms = range.rms});
}

void Emitter::begin_layer(std::string name) {
  program_.layers.push_back(std::move(name));
}

std::int32_t Emitter::vector(SlotVector values) {
  shorten(values.values);
  program_.vectors.push_back(std::move(values));
  return static_cast<std::int32_t>(program_.vectors.size() - 1);
}

std::vector<Register> Emitter::linear(std::vector<Register> inputs, std::size_t outputs,
                                      std::vector<LinearTerm> terms, const model::Range& range) {
  ValueInfo result = ranged(inputs.front(), range);
  Instruction op{.op = OpCode::kLinear, .in = std::move(inputs)};
  op.terms = std::move(terms);
  op.layer = static_cast<std::int32_t>(program_.layers.size() - 1);
  for (std::size_t o = 0; o < outputs; ++o) {
    op.out.push_back(value(result));
  }
  program_.instructions.push_back(op);
  return op.out;
}

Register Emitter::multiply_plain(Register x, std::int32_t vector, const model::Range& range) {
  Instruction op{.op = OpCode::kMultiplyPlain, .in = {x}};
  op.vector = vector;
  return append(std::move(op), ranged(x, range));
}

Register Emitter::rotate(Register x, std::int64_t step) {
  const auto slots = static_cast<std::int64_t>(slot_count());
  const std::int64_t k = ((step % slots) + slots) % slots;
  if (k == 0) {
    return x;
  }
  Instruction op{.op = OpCode::kRotate, .in = {x}};
  op.rotations = {static_cast<std::int32_t>(k)};
  return append(std::move(op), info(x));
}

Register Emitter::rotate_sum(Register x, std::vector<std::int32_t> steps) {
  Instruction op{.op = OpCode::kRotateSum, .in = {x}};
  op.rotations = std::move(steps);
  return append(std::move(op), info(x));
}

Register Emitter::add(Register x, Register y) {
  ValueInfo result = info(x);
  result.max_abs = std::max(result.max_abs, info(y).max_abs);
  result.rms = std::max(result.rms, info(y).rms);
  return append({.op = OpCode::kAdd, .in = {x, y}}, result);
}

Register Emitter::add_plain(Register x, std::int32_t vector) {
  Instruction op{.op = OpCode::kAddPlain, .in = {x}};
  op.vector = vector;
  return append(std::move(op), info(x));
}

Register Emitter::square(Register x) {
  ValueInfo result = ranged(x, model::squared(range(x)));
  result.polynomials = 3;
  return append({.op = OpCode::kSquare, .in = {x}}, result);
}

Register Emitter::relinearize(Register x) {
  ValueInfo result = info(x);
  result.polynomials = 2;
  return append({.op = OpCode::kRelinearize, .in = {x}}, result);
}

Register Emitter::rescale(Register x) {
  ValueInfo result = info(x);
  --result.level;
  return append({.op = OpCode::kRescale, .in = {x}}, result);
}

Register Emitter::relinearize_rescale(Register x) {
  ValueInfo result = info(x);
  result.polynomials = 2;
  --result.level;
  return append({.op = OpCode::kRelinearizeRescale, .in = {x}}, result);
}

void Emitter::output(Register x, SlotLabels labels) {
  FFCONV_ASSERT(info(x).level == 0);
  program_.outputs.push_back(x);
  program_.output_labels.push_back(std::move(labels));
}

Program Emitter::finish() {
  return std::move(program_);
}

}  // namespace ffconv::plan
