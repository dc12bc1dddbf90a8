// RNS base extension and division by primes, exact for centred values.
//
// Source primes d_0 .. d_(k-1) with product D; x is the integer in (-D/2, D/2) with the given
// residues. With y_j = [x (D/d_j)^-1] centred modulo d_j, x = sum_j y_j D/d_j - v D, v =
// round(sum_j y_j / d_j) (Halevi, Polyakov, Shoup, ePrint 2018/117, section 2.2, with the sum in
// doubles: exact unless x lies within D 2^-45 of +-D/2, where the result may be the other
// representative, off by D).
#pragma once

#include <vector>

#include "ffconv/ring/poly.h"

namespace ffconv {

class BasisExtension {
 public:
  BasisExtension(const Ring& ring, Basis source, Basis target);

  const Basis& source() const { return source_; }
  const Basis& target() const { return target_; }

  // The digits of x: source_limbs[j] are the limbs of the source basis in coefficient form.
  struct Digits {
    AlignedBuffer<Word> words;          // source digits, then the overflow where there are several
    std::vector<const Word*> pointers;  // one per source prime
    const Word* overflow = nullptr;
  };
  Digits make_digits(const std::vector<const Word*>& source_limbs) const;

  // Writes the limb of target()[target_index], coefficient form.
  void extend_limb(Word* dst, const Digits& digits, std::size_t target_index) const;

 private:
  const Ring* ring_;
  Basis source_, target_;
  std::vector<Constant> digit_factors_;         // (D/d_j)^-1 mod d_j
  std::vector<double> inverses_;                // 1 / d_j
  std::vector<std::vector<Constant>> weights_;  // [target][source]: D/d_j mod t
  std::vector<Constant> products_;              // D mod t
};

// x -> round(x / D) for x over kept + dropped primes, D the product of the dropped ones: rescaling,
// and the mod-down of key switching.
class DivideByPrimes {
 public:
  DivideByPrimes(const Ring& ring, Basis kept, Basis dropped);

  // x has the basis kept + dropped, in this order. Error of the result: at most 1/2 + 2^-45 a
  // coefficient.
  Poly<Eval> operator()(const Poly<Eval>& x) const;

 private:
  const Ring* ring_;
  BasisExtension extension_;        // dropped -> kept
  std::vector<Constant> inverses_;  // D^-1 mod each kept prime
};

}  // namespace ffconv
