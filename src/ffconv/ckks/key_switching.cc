#include "ffconv/ckks/key_switching.h"

#include <algorithm>

namespace ffconv {
namespace {

// The limb of a key over QP of the key's level that holds limb i of QP of a level it serves.
std::size_t key_limb(const Params& params, std::size_t i, int level, int key_level) {
  const auto limbs = static_cast<std::size_t>(params.limb_count(level));
  const auto key_limbs = static_cast<std::size_t>(params.limb_count(key_level));
  return i < limbs ? i : i + key_limbs - limbs;
}

}  // namespace

Decomposition::Decomposition(const Context& context, const Poly<Eval>& x, int level)
    : context_(&context), x_(&x), level_(level) {
  FFCONV_ASSERT(x.basis() == context.q_basis(level) && context.params().has_keys(level));
  const std::size_t n = context.n();
  AlignedBuffer<Word> coefficients(x.limb_count() * n);
  parallel_for(x.limb_count(), [&](std::size_t i) {
    Word* limb = coefficients.data() + i * n;
    std::copy_n(x.limb(i), n, limb);
    context.ring().kernels().ntt_inverse(limb, x.tables(i));
  });
  std::size_t limb = 0;
  for (int j = 0; j < context.params().digit_count(level); ++j) {
    std::vector<const Word*> source;
    for (std::size_t k = context.params().digit(level, j).size(); k > 0; --k) {
      source.push_back(coefficients.data() + limb++ * n);
    }
    digits_.push_back(context.mod_up(level, j).make_digits(source));
  }
}

bool Decomposition::is_own(std::size_t j, std::size_t i) const {
  const auto size = static_cast<std::size_t>(context_->params().level(level_).digit_primes);
  return i < x_->limb_count() && i / size == j;
}

void Decomposition::make_limb(std::size_t j, std::size_t i, Word* dst) const {
  const BasisExtension& mod_up = context_->mod_up(level_, static_cast<int>(j));
  const auto size = static_cast<std::size_t>(context_->params().level(level_).digit_primes);
  const std::size_t target = i < j * size ? i : i - mod_up.source().size();
  mod_up.extend_limb(dst, digits_[j], target);
  context_->ring().kernels().ntt_forward(dst, context_->ring().tables(mod_up.target()[target]));
}

void Decomposition::expand() {
  const Basis& basis = context_->qp_basis(level_);
  for (std::size_t j = 0; j < digits_.size(); ++j) {
    expanded_.emplace_back(context_->ring(), basis);
  }
  parallel_for(digits_.size() * basis.size(), [&](std::size_t k) {
    const std::size_t j = k / basis.size(), i = k % basis.size();
    if (!is_own(j, i)) {
      make_limb(j, i, expanded_[j].limb(i));
    }
  });
}

const Word* Decomposition::limb(std::size_t j, std::size_t i, Word* scratch) const {
  if (is_own(j, i)) {
    return x_->limb(i);
  }
  if (!expanded_.empty()) {
    return expanded_[j].limb(i);
  }
  make_limb(j, i, scratch);
  return scratch;
}

void Decomposition::inner_product(const SwitchingKey& key, std::size_t i, Word* d0, Word* d1,
                                  bool accumulate) const {
  FFCONV_ASSERT(context_->params().serves(key.level, level_));
  const Ring& ring = context_->ring();
  const std::size_t n = ring.n(), at = key_limb(context_->params(), i, level_, key.level);
  AlignedBuffer<Word> scratch(expanded_.empty() ? digits_.size() * n : 0);
  std::array<const Word*, kMaxPrimes> b, a, digit;
  for (std::size_t j = 0; j < digits_.size(); ++j) {
    b[j] = key.b[j].limb(at);
    a[j] = key.a[j].limb(at);
    digit[j] = limb(j, i, expanded_.empty() ? scratch.data() + j * n : nullptr);
  }
  ring.kernels().inner_product_pair(d0, d1, b.data(), a.data(), digit.data(), digits_.size(),
                                    accumulate, n, ring.tables(context_->qp_basis(level_)[i]));
}

void Decomposition::rotate_limb(const RotationKey& key, std::size_t i, const Word* c0, Word* r0,
                                Word* r1) const {
  const Ring& ring = context_->ring();
  const std::size_t n = ring.n();
  AlignedBuffer<Word> scratch(2 * n);
  Word *x0 = scratch.data(), *x1 = x0 + n;
  inner_product(key.key, i, x0, x1, false);
  ring.kernels().sub_add_permute(r0, x0, nullptr, c0, key.permutation, n,
                                 ring.tables(context_->qp_basis(level_)[i]));
  ring.kernels().permute(r1, x1, key.permutation, n);
}

void Decomposition::add_rotated_limb(const RotationKey& key, std::size_t i, const Word* c0,
                                     Word* d0, Word* d1) const {
  const Ring& ring = context_->ring();
  const LimbTables& tables = ring.tables(context_->qp_basis(level_)[i]);
  const std::size_t n = ring.n();
  AlignedBuffer<Word> rotated(2 * n);
  Word *r0 = rotated.data(), *r1 = r0 + n;
  rotate_limb(key, i, c0, r0, r1);
  ring.kernels().add(d0, d0, r0, n, tables);
  ring.kernels().add(d1, d1, r1, n, tables);
}

}  // namespace ffconv
