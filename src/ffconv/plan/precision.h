// How large the error of a program's outputs will be, predicted without running it.
//
// Errors are small and enter independently, so that the variance of the outputs' error is a sum
// over the places where errors arise: the variance there, in units of the slot's value, times a
// coefficient that depends on weights and rotations only. One pass backwards over the program finds
// all coefficients; any scales and parameters can then be tried at once.
//
// A factor of a product counts with its root mean square (ValueInfo::rms). Formulas: errors.h and
// docs/precision.md.
#pragma once

#include <cstdint>
#include <vector>

#include "ffconv/plan/program.h"

namespace ffconv::plan {

class ErrorPropagation {
 public:
  explicit ErrorPropagation(const Program& program);

  // Standard deviation of an output's error, the root mean square over all outputs, in units of
  // their values, for the parameters and scales that `program` has now: the one given to the
  // constructor, or it with others.
  double output_std(const Program& program) const;

  // A place where errors arise, alike in all slots.
  struct Source {
    enum class Kind : std::uint8_t {
      kFresh,      // register `at` is an input
      kPlain,      // encoding a plaintext that is added to `at`
      kWeights,    // encoding the plaintexts of instruction `at`
      kRounding,   // a key switch's division by P, into register `at`
      kKeySwitch,  // key errors at the level of register `at`
      kRescale2,   // rescaling of two polynomials into register `at`
      kRescale3,   // of three
    };
    Kind kind;
    std::size_t at;
    double coefficient;
  };
  const std::vector<Source>& sources() const { return sources_; }

 private:
  std::vector<Source> sources_;
};

}  // namespace ffconv::plan
