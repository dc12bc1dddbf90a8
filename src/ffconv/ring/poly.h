// Polynomials over a basis of primes, in coefficient or evaluation form; the form is a type.
//
// A polynomial is its limbs, one after the other, in the tier-private form of kernels.h. Operations
// on two polynomials need the same ring and the same basis (our callers see to it; asserted). Loops
// over limbs run in parallel.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ffconv/base/aligned_buffer.h"
#include "ffconv/base/assert.h"
#include "ffconv/ring/ring.h"

namespace ffconv {

struct Coeff {};
struct Eval {};

template <typename Form>
class Poly {
 public:
  Poly() = default;
  // Uninitialized.
  Poly(const Ring& ring, Basis basis)
      : ring_(&ring), basis_(std::move(basis)), words_(basis_.size() * ring.n()) {}

  const Ring& ring() const { return *ring_; }
  const Basis& basis() const { return basis_; }
  std::size_t limb_count() const { return basis_.size(); }
  bool empty() const { return basis_.empty(); }
  const LimbTables& tables(std::size_t limb) const { return ring_->tables(basis_[limb]); }
  Word* limb(std::size_t i) { return words_.data() + i * ring_->n(); }
  const Word* limb(std::size_t i) const { return words_.data() + i * ring_->n(); }

 private:
  template <typename>
  friend class Poly;
  friend Poly<Eval> to_eval(Poly<Coeff>&& x);
  friend Poly<Coeff> to_coeff(Poly<Eval>&& x);

  const Ring* ring_ = nullptr;
  Basis basis_;
  AlignedBuffer<Word> words_;
};

// Transforms in place; the argument's storage moves into the result.
Poly<Eval> to_eval(Poly<Coeff>&& x);
Poly<Coeff> to_coeff(Poly<Eval>&& x);

void set_zero(Poly<Eval>& x);

// Whether every prime of `part` is in `basis`.
bool contains(const Basis& basis, const Basis& part);
// The limbs of x over `basis`, a part of its own.
Poly<Eval> restrict_basis(const Poly<Eval>& x, const Basis& basis);

// The polynomial with these integer coefficients, |x[i]| < 2^62, x.size() == n.
Poly<Coeff> from_signed(const Ring& ring, Basis basis, std::span<const std::int64_t> x);
// As from_signed for |x[i]| < 128: samples.
Poly<Coeff> from_small(const Ring& ring, Basis basis, std::span<const std::int8_t> x);

void add_inplace(Poly<Eval>& a, const Poly<Eval>& b);
void sub_inplace(Poly<Eval>& a, const Poly<Eval>& b);
// dst = a * b; dst may be a or b, and has their basis.
void mul_into(Poly<Eval>& dst, const Poly<Eval>& a, const Poly<Eval>& b);
// a *= constant, an integer given by its residue per limb.
void mul_constant_inplace(Poly<Eval>& a, std::span<const std::uint64_t> residues);
// The permutation of a rotation (Ring::rotation) on every limb.
Poly<Eval> permute(const Poly<Eval>& x, const WordPermutation& permutation);

// Canonical residues of one limb, in storage order; and back.
void export_limb(std::span<std::uint64_t> dst, const Poly<Eval>& x, std::size_t limb);
void import_limb(Poly<Eval>& x, std::size_t limb, std::span<const std::uint64_t> src);

}  // namespace ffconv
