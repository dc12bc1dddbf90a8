// The embedding of the ring: N coefficients <-> the N real slots f(zeta^(5^j)), zeta = exp(2 pi i /
// 4N), in double precision. Made once for a ring degree.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ffconv/base/aligned_buffer.h"

namespace ffconv {

class Embedding {
 public:
  explicit Embedding(int log_n);

  // In place, n values each. Constant-time in the data.
  void coefficients_to_slots(std::span<double> values) const;
  void slots_to_coefficients(std::span<double> values) const;

 private:
  // x as (real, imaginary) arrays of n values.
  struct Complex {
    std::vector<double> real, imaginary;
  };
  void transform(Complex& x) const;
  void inverse_transform(Complex& x) const;

  std::size_t n_;
  // Unit roots: entry 2^s + i is exp(2 pi i e / 4N), e as in the ring's twiddles.
  AlignedBuffer<double> real_, imaginary_;
  AlignedBuffer<std::uint32_t> word_of_slot_;  // slot j stands in word reverse_bits((5^j - 1) / 4)
};

}  // namespace ffconv
