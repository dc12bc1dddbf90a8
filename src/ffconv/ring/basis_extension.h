// RNS base extension and changes of modulus, exact for centred values.
//
// Source primes d_0 .. d_(k-1) with product D; x is the integer in (-D/2, D/2) with the given
// residues. With y_j = [x (D/d_j)^-1] centred modulo d_j, x = sum_j y_j D/d_j - v D, v =
// round(sum_j y_j / d_j) (Halevi, Polyakov, Shoup, ePrint 2018/117, section 2.2, with the sum in
// doubles: exact unless x lies within D 2^-45 of +-D/2, where the result may be the other
// representative, off by D).
#pragma once

#include <span>
#include <vector>

#include "ffconv/ring/poly.h"

namespace ffconv {

class BasisExtension {
 public:
  BasisExtension(const Ring& ring, Basis source, Basis target);
  // Extends c x instead of x and multiplies the results by f modulo the target primes: c[j] is
  // given modulo source prime j, f[i] modulo target prime i.
  BasisExtension(const Ring& ring, Basis source, Basis target, const std::vector<std::uint64_t>& c,
                 const std::vector<std::uint64_t>& f);

  const Basis& source() const { return source_; }
  const Basis& target() const { return target_; }

  // The digits of x: source_limbs[j] are the limbs of the source basis in coefficient form.
  struct Digits {
    AlignedBuffer<Word> words;         // source digits, then the overflow where there are several
    PoolVector<const Word*> pointers;  // one per source prime
    const Word* overflow = nullptr;
  };
  Digits make_digits(std::span<const Word* const> source_limbs) const;

  // Writes the limb of target()[target_index], coefficient form.
  void extend_limb(Word* dst, const Digits& digits, std::size_t target_index) const;

 private:
  const Ring* ring_;
  Basis source_, target_;
  std::vector<Constant> digit_factors_;         // c (D/d_j)^-1 mod d_j
  std::vector<double> inverses_;                // 1 / d_j
  std::vector<std::vector<Constant>> weights_;  // [target][source]: f D/d_j mod t
  std::vector<Constant> products_;              // f D mod t
};

// x -> round(x E / D) from a source to a target basis: D the product of the primes that leave (in
// the source only), E of those that enter (in the target only). Rescaling between levels packed
// into words, and the mod-down of key switching. Error of the result: at most 1/2 + 2^-45 a
// coefficient.
//
// With r the remainder of x E modulo D, the result is (x E - r) / D: factor_i x_i - remainder_i on
// limbs that stay, -remainder_i on limbs that enter, remainder_i = r / D modulo the prime.
class ModulusChange {
 public:
  // `scale`: where not empty, the limbs given of source[i] are those of x times scale[i] mod its
  // prime.
  ModulusChange(const Ring& ring, Basis source, Basis target,
                const std::vector<std::uint64_t>& scale = {});

  const Basis& source() const { return source_; }
  const Basis& target() const { return target_; }
  // Numbers of the source's limbs that leave.
  const std::vector<std::size_t>& leaving() const { return leaving_; }

  static constexpr std::size_t kEnters = static_cast<std::size_t>(-1);
  // The number of the source's limb that is target limb i, or kEnters.
  std::size_t source_limb(std::size_t i) const { return source_limb_[i]; }

  // From the leaving limbs in coefficient form, in the order of leaving().
  BasisExtension::Digits make_remainder(std::span<const Word* const> leaving) const {
    return extension_.make_digits(leaving);
  }
  // Writes remainder_i of target limb i, evaluation form; with the sign turned for limbs that
  // enter.
  void remainder_limb(Word* dst, const BasisExtension::Digits& remainder, std::size_t i) const;

  // dst = factor_i x - remainder; the remainder itself where the limb enters (x == nullptr).
  void combine(Word* dst, const Word* x, const Word* remainder, std::size_t i) const;

  // The whole change of one polynomial over the source basis.
  Poly<Eval> operator()(const Poly<Eval>& x) const;

 private:
  const Ring* ring_;
  Basis source_, target_;
  std::vector<std::size_t> leaving_, source_limb_;
  std::vector<Constant> factors_;  // E / D modulo each target prime, divided by the source's scale
  std::vector<bool> factor_is_one_;
  BasisExtension extension_;  // leaving -> target, E and 1 / D in its constants
};

}  // namespace ffconv
