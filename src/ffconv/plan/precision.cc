#include "ffconv/plan/precision.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <set>
#include <utility>

#include "ffconv/plan/errors.h"

namespace ffconv::plan {
namespace {

using Source = ErrorPropagation::Source;
using Kind = Source::Kind;

std::size_t index(std::int32_t number) {
  return static_cast<std::size_t>(number);
}
double square(double x) {
  return x * x;
}

double encoding_variance(const SlotVector& vector) {
  return square(ErrorModel::encoding(static_cast<double>(vector.values.size())));
}

// The pass backwards. For a register, gain[s] is the derivative of the outputs' error variance by
// the variance of an error in slot s.
class Backwards {
 public:
  explicit Backwards(const Program& program)
      : program_(program),
        slots_(std::size_t{1} << program.params.log_n),
        gains_(program.values.size()) {}

  std::vector<Source> run() {
    seed();
    for (std::size_t k = program_.instructions.size(); k-- > 0;) {
      step(k);
      for (const std::int32_t r : program_.instructions[k].out) {
        gains_[index(r)] = {};
      }
    }
    for (std::size_t i = 0; i < index(program_.input_count); ++i) {
      add(Kind::kFresh, i, total(static_cast<std::int32_t>(i)));
    }
    return std::move(sources_);
  }

 private:
  using Gain = std::vector<double>;

  void seed() {
    double labelled = 0;
    for (std::size_t o = 0; o < program_.outputs.size(); ++o) {
      const auto& labels = program_.output_labels[o].elements;
      Gain& gain = gain_of(program_.outputs[o]);
      for (std::size_t s = 0; s < slots_; ++s) {
        gain[s] = labels[s % labels.size()] == SlotLabels::kEmpty ? 0.0 : 1.0;
        labelled += gain[s];
      }
    }
    for (const std::int32_t r : program_.outputs) {
      for (double& g : gains_[index(r)]) {
        g /= labelled;
      }
    }
  }

  Gain& gain_of(std::int32_t r) {
    Gain& gain = gains_[index(r)];
    gain.resize(slots_, 0.0);
    return gain;
  }
  double mean_square(std::int32_t r) const { return square(program_.values[index(r)].rms); }
  double total(std::int32_t r) {
    const Gain& gain = gain_of(r);
    return std::accumulate(gain.begin(), gain.end(), 0.0);
  }
  void add(Kind kind, std::size_t at, double coefficient) {
    if (coefficient > 0) {
      sources_.push_back({kind, at, coefficient});
    }
  }
  // Slot s of an operand rotated by `step` is its slot s + step.
  void pass(std::int32_t from, std::int32_t to, std::int32_t step, double factor) {
    const Gain& out = gain_of(from);
    Gain& in = gain_of(to);
    for (std::size_t s = 0; s < slots_; ++s) {
      in[(s + index(step)) & (slots_ - 1)] += factor * out[s];
    }
  }

  void step(std::size_t at) {
    const Instruction& op = program_.instructions[at];
    const std::int32_t x = op.in[0], y = op.out[0];
    const double y_total = total(y);
    const auto key_switch = [&] { add(Kind::kKeySwitch, index(y), y_total); };
    const auto rounding = [&] { add(Kind::kRounding, index(y), y_total); };
    switch (op.op) {
      case OpCode::kLinear:
        return linear(at);
      case OpCode::kRotateSum:
        for (const std::int32_t k : op.rotations) {
          pass(y, x, k, 1);
          if (k != 0) {
            key_switch();
          }
        }
        return rounding();
      case OpCode::kRotate:
        pass(y, x, op.rotations[0], 1);
        key_switch();
        return rounding();
      case OpCode::kRelinearize:
        pass(y, x, 0, 1);
        key_switch();
        return rounding();
      case OpCode::kRescale:
        pass(y, x, 0, 1);
        return add(program_.values[index(x)].polynomials == 3 ? Kind::kRescale3 : Kind::kRescale2,
                   index(y), y_total);
      case OpCode::kAdd:
        pass(y, x, 0, 1);
        return pass(y, op.in[1], 0, 1);
      case OpCode::kAddPlain:
        pass(y, x, 0, 1);
        return add(Kind::kPlain, index(y), y_total * encoding_variance(vector(op.vector)));
      case OpCode::kMultiplyPlain:
        return multiply_plain(at);
      case OpCode::kSquare:
        return pass(y, x, 0, 4 * mean_square(x));
      case OpCode::kMultiply:
        pass(y, x, 0, mean_square(op.in[1]));
        return pass(y, op.in[1], 0, mean_square(x));
      case OpCode::kDropLevel:
        return pass(y, x, 0, 1);
      case OpCode::kRelinearizeRescale:
        pass(y, x, 0, 1);
        add(Kind::kKeySwitch, index(x), y_total);
        return rounding();
    }
  }

  const SlotVector& vector(std::int32_t v) const { return program_.vectors[index(v)]; }

  void multiply_plain(std::size_t at) {
    const Instruction& op = program_.instructions[at];
    const auto& values = vector(op.vector).values;
    const Gain& out = gain_of(op.out[0]);
    Gain& in = gain_of(op.in[0]);
    for (std::size_t s = 0; s < slots_; ++s) {
      in[s] += square(values[s & (values.size() - 1)]) * out[s];
    }
    add(Kind::kWeights, at,
        total(op.out[0]) * mean_square(op.in[0]) * encoding_variance(vector(op.vector)));
  }

  void linear(std::size_t at) {
    const Instruction& op = program_.instructions[at];
    std::vector<double> totals;
    for (const std::int32_t r : op.out) {
      totals.push_back(total(r));
    }
    double weights = 0, babies = 0;
    std::set<std::pair<std::int32_t, std::int32_t>> giants;
    std::set<std::int32_t> rotating;
    for (const LinearTerm& term : op.terms) {
      const auto& values = vector(term.vector).values;
      const Gain& out = gains_[index(op.out[index(term.output)])];
      Gain& in = gain_of(op.in[index(term.input)]);
      double through = 0;  // gain of an error in all slots of the rotated input
      for (std::size_t s = 0; s < slots_; ++s) {
        // The product's slot s goes to slot s - giant of the output.
        const double g = square(values[s & (values.size() - 1)]) *
                         out[(s + slots_ - index(term.giant)) & (slots_ - 1)];
        in[(s + index(term.baby)) & (slots_ - 1)] += g;
        through += g;
      }
      weights += encoding_variance(vector(term.vector)) * totals[index(term.output)];
      babies += term.baby != 0 ? through : 0.0;
      if (term.giant != 0) {
        giants.emplace(term.output, term.giant);
      }
      if (term.rotates()) {
        rotating.insert(term.output);
      }
    }
    add(Kind::kWeights, at, weights * mean_square(op.in[0]));
    add(Kind::kKeySwitch, index(op.in[0]), babies);
    for (const auto& [output, giant] : giants) {
      add(Kind::kKeySwitch, index(op.out[index(output)]), totals[index(output)]);
      add(Kind::kRounding, index(op.out[index(output)]), totals[index(output)]);
    }
    for (const std::int32_t output : rotating) {
      add(Kind::kRounding, index(op.out[index(output)]), totals[index(output)]);
    }
  }

  const Program& program_;
  const std::size_t slots_;
  std::vector<Gain> gains_;  // [values]; empty: zero
  std::vector<Source> sources_;
};

}  // namespace

ErrorPropagation::ErrorPropagation(const Program& program) : sources_(Backwards(program).run()) {}

double ErrorPropagation::output_std(const Program& program) const {
  const ErrorModel errors(program.params);
  std::vector<double> key_switch;
  for (std::size_t level = 0; level < program.params.levels.size(); ++level) {
    const bool keyed = !program.params.levels[level].special.empty();
    key_switch.push_back(keyed ? errors.key_switch(static_cast<int>(level)) : 0.0);
  }
  const auto std_of = [&](const Source& source) {
    switch (source.kind) {
      case Kind::kFresh:
        return errors.fresh();
      case Kind::kRounding:
      case Kind::kRescale2:
        return errors.rounding();
      case Kind::kRescale3:
        return errors.rescaling(3);
      case Kind::kKeySwitch:
        return key_switch[index(program.values[source.at].level)];
      case Kind::kPlain:
      case Kind::kWeights:
        break;
    }
    return 1.0;  // the encoding error is part of the coefficient
  };
  double variance = 0;
  for (const Source& source : sources_) {
    const double scale = source.kind == Kind::kWeights ? program.instructions[source.at].plain_scale
                                                       : program.values[source.at].scale;
    variance += source.coefficient * square(std_of(source) / scale);
  }
  return std::sqrt(variance);
}

}  // namespace ffconv::plan
