#include "ffconv/ring/kernels/ifma_tables.h"

#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

constexpr std::size_t kLanes = 8;

// Writes the subtree of `levels` levels whose rows start at the canonical entries first, first +
// stride, ...; returns what follows it.
Word* write_subtree(Word* out, const std::vector<std::uint64_t>& canonical, std::uint64_t q,
                    std::size_t first, std::size_t stride, int levels) {
  if (levels == 0) {
    return out;
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const Constant twiddle = make_ifma_constant(canonical[first + lane * stride], q);
    out[lane] = twiddle.value;
    out[kLanes + lane] = twiddle.ratio;
  }
  out = write_subtree(out + 2 * kLanes, canonical, q, 2 * first, 2 * stride, levels - 1);
  return write_subtree(out, canonical, q, 2 * first + 1, 2 * stride, levels - 1);
}

AlignedBuffer<Constant> arrange(const std::vector<std::uint64_t>& canonical, std::uint64_t q) {
  const std::size_t n = canonical.size(), scalars = n / kLanes;
  AlignedBuffer<Constant> stored(n);
  for (std::size_t i = 0; i < scalars; ++i) {
    stored[i] = make_ifma_constant(canonical[i], q);
  }
  auto* out = reinterpret_cast<Word*>(stored.data() + scalars);
  for (std::size_t row = scalars; row < 2 * scalars; row += kLanes) {
    out = write_subtree(out, canonical, q, row, 1, 3);
  }
  return stored;
}

}  // namespace

Constant make_ifma_constant(std::uint64_t value, std::uint64_t q) {
  return {value, static_cast<std::uint64_t>((static_cast<u128>(value) << 52) / q)};
}

void prepare_ifma_tables(LimbTables& t) {
  const std::size_t n = std::size_t{1} << t.log_n;
  std::vector<std::uint64_t> forward, inverse;
  canonical_twiddles(t, forward, inverse);
  t.forward = arrange(forward, t.q);
  t.inverse = arrange(inverse, t.q);
  const std::uint64_t psi = pow_mod(t.root, n, t.q), scale = inverse_mod(4 * n, t.q);
  t.psi = make_ifma_constant(t.q - psi, t.q);
  t.unfold = make_ifma_constant(mul_mod(psi + 1, scale, t.q), t.q);
  t.unfold_first = make_ifma_constant(mul_mod(t.q + 1 - psi, scale, t.q), t.q);
}

}  // namespace ffconv
