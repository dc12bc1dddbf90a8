// Hybrid key switching (Han and Ki, ePrint 2019/688): decompose, inner product with a key,
// mod-down. Apart from each other so that rotations share a decomposition (hoisting) and a mod-down
// (double hoisting; Bossuat et al., ePrint 2020/1203).
#pragma once

#include <vector>

#include "ffconv/ckks/context.h"
#include "ffconv/ckks/keys.h"

namespace ffconv {

// The digits of a polynomial over Q_level, each over QP of the level, evaluation form.
struct Decomposition {
  int level = 0;
  std::vector<Poly<Eval>> digits;
};

// x over Q_level; level at most the parameters' max_key_level.
Decomposition decompose(const Context& context, const Poly<Eval>& x, int level);

// Two polynomials over QP: a ciphertext times P, before mod-down.
struct ExtendedPair {
  Poly<Eval> c0, c1;
};

// sum_j digit_j (b_j, a_j) over QP of the decomposition's level; key.level at least that.
ExtendedPair inner_product(const Context& context, const Decomposition& decomposition,
                           const SwitchingKey& key);

// P x over QP from x over Q_level, added to `extended`.
void add_lifted(const Context& context, Poly<Eval>& extended, const Poly<Eval>& x);

// (P x_0, P x_1) over QP.
ExtendedPair lift(const Context& context, const Poly<Eval>& x0, const Poly<Eval>& x1, int level);

ExtendedPair permute(const ExtendedPair& x, const WordPermutation& permutation);
void add_inplace(ExtendedPair& a, const ExtendedPair& b);

}  // namespace ffconv
