// One ring degree and a list of primes, in one instruction-set tier: what polynomials live over.
//
// R = Z[X + 1/X] / (X^(2N) + 1), basis 1, X^i + X^-i (Kim-Song, ePrint 2018/952). Primes are
// numbered in the order given; a basis is a list of such numbers, and a polynomial has one limb per
// entry.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ffconv/base/pool_vector.h"
#include "ffconv/ring/kernels/kernels.h"

namespace ffconv {

// Numbers of primes of a Ring, in limb order.
using Basis = PoolVector<std::uint16_t>;

class Ring {
 public:
  // Primes must be distinct, = 1 mod 4 * 2^log_n and below 2^46; throws kInvalidArgument otherwise
  // and where log_n is below what the tier can handle.
  Ring(int log_n, std::span<const std::uint64_t> primes, const Kernels& kernels = active_kernels());
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  int log_n() const { return log_n_; }
  std::size_t n() const { return std::size_t{1} << log_n_; }
  const Kernels& kernels() const { return *kernels_; }
  std::size_t prime_count() const { return tables_.size(); }
  const LimbTables& tables(std::size_t prime) const { return tables_[prime]; }
  std::uint64_t prime(std::size_t index) const { return tables_[index].q; }

  // `value` (any integer) modulo the prime, as a kernel constant.
  Constant constant(std::uint64_t value, std::size_t prime) const;

  // The permutation of evaluation form that rotates slots: word i of the result is the value at
  // w^(e_i 5^step). step in [0, N).
  WordPermutation rotation(std::size_t step) const;

 private:
  int log_n_;
  const Kernels* kernels_;
  std::vector<LimbTables> tables_;
};

// 5^step mod 4N: the automorphism X -> X^(5^step) moves slot j + step to slot j.
std::uint64_t galois_exponent(std::size_t step, int log_n);

}  // namespace ffconv
