// The embedding of the ring: N coefficients <-> the N real slots f(zeta^(5^j)), zeta = exp(2 pi i /
// 4N), in double precision: the transforms of Kernels between coefficients and words, and the order
// of the slots. Made once for a ring degree and tier; the results are the same in every tier.
#pragma once

#include <cstdint>
#include <span>

#include "ffconv/base/aligned_buffer.h"
#include "ffconv/ring/kernels/embedding_tables.h"
#include "ffconv/ring/kernels/kernels.h"

namespace ffconv {

class Embedding {
 public:
  Embedding(int log_n, const Kernels& kernels);

  std::size_t n() const { return word_of_slot_.size(); }

  // slots[j] = factor f(zeta^(5^j)) for the coefficients in `words`, n of them, 64-byte aligned,
  // which it overwrites. Constant-time in the data. Does not allocate.
  void to_slots(std::span<double> slots, double* words, double factor) const;

  // words[i] = 2N times coefficient i of the polynomial with these slots; shorter vectors, a power
  // of two long, repeat. Constant-time in the data. Does not allocate.
  void to_coefficients(double* words, std::span<const double> slots) const;

  // In place, n values each.
  void coefficients_to_slots(std::span<double> values) const;
  void slots_to_coefficients(std::span<double> values) const;

 private:
  const Kernels* kernels_;
  EmbeddingTables tables_;
  AlignedBuffer<std::uint32_t> word_of_slot_;  // of the transforms
};

}  // namespace ffconv
