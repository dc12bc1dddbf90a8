// Writes a program instruction by instruction; scales are left to parameters.h.
//
// Registers, levels, sizes and ranges are tracked here, so that a packing says only what it
// computes. Bounds: a bound is on the complete values of the tensor that a register belongs to.
// Partial sums, before a fold or a rotate-and-sum has completed them, may exceed it: they wrap
// modulo Q and the sum unwraps, as everything up to it is linear.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ffconv/model/ranges.h"
#include "ffconv/plan/program.h"

namespace ffconv::plan {

using Register = std::int32_t;

class Emitter {
 public:
  Emitter(int log_n, int top_level);

  std::size_t slot_count() const { return std::size_t{1} << program_.params.log_n; }
  int level(Register x) const { return info(x).level; }
  model::Range range(Register x) const { return {info(x).max_abs, info(x).rms}; }

  // Inputs come before everything else.
  Register input(SlotLabels labels, const model::Range& range);
  // The instructions from here on belong to this layer.
  void begin_layer(std::string name);

  // Kept with its shortest period.
  std::int32_t vector(SlotVector values);
  // Terms refer to positions in `inputs` and to results 0 .. outputs - 1, each of which has a term.
  std::vector<Register> linear(std::vector<Register> inputs, std::size_t outputs,
                               std::vector<LinearTerm> terms, const model::Range& range);
  Register multiply_plain(Register x, std::int32_t vector, const model::Range& range);
  // Any step: taken modulo the slot count. A rotation by 0 is x itself.
  Register rotate(Register x, std::int64_t step);
  Register rotate_sum(Register x, std::vector<std::int32_t> steps);
  Register add(Register x, Register y);
  Register add_plain(Register x, std::int32_t vector);
  Register square(Register x);  // the range is squared too
  Register relinearize(Register x);
  Register rescale(Register x);
  Register relinearize_rescale(Register x);

  void output(Register x, SlotLabels labels);

  // The program without scales. Every output must stand at level 0.
  Program finish();

 private:
  const ValueInfo& info(Register x) const { return program_.values[static_cast<std::size_t>(x)]; }
  Register value(const ValueInfo& info);
  ValueInfo ranged(Register x, const model::Range& range) const;  // as x, with this range
  // Appends `op` with one more register, described by `result`.
  Register append(Instruction op, const ValueInfo& result);

  Program program_;
  int top_level_;
};

}  // namespace ffconv::plan
