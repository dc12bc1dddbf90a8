#include "ffconv/ckks/key_switching.h"

#include <algorithm>

#include "ffconv/base/parallel.h"

namespace ffconv {
namespace {

// The limb of a key polynomial over QP of the key's level that holds limb i of QP of a lower level.
std::size_t key_limb(std::size_t i, int level, int key_level) {
  const auto q_limbs = static_cast<std::size_t>(level) + 1;
  return i < q_limbs ? i : i + static_cast<std::size_t>(key_level - level);
}

}  // namespace

Decomposition decompose(const Context& context, const Poly<Eval>& x, int level) {
  const Ring& ring = context.ring();
  const Kernels& kernels = ring.kernels();
  const std::size_t n = ring.n();
  FFCONV_ASSERT(x.limb_count() == static_cast<std::size_t>(level) + 1);
  const Poly<Coeff> coefficients = to_coeff(Poly<Eval>(x));
  const Basis basis = context.qp_basis(level);
  Decomposition result;
  result.level = level;
  for (int digit = 0; digit < context.params().digit_count(level); ++digit) {
    const BasisExtension& mod_up = context.mod_up(level, digit);
    std::vector<const Word*> source;
    for (const std::uint16_t prime : mod_up.source()) {
      source.push_back(coefficients.limb(prime));
    }
    const BasisExtension::Digits digits = mod_up.make_digits(source);
    Poly<Eval> extended(ring, basis);
    parallel_for(basis.size(), [&](std::size_t i) {
      Word* dst = extended.limb(i);
      const auto target = std::find(mod_up.target().begin(), mod_up.target().end(), basis[i]);
      if (target == mod_up.target().end()) {
        std::copy_n(x.limb(i), n, dst);
        return;
      }
      mod_up.extend_limb(dst, digits, static_cast<std::size_t>(target - mod_up.target().begin()));
      kernels.ntt_forward(dst, extended.tables(i));
    });
    result.digits.push_back(std::move(extended));
  }
  return result;
}

ExtendedPair inner_product(const Context& context, const Decomposition& decomposition,
                           const SwitchingKey& key) {
  const Ring& ring = context.ring();
  const int level = decomposition.level;
  FFCONV_ASSERT(key.level >= level);
  const Basis basis = context.qp_basis(level);
  ExtendedPair result{Poly<Eval>(ring, basis), Poly<Eval>(ring, basis)};
  parallel_for(basis.size(), [&](std::size_t i) {
    std::vector<const Word*> b, a, digits;
    for (std::size_t j = 0; j < decomposition.digits.size(); ++j) {
      b.push_back(key.b[j].limb(key_limb(i, level, key.level)));
      a.push_back(key.a[j].limb(key_limb(i, level, key.level)));
      digits.push_back(decomposition.digits[j].limb(i));
    }
    ring.kernels().inner_product_pair(result.c0.limb(i), result.c1.limb(i), b.data(), a.data(),
                                      digits.data(), digits.size(), false, ring.n(),
                                      result.c0.tables(i));
  });
  return result;
}

void add_lifted(const Context& context, Poly<Eval>& extended, const Poly<Eval>& x) {
  const Ring& ring = context.ring();
  parallel_for(x.limb_count(), [&](std::size_t i) {
    ring.kernels().mul_constant_add(extended.limb(i), x.limb(i),
                                    ring.constant(context.p_residues()[i], i), ring.n(),
                                    x.tables(i));
  });
}

ExtendedPair lift(const Context& context, const Poly<Eval>& x0, const Poly<Eval>& x1, int level) {
  const Basis basis = context.qp_basis(level);
  ExtendedPair result{Poly<Eval>(context.ring(), basis), Poly<Eval>(context.ring(), basis)};
  set_zero(result.c0);
  set_zero(result.c1);
  add_lifted(context, result.c0, x0);
  add_lifted(context, result.c1, x1);
  return result;
}

ExtendedPair permute(const ExtendedPair& x, const WordPermutation& permutation) {
  return {permute(x.c0, permutation), permute(x.c1, permutation)};
}

void add_inplace(ExtendedPair& a, const ExtendedPair& b) {
  add_inplace(a.c0, b.c0);
  add_inplace(a.c1, b.c1);
}

}  // namespace ffconv
