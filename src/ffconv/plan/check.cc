// check_program(): what a program read from a file must pass before it runs.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ffconv/base/error.h"
#include "ffconv/plan/program.h"

namespace ffconv::plan {
namespace {

constexpr double kScaleTolerance =
    0x1p-40;  // relative; far below what a prime differs from its size

std::string_view name(OpCode op) {
  constexpr std::string_view names[] = {
      "linear", "rotate",   "rotate_sum",  "add",     "add_plain",  "multiply_plain",
      "square", "multiply", "relinearize", "rescale", "drop_level", "relinearize_rescale"};
  return names[static_cast<std::size_t>(op)];
}

class Checker {
 public:
  Checker(const Program& program, const std::string& what)
      : program_(program),
        what_(what),
        params_(program.params),
        slots_(static_cast<std::int32_t>(params_.slot_count())),
        written_(program.values.size(), false) {}

  void run() {
    check_inputs();
    for (std::size_t v = 0; v < program_.vectors.size(); ++v) {
      check_vector(v);
    }
    for (std::size_t r = 0; r < program_.values.size(); ++r) {
      check_value(r);
    }
    for (at_ = 0; at_ < program_.instructions.size(); ++at_) {
      check_instruction(program_.instructions[at_]);
    }
    const auto unwritten = std::find(written_.begin(), written_.end(), false);
    require(unwritten == written_.end(), "register {} is never written",
            unwritten - written_.begin());
    check_outputs();
  }

 private:
  template <typename... Args>
  void require(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    if (!condition) {
      fail(ErrorCode::kFormat, "{}, program: {}", what_,
           fmt::format(format, std::forward<Args>(args)...));
    }
  }
  // The same inside an instruction.
  template <typename... Args>
  void expect(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    if (!condition) {
      require(false, "instruction {} ({}): {}", at_, name(program_.instructions[at_].op),
              fmt::format(format, std::forward<Args>(args)...));
    }
  }

  const ValueInfo& value(std::int32_t r) const {
    return program_.values[static_cast<std::size_t>(r)];
  }
  bool is_period(std::size_t size) const {
    return std::has_single_bit(size) && size <= params_.slot_count();
  }

  void check_inputs() {
    const auto count = program_.input_labels.size();
    require(count > 0 && static_cast<std::size_t>(program_.input_count) == count &&
                count <= program_.values.size(),
            "expected one label vector for each of {} inputs, got {}, and {} registers",
            program_.input_count, count, program_.values.size());
    for (std::size_t i = 0; i < count; ++i) {
      const auto& elements = program_.input_labels[i].elements;
      require(is_period(elements.size()), "input {}: period {} does not divide {} slots", i,
              elements.size(), slots_);
      require(std::all_of(elements.begin(), elements.end(),
                          [](std::int32_t e) { return e >= SlotLabels::kEmpty; }),
              "input {}: a label below {}", i, SlotLabels::kEmpty);
      require(program_.values[i].polynomials == 2, "input {}: expected two polynomials", i);
      written_[i] = true;
    }
  }

  void check_vector(std::size_t v) const {
    const auto& values = program_.vectors[v].values;
    require(is_period(values.size()), "vector {}: period {} does not divide {} slots", v,
            values.size(), slots_);
    require(std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); }),
            "vector {}: a value that is not finite", v);
  }

  void check_value(std::size_t r) const {
    const ValueInfo& info = program_.values[r];
    require(info.level >= 0 && info.level <= params_.max_level(),
            "register {}: expected a level in [0, {}], got {}", r, params_.max_level(), info.level);
    require(info.polynomials == 2 || info.polynomials == 3,
            "register {}: expected two or three polynomials, got {}", r, info.polynomials);
    require(std::isfinite(info.scale) && info.scale > 0 && std::isfinite(info.max_abs) &&
                info.max_abs >= 0 &&
                (info.max_abs == 0 ||
                 std::log2(info.scale) + std::log2(info.max_abs) < params_.log_q(info.level) - 1),
            "register {}: scale {} and bound {} do not fit {} bits of level {}", r, info.scale,
            info.max_abs, params_.log_q(info.level), info.level);
  }

  void check_instruction(const Instruction& op) {
    require(op.op <= OpCode::kRelinearizeRescale, "instruction {}: unknown operation {}", at_,
            static_cast<int>(op.op));
    expect(op.layer >= 0 && static_cast<std::size_t>(op.layer) < program_.layers.size(),
           "layer {} of {}", op.layer, program_.layers.size());
    check_registers(op);
    check_fields(op);
    const ValueInfo& x = value(op.in[0]);
    for (const std::int32_t r : op.out) {
      check_result(op, x, value(r));
    }
    for (const std::int32_t r : op.in) {
      expect(value(r).level == x.level && value(r).polynomials == x.polynomials,
             "operands of different levels or sizes");
      expect(op.op == OpCode::kMultiply || same_scale(value(r).scale, x.scale),
             "operands of different scales: {} and {}", x.scale, value(r).scale);
    }
  }

  void check_registers(const Instruction& op) {
    const bool linear = op.op == OpCode::kLinear;
    const std::size_t operands = op.op == OpCode::kAdd || op.op == OpCode::kMultiply ? 2 : 1;
    expect(
        linear ? !op.in.empty() && !op.out.empty() : op.in.size() == operands && op.out.size() == 1,
        "{} operands and {} results", op.in.size(), op.out.size());
    for (const std::int32_t r : op.in) {
      expect(is_register(r) && written_[static_cast<std::size_t>(r)],
             "reads register {} before it is written", r);
    }
    for (const std::int32_t r : op.out) {
      expect(is_register(r) && !written_[static_cast<std::size_t>(r)],
             "writes register {}, which does not exist or is written already", r);
      written_[static_cast<std::size_t>(r)] = true;
    }
  }
  bool is_register(std::int32_t r) const {
    return r >= 0 && static_cast<std::size_t>(r) < program_.values.size();
  }

  // Fields that the operation does not use must be empty, or counts and keys would be wrong.
  void check_fields(const Instruction& op) const {
    const bool rotates = op.op == OpCode::kRotate || op.op == OpCode::kRotateSum;
    expect(rotates ? op.rotations.size() == 1 ||
                         (op.op == OpCode::kRotateSum && op.rotations.size() > 1)
                   : op.rotations.empty(),
           "{} rotations", op.rotations.size());
    expect(std::all_of(op.rotations.begin(), op.rotations.end(),
                       [&](std::int32_t k) { return is_rotation(k); }),
           "a rotation outside [0, {})", slots_);
    const bool plain = op.op == OpCode::kAddPlain || op.op == OpCode::kMultiplyPlain;
    expect(plain ? is_vector(op.vector) : op.vector == -1, "vector {} of {}", op.vector,
           program_.vectors.size());
    const bool scaled = op.op == OpCode::kLinear || op.op == OpCode::kMultiplyPlain;
    expect(scaled ? std::isfinite(op.plain_scale) && op.plain_scale > 0 : op.plain_scale == 0,
           "plaintext scale {}", op.plain_scale);
    expect(op.op == OpCode::kLinear || op.terms.empty(), "{} terms", op.terms.size());
    if (op.op == OpCode::kLinear) {
      check_terms(op);
    }
    const bool keyed =
        relinearizes(op) ||
        std::any_of(op.rotations.begin(), op.rotations.end(), [](auto k) { return k != 0; }) ||
        plan::rotates(op);
    expect(!keyed || params_.has_keys(value(op.in[0]).level),
           "needs a key at level {}, which has no special primes", value(op.in[0]).level);
  }
  bool is_rotation(std::int32_t k) const { return k >= 0 && k < slots_; }
  bool is_vector(std::int32_t v) const {
    return v >= 0 && static_cast<std::size_t>(v) < program_.vectors.size();
  }

  void check_terms(const Instruction& op) const {
    std::vector<bool> reached(op.out.size(), false);
    for (const LinearTerm& term : op.terms) {
      expect(term.input >= 0 && static_cast<std::size_t>(term.input) < op.in.size() &&
                 term.output >= 0 && static_cast<std::size_t>(term.output) < op.out.size() &&
                 is_rotation(term.baby) && is_rotation(term.giant) && is_vector(term.vector),
             "a term from operand {} to result {}, rotations {} and {}, vector {}", term.input,
             term.output, term.baby, term.giant, term.vector);
      reached[static_cast<std::size_t>(term.output)] = true;
    }
    expect(std::all_of(reached.begin(), reached.end(), [](bool r) { return r; }),
           "a result without terms");
  }

  static bool relinearizes(const Instruction& op) {
    return op.op == OpCode::kRelinearize || op.op == OpCode::kRelinearizeRescale;
  }
  bool same_scale(double a, double b) const { return std::abs(a - b) <= kScaleTolerance * b; }

  // What the first operand makes of the result's level, size and scale.
  void check_result(const Instruction& op, const ValueInfo& x, const ValueInfo& y) const {
    std::int32_t level = x.level, polynomials = x.polynomials;
    double scale = x.scale;
    switch (op.op) {
      case OpCode::kLinear:
      case OpCode::kMultiplyPlain:
        scale *= op.plain_scale;
        break;
      case OpCode::kSquare:
      case OpCode::kMultiply:
        polynomials = 3;
        scale *= value(op.in.back()).scale;
        break;
      case OpCode::kRelinearize:
        polynomials = 2;
        break;
      case OpCode::kRescale:
      case OpCode::kRelinearizeRescale:
        polynomials = relinearizes(op) ? 2 : x.polynomials;
        expect(x.level > 0, "no prime left to divide by");
        scale /= params_.rescale_factor(x.level);
        --level;
        break;
      case OpCode::kDropLevel:
        expect(y.level <= x.level, "from level {} up to {}", x.level, y.level);
        level = y.level;
        break;
      default:
        break;
    }
    const bool any_size = op.op == OpCode::kAdd || op.op == OpCode::kAddPlain ||
                          op.op == OpCode::kRescale || op.op == OpCode::kDropLevel;
    expect(any_size || x.polynomials == (relinearizes(op) ? 3 : 2), "an operand of {} polynomials",
           x.polynomials);
    expect(y.level == level && y.polynomials == polynomials && same_scale(y.scale, scale),
           "expected a result of level {}, {} polynomials and scale {}, got {}, {} and {}", level,
           polynomials, scale, y.level, y.polynomials, y.scale);
  }

  void check_outputs() const {
    require(!program_.outputs.empty() && program_.outputs.size() == program_.output_labels.size(),
            "expected one label vector for each of {} outputs, got {}", program_.outputs.size(),
            program_.output_labels.size());
    std::set<std::int32_t> registers, classes;
    for (std::size_t o = 0; o < program_.outputs.size(); ++o) {
      const std::int32_t r = program_.outputs[o];
      require(is_register(r) && registers.insert(r).second && value(r).polynomials == 2,
              "output {}: register {} does not exist, is given twice or not relinearized", o, r);
      const auto& elements = program_.output_labels[o].elements;
      require(is_period(elements.size()), "output {}: period {} does not divide {} slots", o,
              elements.size(), slots_);
      classes.insert(elements.begin(), elements.end());
    }
    classes.erase(SlotLabels::kEmpty);
    require(!classes.empty() && *classes.begin() == 0 &&
                static_cast<std::size_t>(*classes.rbegin()) == classes.size() - 1,
            "output labels do not name the classes 0, 1, ... without a gap");
    require(std::isfinite(program_.output_noise_std) && program_.output_noise_std >= 0,
            "output noise {}", program_.output_noise_std);
  }

  const Program& program_;
  const std::string& what_;
  const Params params_;
  const std::int32_t slots_;
  std::vector<bool> written_;
  std::size_t at_ = 0;
};

}  // namespace

void check_program(const Program& program, const std::string& what) {
  Checker(program, what).run();
}

}  // namespace ffconv::plan
