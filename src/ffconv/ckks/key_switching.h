// Hybrid key switching (Han and Ki, ePrint 2019/688), limb by limb: decompose, inner product with a
// key, division by P. Apart from each other so that rotations share a decomposition (hoisting) and
// a division (double hoisting; Bossuat et al., ePrint 2020/1203).
//
// Extended polynomials over QP hold x / P modulo the primes of Q and x modulo those of P, x being P
// times a polynomial of the ciphertext and a small error: the primes of Q need no multiplication at
// the end, and adding P y is adding y to the limbs of Q. Keys are made in this form (keys.h).
#pragma once

#include <algorithm>
#include <array>

#include "ffconv/base/parallel.h"
#include "ffconv/ckks/context.h"
#include "ffconv/ckks/keys.h"

namespace ffconv {

// Words that a loop over a limb takes at a time, so that operands read several times stay in the
// second-level cache.
inline constexpr std::size_t kBlockWords = 2048;

// Calls body(begin, count) for the blocks of n words, n a power of two.
template <typename Body>
void for_each_block(std::size_t n, const Body& body) {
  const std::size_t count = std::min(n, kBlockWords);
  for (std::size_t begin = 0; begin < n; begin += count) {
    body(begin, count);
  }
}

// The digits of a polynomial x over Q_level; x must outlive it.
class Decomposition {
 public:
  // level has keys.
  Decomposition(const Context& context, const Poly<Eval>& x, int level);

  // Keeps every digit over QP in evaluation form: for more than one inner product.
  void expand();

  // Limb i of QP of every digit, in evaluation form; must not outlive the decomposition. Results
  // are the `count` words from `begin` on: an aligned block of a power of two of words, for
  // rotations at most kBlockWords. Keys serve the level of the digits.
  class Limb {
   public:
    // d_k = sum_j digit_j key_jk, (key_j0, key_j1) = (b_j, a_j); where `accumulate`, added to what
    // d_0 and d_1 hold.
    void inner_product(const SwitchingKey& key, std::size_t begin, std::size_t count, Word* d0,
                       Word* d1, bool accumulate) const;

    // (r_0, r_1) = the ciphertext (c_0, x) rotated, an extended pair. c0 is the whole limb of c_0,
    // nullptr where that is zero: modulo the primes of P, for c_0 over Q.
    void rotate(const RotationKey& key, std::size_t begin, std::size_t count, const Word* c0,
                Word* r0, Word* r1) const;
    // (d_0, d_1) += the same.
    void add_rotated(const RotationKey& key, std::size_t begin, std::size_t count, const Word* c0,
                     Word* d0, Word* d1) const;

   private:
    friend Decomposition;
    Limb(const Decomposition& digits, std::size_t i);

    const Decomposition* digits_;
    std::size_t i_;
    std::array<const Word*, kMaxPrimes> words_;  // of digit j
    AlignedBuffer<Word> made_;
  };
  Limb limb(std::size_t i) const { return Limb(*this, i); }

 private:
  void make_limb(std::size_t j, std::size_t i, Word* dst) const;
  bool is_own(std::size_t j, std::size_t i) const;

  const Context* context_;
  const Poly<Eval>* x_;
  int level_;
  PoolVector<BasisExtension::Digits> digits_;
  PoolVector<Poly<Eval>> expanded_;
};

// Ends a key switch: brings a pair of extended polynomials down by `change` (Context::switch_down,
// switch_down_rescale).
//   source(i, d0, d1) writes limb i of QP of both.
//   finish(k, i, x, remainder) ends limb i of the target for polynomial k: the result is
//   factor_i x - remainder (ModulusChange); x is nullptr where the prime enters (there, the result
//   is `remainder`).
template <typename Source, typename Finish>
void bring_down(const Ring& ring, const ModulusChange& change, const Source& source,
                const Finish& finish) {
  const std::size_t n = ring.n(), leaving = change.leaving().size();
  AlignedBuffer<Word> tail(2 * leaving * n);
  std::array<PoolVector<const Word*>, 2> limbs;
  for (std::size_t j = 0; j < 2 * leaving; ++j) {
    limbs[j / leaving].push_back(tail.data() + j * n);
  }
  parallel_for(leaving, [&](std::size_t j) {
    Word *d0 = tail.data() + j * n, *d1 = d0 + leaving * n;
    const std::size_t limb = change.leaving()[j];
    source(limb, d0, d1);
    ring.kernels().ntt_inverse(d0, ring.tables(change.source()[limb]));
    ring.kernels().ntt_inverse(d1, ring.tables(change.source()[limb]));
  });
  const std::array<BasisExtension::Digits, 2> remainders = {change.make_remainder(limbs[0]),
                                                            change.make_remainder(limbs[1])};
  parallel_for(change.target().size(), [&](std::size_t i) {
    AlignedBuffer<Word> scratch(3 * n);
    const std::array<Word*, 2> d = {scratch.data(), scratch.data() + n};
    Word* remainder = scratch.data() + 2 * n;
    const bool enters = change.source_limb(i) == ModulusChange::kEnters;
    if (!enters) {
      source(change.source_limb(i), d[0], d[1]);
    }
    for (std::size_t k = 0; k < 2; ++k) {
      change.remainder_limb(remainder, remainders[k], i);
      finish(k, i, enters ? nullptr : d[k], remainder);
    }
  });
}

// bring_down to two new polynomials, nothing added.
template <typename Source>
PoolVector<Poly<Eval>> bring_down(const Ring& ring, const ModulusChange& change,
                                  const Source& source) {
  PoolVector<Poly<Eval>> result(2);
  result[0] = Poly<Eval>(ring, change.target());
  result[1] = Poly<Eval>(ring, change.target());
  bring_down(ring, change, source,
             [&](std::size_t k, std::size_t i, const Word* x, const Word* remainder) {
               change.combine(result[k].limb(i), x, remainder, i);
             });
  return result;
}

// Two extended polynomials.
struct ExtendedPair {
  Poly<Eval> c0, c1;
};

}  // namespace ffconv
