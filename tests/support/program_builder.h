// Programs by hand, for tests of what executes, checks or stores them: small rings, every
// operation.
//
// Levels, sizes and scales follow from the operations as plan::check_program() demands; bounds are
// the caller's. Plaintexts of products stand at the scale of the level's last prime, so that
// rescaling brings a value back to its scale.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ffconv/plan/program.h"

namespace ffconv::testing {

class ProgramBuilder {
 public:
  using Register = std::int32_t;

  explicit ProgramBuilder(const ParamsSpec& spec) : params_(spec) {
    program_.params = spec;
    program_.layers = {"layer"};
  }

  std::int32_t level(Register x) const { return program_.values[index(x)].level; }

  Register input(std::vector<std::int32_t> labels, double scale, double max_abs) {
    program_.input_labels.push_back({std::move(labels)});
    ++program_.input_count;
    return value({params_.max_level(), 2, scale, max_abs});
  }
  std::int32_t vector(std::vector<double> values) {
    program_.vectors.push_back({std::move(values)});
    return static_cast<std::int32_t>(program_.vectors.size()) - 1;
  }

  std::vector<Register> linear(std::vector<Register> in, int outputs,
                               std::vector<plan::LinearTerm> terms, double max_abs) {
    plan::Instruction op = instruction(plan::OpCode::kLinear, std::move(in));
    op.terms = std::move(terms);
    op.plain_scale = last_prime(op.in[0]);
    plan::ValueInfo info = program_.values[index(op.in[0])];
    info.scale *= op.plain_scale;
    info.max_abs = max_abs;
    for (int i = 0; i < outputs; ++i) {
      op.out.push_back(value(info));
    }
    program_.instructions.push_back(op);
    return op.out;
  }
  Register multiply_plain(Register x, std::int32_t vector, double max_abs) {
    plan::Instruction op = instruction(plan::OpCode::kMultiplyPlain, {x});
    op.vector = vector;
    op.plain_scale = last_prime(x);
    plan::ValueInfo info = program_.values[index(x)];
    info.scale *= op.plain_scale;
    info.max_abs = max_abs;
    return append(op, info);
  }
  Register add_plain(Register x, std::int32_t vector, double max_abs) {
    plan::Instruction op = instruction(plan::OpCode::kAddPlain, {x});
    op.vector = vector;
    return append(op, bounded(x, max_abs));
  }
  Register rotate(Register x, std::int32_t step) {
    plan::Instruction op = instruction(plan::OpCode::kRotate, {x});
    op.rotations = {step};
    return append(op, program_.values[index(x)]);
  }
  Register rotate_sum(Register x, std::vector<std::int32_t> steps, double max_abs) {
    plan::Instruction op = instruction(plan::OpCode::kRotateSum, {x});
    op.rotations = std::move(steps);
    return append(op, bounded(x, max_abs));
  }
  Register add(Register x, Register y, double max_abs) {
    return append(instruction(plan::OpCode::kAdd, {x, y}), bounded(x, max_abs));
  }
  Register square(Register x) { return product(plan::OpCode::kSquare, {x}, x, x); }
  Register multiply(Register x, Register y) {
    return product(plan::OpCode::kMultiply, {x, y}, x, y);
  }
  Register relinearize(Register x) {
    plan::ValueInfo info = program_.values[index(x)];
    info.polynomials = 2;
    return append(instruction(plan::OpCode::kRelinearize, {x}), info);
  }
  Register rescale(Register x) {
    plan::ValueInfo info = program_.values[index(x)];
    info.scale /= last_prime(x);
    --info.level;
    return append(instruction(plan::OpCode::kRescale, {x}), info);
  }
  Register relinearize_rescale(Register x) {
    plan::ValueInfo info = program_.values[index(x)];
    info.polynomials = 2;
    info.scale /= last_prime(x);
    --info.level;
    return append(instruction(plan::OpCode::kRelinearizeRescale, {x}), info);
  }
  Register drop_level(Register x, std::int32_t level) {
    plan::ValueInfo info = program_.values[index(x)];
    info.level = level;
    return append(instruction(plan::OpCode::kDropLevel, {x}), info);
  }

  void output(Register x, std::vector<std::int32_t> labels) {
    program_.outputs.push_back(x);
    program_.output_labels.push_back({std::move(labels)});
  }
  plan::Program finish(double output_noise_std) {
    program_.output_noise_std = output_noise_std;
    plan::check_program(program_, "built program");
    return program_;
  }

 private:
  static std::size_t index(Register x) { return static_cast<std::size_t>(x); }
  double last_prime(Register x) const {
    return params_.rescale_factor(program_.values[index(x)].level);
  }
  static plan::Instruction instruction(plan::OpCode code, std::vector<Register> in) {
    plan::Instruction op{};
    op.op = code;
    op.in = std::move(in);
    op.vector = -1;
    return op;
  }
  Register value(const plan::ValueInfo& info) {
    program_.values.push_back(info);
    return static_cast<Register>(program_.values.size()) - 1;
  }
  Register append(plan::Instruction op, const plan::ValueInfo& result) {
    op.out = {value(result)};
    program_.instructions.push_back(std::move(op));
    return program_.instructions.back().out[0];
  }
  plan::ValueInfo bounded(Register x, double max_abs) const {
    plan::ValueInfo info = program_.values[index(x)];
    info.max_abs = max_abs;
    return info;
  }
  Register product(plan::OpCode code, std::vector<Register> in, Register x, Register y) {
    plan::ValueInfo info = program_.values[index(x)];
    const plan::ValueInfo& other = program_.values[index(y)];
    info.polynomials = 3;
    info.scale *= other.scale;
    info.max_abs *= other.max_abs;
    return append(instruction(code, std::move(in)), info);
  }

  Params params_;
  plan::Program program_;
};

// 0, 1, ..., count - 1, repeated to `period`.
inline std::vector<std::int32_t> cyclic_labels(std::int32_t count, std::size_t period) {
  std::vector<std::int32_t> labels(period);
  for (std::size_t s = 0; s < period; ++s) {
    labels[s] = static_cast<std::int32_t>(s) % count;
  }
  return labels;
}

// The smallest ring whose parameters files may hold: 128 bits of security at N = 2^11, one
// rescaling, keys at both levels. Far too coarse for anything but tests of files.
inline ParamsSpec smallest_secure_spec() {
  return one_prime_a_level(11, {18, 17}, {18}, 1, 1);
}

// Precise, fast and insecure: N = 2^10, three rescalings.
inline ParamsSpec insecure_spec() {
  ParamsSpec spec = one_prime_a_level(10, {45, 36, 36, 36}, {46}, 1, 3);
  spec.security = Security::kInsecureForTesting;
  return spec;
}

// A 1 x 2 x 2 image to 2 scores over `spec`: a linear map with baby and giant steps, a square, a
// bias. Needs keys for rotations by 1 and 2 at the highest level and for relinearization one below.
inline plan::Program small_program(const ParamsSpec& spec, double scale, double noise_std) {
  ProgramBuilder builder(spec);
  const auto image = builder.input(cyclic_labels(4, 4), scale, 1.0);
  std::vector<plan::LinearTerm> terms;
  for (std::int32_t r = 0; r < 4; ++r) {
    const double x = 0.125 * (r + 1);
    terms.push_back({0, 0, r % 2, r - r % 2, builder.vector({x, -x, x, 0.25})});
  }
  auto x = builder.rescale(builder.linear({image}, 1, terms, 2.0)[0]);
  x = builder.relinearize(builder.square(x));
  if (builder.level(x) > 0) {
    x = builder.rescale(x);
  }
  x = builder.add_plain(x, builder.vector({0.5, -0.5}), 5.0);
  builder.output(builder.drop_level(x, 0), {0, 1, -1, -1});
  return builder.finish(noise_std);
}

}  // namespace ffconv::testing
