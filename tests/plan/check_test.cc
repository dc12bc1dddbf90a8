// check_program() on programs that are almost right.
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ffconv/base/error.h"
#include "plan/programs.h"
#include "support/error_of.h"

namespace ffconv::plan {
namespace {

using ::testing::HasSubstr;

Instruction& first(Program& program, OpCode op) {
  for (Instruction& instruction : program.instructions) {
    if (instruction.op == op) {
      return instruction;
    }
  }
  throw std::logic_error("the program has no such instruction");
}

struct Damage {
  std::string message;  // part of the error's
  std::function<void(Program&)> apply;
};

TEST(CheckProgram, AcceptsWhatCompileMakes) {
  for (const Packing packing : kAllPackings) {
    EXPECT_NO_THROW(check_program(testing::small_compiled(packing).program, "test"));
  }
}

TEST(CheckProgram, RejectsEveryInconsistency) {
  const Program sound = testing::small_compiled().program;
  const auto slots = static_cast<std::int32_t>(1 << sound.params.log_n);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Damage damages[] = {
      {"one label vector for each", [](Program& p) { p.input_count = 7; }},
      {"period 3 does not divide",
       [](Program& p) {
         p.input_labels[0].elements = {0, 1, 2};
       }},
      {"a label below", [](Program& p) { p.input_labels[0].elements[0] = -2; }},
      {"vector 0: period 0", [](Program& p) { p.vectors[0].values.clear(); }},
      {"vector 0: period",
       [&](Program& p) { p.vectors[0].values.resize(static_cast<std::size_t>(2 * slots)); }},
      {"not finite", [&](Program& p) { p.vectors[0].values[0] = nan; }},
      {"expected a level in", [](Program& p) { p.values[1].level = 99; }},
      {"expected a level in", [](Program& p) { p.values[1].level = -1; }},
      {"two or three polynomials", [](Program& p) { p.values[1].polynomials = 4; }},
      {"expected two polynomials", [](Program& p) { p.values[0].polynomials = 3; }},
      {"do not fit", [&](Program& p) { p.values[1].scale = nan; }},
      {"do not fit", [](Program& p) { p.values[1].scale = -1; }},
      {"do not fit", [](Program& p) { p.values[0].max_abs = 1e300; }},
      {"unknown operation", [](Program& p) { p.instructions[0].op = static_cast<OpCode>(200); }},
      {"layer 9 of", [](Program& p) { p.instructions[0].layer = 9; }},
      {"0 operands", [](Program& p) { first(p, OpCode::kRescale).in.clear(); }},
      {"2 results", [](Program& p) { first(p, OpCode::kRescale).out.push_back(1); }},
      {"before it is written", [](Program& p) { first(p, OpCode::kLinear).in[0] = 5; }},
      {"before it is written", [](Program& p) { first(p, OpCode::kLinear).in[0] = -1; }},
      {"before it is written", [](Program& p) { first(p, OpCode::kLinear).in[0] = 1 << 20; }},
      {"written already", [](Program& p) { first(p, OpCode::kLinear).out[0] = 0; }},
      {"is never written", [](Program& p) { p.values.push_back(p.values.back()); }},
      {"rotations", [](Program& p) { first(p, OpCode::kRescale).rotations = {1}; }},
      {"0 rotations", [](Program& p) { first(p, OpCode::kRotateSum).rotations.clear(); }},
      {"a rotation outside",
       [&](Program& p) { first(p, OpCode::kRotateSum).rotations.back() = slots; }},
      {"a rotation outside",
       [](Program& p) { first(p, OpCode::kRotateSum).rotations.back() = -1; }},
      {"vector -1 of", [](Program& p) { first(p, OpCode::kAddPlain).vector = -1; }},
      {"vector 0 of", [](Program& p) { first(p, OpCode::kRescale).vector = 0; }},
      {"plaintext scale", [](Program& p) { first(p, OpCode::kLinear).plain_scale = 0; }},
      {"plaintext scale", [](Program& p) { first(p, OpCode::kRescale).plain_scale = 2; }},
      {"terms",
       [](Program& p) { first(p, OpCode::kRescale).terms = first(p, OpCode::kLinear).terms; }},
      {"a term from operand", [](Program& p) { first(p, OpCode::kLinear).terms[0].input = 1; }},
      {"a term from operand", [](Program& p) { first(p, OpCode::kLinear).terms[0].output = -1; }},
      {"a term from operand", [&](Program& p) { first(p, OpCode::kLinear).terms[0].baby = slots; }},
      {"a term from operand", [](Program& p) { first(p, OpCode::kLinear).terms[0].giant = -3; }},
      {"a term from operand",
       [](Program& p) { first(p, OpCode::kLinear).terms[0].vector = 1 << 20; }},
      {"a result without terms", [](Program& p) { first(p, OpCode::kLinear).terms.clear(); }},
      {"needs a key at level",
       [](Program& p) {
         for (LevelSpec& level : p.params.levels) {
           level.special.clear();
         }
       }},
      {"expected a result of level",
       [](Program& p) { p.values[static_cast<std::size_t>(p.outputs[0])].scale *= 1.0001; }},
      {"expected a result of level",
       [](Program& p) {
         p.values[static_cast<std::size_t>(first(p, OpCode::kRescale).out[0])].level += 1;
       }},
      {"expected a result of level",
       [](Program& p) { first(p, OpCode::kLinear).plain_scale *= 2; }},
      {"an operand of",
       [](Program& p) { first(p, OpCode::kRelinearizeRescale).in[0] = p.instructions[0].in[0]; }},
      {"one label vector for each of 0 outputs", [](Program& p) { p.outputs.clear(); }},
      {"given twice",
       [](Program& p) {
         p.outputs.push_back(p.outputs[0]);
         p.output_labels.push_back(p.output_labels[0]);
       }},
      {"output 0: register", [](Program& p) { p.outputs[0] = 1 << 20; }},
      {"without a gap",
       [](Program& p) {
         for (std::int32_t& label : p.output_labels[0].elements) {
           label = label == 0 ? SlotLabels::kEmpty : label;
         }
       }},
      {"output noise", [&](Program& p) { p.output_noise_std = nan; }},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.message);
    Program program = sound;
    damage.apply(program);
    const std::string message =
        testing::error_of(ErrorCode::kFormat, [&] { check_program(program, "bundle.server"); });
    EXPECT_THAT(message, HasSubstr(damage.message));
    EXPECT_THAT(message, HasSubstr("bundle.server, program: "));
  }
}

TEST(CheckProgram, PassesOnInsecureParameters) {
  Program program = testing::small_compiled().program;
  program.params =
      one_prime_a_level(program.params.log_n, std::vector<double>(40, 46), {46}, 1, 39);
  testing::error_of(ErrorCode::kInsecure, [&] { check_program(program, "test"); });
}

}  // namespace
}  // namespace ffconv::plan
