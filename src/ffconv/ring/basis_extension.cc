#include "ffconv/ring/basis_extension.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ffconv/base/parallel.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

constexpr std::size_t kAll = static_cast<std::size_t>(-1);

// The product of the basis' primes but number `skip`, modulo q.
std::uint64_t product_mod(const Ring& ring, const Basis& basis, std::size_t skip, std::uint64_t q) {
  std::uint64_t product = 1;
  for (std::size_t j = 0; j < basis.size(); ++j) {
    if (j != skip) {
      product = mul_mod(product, ring.prime(basis[j]) % q, q);
    }
  }
  return product;
}

std::vector<std::uint64_t> ones(std::size_t count) {
  return std::vector<std::uint64_t>(count, 1);
}

// Entries of a that are not in b.
Basis difference(const Basis& a, const Basis& b) {
  Basis result;
  std::copy_if(a.begin(), a.end(), std::back_inserter(result), [&](std::uint16_t prime) {
    return std::find(b.begin(), b.end(), prime) == b.end();
  });
  return result;
}

std::vector<std::size_t> positions(const Basis& of, const Basis& in, std::size_t absent) {
  std::vector<std::size_t> result;
  for (const std::uint16_t prime : of) {
    const auto found = std::find(in.begin(), in.end(), prime);
    result.push_back(found == in.end() ? absent : static_cast<std::size_t>(found - in.begin()));
  }
  return result;
}

// What ModulusChange multiplies by: E / scale modulo each leaving prime, and 1 / D modulo each
// target prime, minus that where it enters.
struct ChangeConstants {
  std::vector<std::uint64_t> before, after;

  ChangeConstants(const Ring& ring, const Basis& source, const Basis& target,
                  const std::vector<std::uint64_t>& scale) {
    const Basis leaving = difference(source, target), entering = difference(target, source);
    const auto at = positions(leaving, source, kAll);
    for (std::size_t j = 0; j < leaving.size(); ++j) {
      const std::uint64_t q = ring.prime(leaving[j]);
      const std::uint64_t e = product_mod(ring, entering, kAll, q);
      before.push_back(scale.empty() ? e : mul_mod(e, inverse_mod(scale[at[j]], q), q));
    }
    for (const std::uint16_t prime : target) {
      const std::uint64_t q = ring.prime(prime);
      const std::uint64_t inverse = inverse_mod(product_mod(ring, leaving, kAll, q), q);
      const bool enters = std::find(source.begin(), source.end(), prime) == source.end();
      after.push_back(enters ? q - inverse : inverse);
    }
  }
};

}  // namespace

BasisExtension::BasisExtension(const Ring& ring, Basis source, Basis target)
    : BasisExtension(ring, source, target, ones(source.size()), ones(target.size())) {}

BasisExtension::BasisExtension(const Ring& ring, Basis source, Basis target,
                               const std::vector<std::uint64_t>& c,
                               const std::vector<std::uint64_t>& f)
    : ring_(&ring), source_(std::move(source)), target_(std::move(target)) {
  for (std::size_t j = 0; j < source_.size(); ++j) {
    const std::uint64_t q = ring.prime(source_[j]);
    const std::uint64_t inverse = inverse_mod(product_mod(ring, source_, j, q), q);
    digit_factors_.push_back(ring.constant(mul_mod(c[j], inverse, q), source_[j]));
    inverses_.push_back(1.0 / static_cast<double>(q));
  }
  for (std::size_t i = 0; i < target_.size(); ++i) {
    const std::uint64_t q = ring.prime(target_[i]);
    std::vector<Constant> row;
    for (std::size_t j = 0; j < source_.size(); ++j) {
      row.push_back(ring.constant(mul_mod(f[i], product_mod(ring, source_, j, q), q), target_[i]));
    }
    weights_.push_back(std::move(row));
    products_.push_back(
        ring.constant(mul_mod(f[i], product_mod(ring, source_, kAll, q), q), target_[i]));
  }
}

BasisExtension::Digits BasisExtension::make_digits(
    std::span<const Word* const> source_limbs) const {
  FFCONV_ASSERT(source_limbs.size() == source_.size());
  const std::size_t n = ring_->n(), count = source_.size();
  Digits digits;
  digits.words = AlignedBuffer<Word>(n * (count == 1 ? 1 : count + 1));
  parallel_for(count, [&](std::size_t j) {
    ring_->kernels().make_digit(digits.words.data() + j * n, source_limbs[j], digit_factors_[j], n,
                                ring_->tables(source_[j]));
  });
  for (std::size_t j = 0; j < count; ++j) {
    digits.pointers.push_back(digits.words.data() + j * n);
  }
  if (count > 1) {  // one digit never overflows: |y_0| < d_0 / 2
    Word* overflow = digits.words.data() + count * n;
    ring_->kernels().digit_overflow(overflow, digits.pointers.data(), inverses_.data(), count, n);
    digits.overflow = overflow;
  }
  return digits;
}

void BasisExtension::extend_limb(Word* dst, const Digits& digits, std::size_t target_index) const {
  ring_->kernels().extend(dst, digits.pointers.data(), weights_[target_index].data(),
                          source_.size(), digits.overflow, products_[target_index], ring_->n(),
                          ring_->tables(target_[target_index]));
}

ModulusChange::ModulusChange(const Ring& ring, Basis source, Basis target,
                             const std::vector<std::uint64_t>& scale)
    : ring_(&ring),
      source_(std::move(source)),
      target_(std::move(target)),
      leaving_(positions(difference(source_, target_), source_, kEnters)),
      source_limb_(positions(target_, source_, kEnters)),
      extension_([&] {
        const ChangeConstants constants(ring, source_, target_, scale);
        return BasisExtension(ring, difference(source_, target_), target_, constants.before,
                              constants.after);
      }()) {
  const Basis leaving = difference(source_, target_), entering = difference(target_, source_);
  for (std::size_t i = 0; i < target_.size(); ++i) {
    const std::uint64_t q = ring.prime(target_[i]);
    const std::size_t at = source_limb_[i];
    std::uint64_t divisor = product_mod(ring, leaving, kAll, q);
    if (at != kEnters && !scale.empty()) {
      divisor = mul_mod(divisor, scale[at], q);
    }
    const std::uint64_t factor =
        mul_mod(product_mod(ring, entering, kAll, q), inverse_mod(divisor, q), q);
    factors_.push_back(ring.constant(factor, target_[i]));
    factor_is_one_.push_back(factor == 1);
  }
}

void ModulusChange::remainder_limb(Word* dst, const BasisExtension::Digits& remainder,
                                   std::size_t i) const {
  extension_.extend_limb(dst, remainder, i);
  ring_->kernels().ntt_forward(dst, ring_->tables(target_[i]));
}

void ModulusChange::combine(Word* dst, const Word* x, const Word* remainder, std::size_t i) const {
  const Kernels& kernels = ring_->kernels();
  const LimbTables& tables = ring_->tables(target_[i]);
  if (x == nullptr) {
    if (dst != remainder) {
      std::copy_n(remainder, ring_->n(), dst);
    }
  } else if (factor_is_one_[i]) {
    kernels.sub(dst, x, remainder, ring_->n(), tables);
  } else {
    kernels.mul_constant_sub(dst, x, factors_[i], remainder, ring_->n(), tables);
  }
}

Poly<Eval> ModulusChange::operator()(const Poly<Eval>& x) const {
  const Kernels& kernels = ring_->kernels();
  const std::size_t n = ring_->n();
  FFCONV_ASSERT(x.basis() == source_);
  AlignedBuffer<Word> tail(leaving_.size() * n);
  PoolVector<const Word*> limbs;
  for (std::size_t j = 0; j < leaving_.size(); ++j) {
    limbs.push_back(tail.data() + j * n);
  }
  parallel_for(leaving_.size(), [&](std::size_t j) {
    Word* limb = tail.data() + j * n;
    std::copy_n(x.limb(leaving_[j]), n, limb);
    kernels.ntt_inverse(limb, x.tables(leaving_[j]));
  });
  const BasisExtension::Digits remainder = make_remainder(limbs);
  Poly<Eval> result(*ring_, target_);
  parallel_for(target_.size(), [&](std::size_t i) {
    Word* dst = result.limb(i);
    remainder_limb(dst, remainder, i);
    const std::size_t at = source_limb_[i];
    combine(dst, at == kEnters ? nullptr : x.limb(at), dst, i);
  });
  return result;
}

}  // namespace ffconv
