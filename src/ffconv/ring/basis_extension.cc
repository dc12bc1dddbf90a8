#include "ffconv/ring/basis_extension.h"

#include <algorithm>
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

}  // namespace

BasisExtension::BasisExtension(const Ring& ring, Basis source, Basis target)
    : ring_(&ring), source_(std::move(source)), target_(std::move(target)) {
  for (std::size_t j = 0; j < source_.size(); ++j) {
    const std::uint64_t q = ring.prime(source_[j]);
    digit_factors_.push_back(
        ring.constant(inverse_mod(product_mod(ring, source_, j, q), q), source_[j]));
    inverses_.push_back(1.0 / static_cast<double>(q));
  }
  for (const std::uint16_t target_prime : target_) {
    const std::uint64_t q = ring.prime(target_prime);
    std::vector<Constant> row;
    for (std::size_t j = 0; j < source_.size(); ++j) {
      row.push_back(ring.constant(product_mod(ring, source_, j, q), target_prime));
    }
    weights_.push_back(std::move(row));
    products_.push_back(ring.constant(product_mod(ring, source_, kAll, q), target_prime));
  }
}

BasisExtension::Digits BasisExtension::make_digits(
    const std::vector<const Word*>& source_limbs) const {
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

DivideByPrimes::DivideByPrimes(const Ring& ring, Basis kept, Basis dropped)
    : ring_(&ring), extension_(ring, std::move(dropped), std::move(kept)) {
  for (const std::uint16_t prime : extension_.target()) {
    const std::uint64_t q = ring.prime(prime);
    inverses_.push_back(
        ring.constant(inverse_mod(product_mod(ring, extension_.source(), kAll, q), q), prime));
  }
}

Poly<Eval> DivideByPrimes::operator()(const Poly<Eval>& x) const {
  const Kernels& kernels = ring_->kernels();
  const std::size_t n = ring_->n();
  const std::size_t kept = extension_.target().size(), dropped = extension_.source().size();
  FFCONV_ASSERT(x.limb_count() == kept + dropped);
  AlignedBuffer<Word> tail(dropped * n);
  parallel_for(dropped, [&](std::size_t j) {
    Word* limb = tail.data() + j * n;
    std::copy_n(x.limb(kept + j), n, limb);
    kernels.ntt_inverse(limb, x.tables(kept + j));
  });
  std::vector<const Word*> limbs;
  for (std::size_t j = 0; j < dropped; ++j) {
    limbs.push_back(tail.data() + j * n);
  }
  const BasisExtension::Digits digits = extension_.make_digits(limbs);
  Poly<Eval> result(*ring_, extension_.target());
  parallel_for(kept, [&](std::size_t i) {
    Word* dst = result.limb(i);
    extension_.extend_limb(dst, digits, i);
    kernels.ntt_forward(dst, result.tables(i));
    kernels.sub_mul_constant(dst, x.limb(i), dst, inverses_[i], n, result.tables(i));
  });
  return result;
}

}  // namespace ffconv
