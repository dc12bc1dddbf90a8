#include "ffconv/ring/poly.h"

#include <algorithm>
#include <array>

#include "ffconv/base/parallel.h"

namespace ffconv {
namespace {

[[maybe_unused]] bool same_space(const Poly<Eval>& a, const Poly<Eval>& b) {
  return &a.ring() == &b.ring() && a.basis() == b.basis();
}

}  // namespace

Poly<Eval> to_eval(Poly<Coeff>&& x) {
  parallel_for(x.limb_count(),
               [&](std::size_t i) { x.ring().kernels().ntt_forward(x.limb(i), x.tables(i)); });
  Poly<Eval> result;
  result.ring_ = x.ring_;
  result.basis_ = std::move(x.basis_);
  result.words_ = std::move(x.words_);
  return result;
}

Poly<Coeff> to_coeff(Poly<Eval>&& x) {
  parallel_for(x.limb_count(),
               [&](std::size_t i) { x.ring().kernels().ntt_inverse(x.limb(i), x.tables(i)); });
  Poly<Coeff> result;
  result.ring_ = x.ring_;
  result.basis_ = std::move(x.basis_);
  result.words_ = std::move(x.words_);
  return result;
}

void set_zero(Poly<Eval>& x) {
  std::fill_n(x.limb(0), x.limb_count() * x.ring().n(), Word{0});
}

bool contains(const Basis& basis, const Basis& part) {
  return std::ranges::all_of(
      part, [&](std::uint16_t prime) { return std::ranges::find(basis, prime) != basis.end(); });
}

Poly<Eval> restrict_basis(const Poly<Eval>& x, const Basis& basis) {
  FFCONV_ASSERT(contains(x.basis(), basis));
  Poly<Eval> result(x.ring(), basis);
  for (std::size_t i = 0; i < basis.size(); ++i) {
    const auto at = std::ranges::find(x.basis(), basis[i]) - x.basis().begin();
    std::copy_n(x.limb(static_cast<std::size_t>(at)), x.ring().n(), result.limb(i));
  }
  return result;
}

Poly<Coeff> from_signed(const Ring& ring, Basis basis, std::span<const std::int64_t> x) {
  FFCONV_ASSERT(x.size() == ring.n());
  Poly<Coeff> result(ring, std::move(basis));
  parallel_for(result.limb_count(), [&](std::size_t i) {
    ring.kernels().import_signed(result.limb(i), x.data(), ring.n(), result.tables(i));
  });
  return result;
}

Poly<Coeff> from_small(const Ring& ring, Basis basis, std::span<const std::int8_t> x) {
  FFCONV_ASSERT(x.size() == ring.n());
  Poly<Coeff> result(ring, std::move(basis));
  parallel_for(result.limb_count(), [&](std::size_t i) {
    ring.kernels().import_small(result.limb(i), x.data(), ring.n(), result.tables(i));
  });
  return result;
}

void add_inplace(Poly<Eval>& a, const Poly<Eval>& b) {
  FFCONV_ASSERT(same_space(a, b));
  parallel_for(a.limb_count(), [&](std::size_t i) {
    a.ring().kernels().add(a.limb(i), a.limb(i), b.limb(i), a.ring().n(), a.tables(i));
  });
}

void sub_inplace(Poly<Eval>& a, const Poly<Eval>& b) {
  FFCONV_ASSERT(same_space(a, b));
  parallel_for(a.limb_count(), [&](std::size_t i) {
    a.ring().kernels().sub(a.limb(i), a.limb(i), b.limb(i), a.ring().n(), a.tables(i));
  });
}

void mul_into(Poly<Eval>& dst, const Poly<Eval>& a, const Poly<Eval>& b) {
  FFCONV_ASSERT(same_space(a, b) && same_space(dst, a));
  parallel_for(a.limb_count(), [&](std::size_t i) {
    a.ring().kernels().mul(dst.limb(i), a.limb(i), b.limb(i), a.ring().n(), a.tables(i));
  });
}

void mul_constant_inplace(Poly<Eval>& a, std::span<const std::uint64_t> residues) {
  FFCONV_ASSERT(residues.size() >= a.limb_count());
  parallel_for(a.limb_count(), [&](std::size_t i) {
    a.ring().kernels().mul_constant(a.limb(i), a.limb(i),
                                    a.ring().constant(residues[i], a.basis()[i]), a.ring().n(),
                                    a.tables(i));
  });
}

Poly<Eval> permute(const Poly<Eval>& x, const WordPermutation& permutation) {
  Poly<Eval> result(x.ring(), x.basis());
  parallel_for(x.limb_count(), [&](std::size_t i) {
    x.ring().kernels().permute(result.limb(i), x.limb(i), permutation.source.data(), x.ring().n());
  });
  return result;
}

void export_limb(std::span<std::uint64_t> dst, const Poly<Eval>& x, std::size_t limb) {
  FFCONV_ASSERT(dst.size() == x.ring().n());
  x.ring().kernels().export_limb(dst.data(), x.limb(limb), x.ring().n(), x.tables(limb));
}

void import_limb(Poly<Eval>& x, std::size_t limb, std::span<const std::uint64_t> src) {
  FFCONV_ASSERT(src.size() == x.ring().n());
  x.ring().kernels().import_limb(x.limb(limb), src.data(), x.ring().n(), x.tables(limb));
}

}  // namespace ffconv
