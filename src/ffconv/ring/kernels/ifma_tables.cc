#include "ffconv/ring/kernels/ifma_tables.h"

#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

constexpr std::size_t kLanes = 8;

// Writes one vector of values and one of quotients: lane r for the canonical entry first + r *
// stride. Returns what follows.
Word* write_lanes(Word* out, const std::vector<std::uint64_t>& canonical, std::uint64_t q,
                  std::size_t first, std::size_t stride) {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const Constant twiddle = make_ifma_constant(canonical[first + lane * stride], q);
    out[lane] = twiddle.value;
    out[kLanes + lane] = twiddle.ratio;
  }
  return out + 2 * kLanes;
}

AlignedBuffer<Constant> arrange(const std::vector<std::uint64_t>& canonical, std::uint64_t q) {
  const std::size_t n = canonical.size(), scalars = n / kLanes;
  AlignedBuffer<Constant> stored(n);
  for (std::size_t i = 0; i < scalars; ++i) {
    stored[i] = make_ifma_constant(canonical[i], q);
  }
  auto* out = reinterpret_cast<Word*>(stored.data() + scalars);
  for (std::size_t row = scalars; row < 2 * scalars; row += kLanes) {
    for (std::size_t groups = 1; groups < kLanes; groups *= 2) {
      for (std::size_t g = 0; g < groups; ++g) {
        out = write_lanes(out, canonical, q, groups * row + g, groups);
      }
    }
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
  const std::uint64_t psi = pow_mod(t.root, n, t.q), scale = inverse_mod(4 * n, t.q);
  forward[1] = mul_mod(forward[1], t.q - psi, t.q);
  t.forward = arrange(forward, t.q);
  t.inverse = arrange(inverse, t.q);
  t.psi = make_ifma_constant(psi, t.q);
  t.unfold = make_ifma_constant(mul_mod(psi + 1, scale, t.q), t.q);
  t.unfold_first = make_ifma_constant(mul_mod(t.q + 1 - psi, scale, t.q), t.q);
}

}  // namespace ffconv
