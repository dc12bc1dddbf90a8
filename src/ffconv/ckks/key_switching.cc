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
    PoolVector<const Word*> source;
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

Decomposition::Limb::Limb(const Decomposition& digits, std::size_t i)
    : digits_(&digits),
      i_(i),
      made_(digits.expanded_.empty() ? digits.digits_.size() * digits.context_->n() : 0) {
  for (std::size_t j = 0; j < digits.digits_.size(); ++j) {
    if (digits.is_own(j, i)) {
      words_[j] = digits.x_->limb(i);
    } else if (!digits.expanded_.empty()) {
      words_[j] = digits.expanded_[j].limb(i);
    } else {
      Word* const made = made_.data() + j * digits.context_->n();
      digits.make_limb(j, i, made);
      words_[j] = made;
    }
  }
}

void Decomposition::Limb::inner_product(const SwitchingKey& key, std::size_t begin,
                                        std::size_t count, Word* d0, Word* d1,
                                        bool accumulate) const {
  const Context& context = *digits_->context_;
  FFCONV_ASSERT(context.params().serves(key.level, digits_->level_));
  const std::size_t terms = digits_->digits_.size();
  const std::size_t at = key_limb(context.params(), i_, digits_->level_, key.level);
  std::array<const Word*, kMaxPrimes> digit;
  for (std::size_t j = 0; j < terms; ++j) {
    digit[j] = words_[j] + begin;
  }
  context.ring().kernels().packed_pair_products(
      d0, d1, key.pairs.at(at, begin), key.pairs.stride(), digit.data(), terms, accumulate, count,
      context.ring().tables(context.qp_basis(digits_->level_)[i_]));
}

void Decomposition::Limb::rotate(const RotationKey& key, std::size_t begin, std::size_t count,
                                 const Word* c0, Word* r0, Word* r1) const {
  const Ring& ring = digits_->context_->ring();
  const std::uint32_t* const source = key.permutation.source.data() + begin;
  const std::size_t from = *source & ~(count - 1);
  alignas(64) std::array<Word, 2 * kBlockWords> scratch;
  Word *x0 = scratch.data(), *x1 = x0 + count;
  inner_product(key.key, from, count, x0, x1, false);
  ring.kernels().sub_add_permute(r0, x0, nullptr, c0 == nullptr ? nullptr : c0 + from, source,
                                 count,
                                 ring.tables(digits_->context_->qp_basis(digits_->level_)[i_]));
  ring.kernels().permute(r1, x1, source, count);
}

void Decomposition::Limb::add_rotated(const RotationKey& key, std::size_t begin, std::size_t count,
                                      const Word* c0, Word* d0, Word* d1) const {
  const Ring& ring = digits_->context_->ring();
  const LimbTables& tables = ring.tables(digits_->context_->qp_basis(digits_->level_)[i_]);
  alignas(64) std::array<Word, 2 * kBlockWords> rotated;
  Word *r0 = rotated.data(), *r1 = r0 + count;
  rotate(key, begin, count, c0, r0, r1);
  ring.kernels().add(d0, d0, r0, count, tables);
  ring.kernels().add(d1, d1, r1, count, tables);
}

}  // namespace ffconv
