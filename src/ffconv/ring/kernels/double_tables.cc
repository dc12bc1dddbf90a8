#include "ffconv/ring/kernels/double_tables.h"

#include <bit>

#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

AlignedBuffer<Constant> arrange(const std::vector<std::uint64_t>& canonical, std::uint64_t q,
                                int log_width) {
  const std::size_t n = canonical.size();
  const std::size_t width = std::size_t{1} << log_width;
  AlignedBuffer<Constant> stored(n);
  const std::size_t first_in_registers = n / width;
  for (std::size_t i = 0; i < first_in_registers; ++i) {
    stored[i] = make_double_constant(canonical[i], q);
  }
  auto* words = reinterpret_cast<Word*>(stored.data());
  for (std::size_t groups = 1; groups < width; groups *= 2) {
    const std::size_t stage = first_in_registers * groups;
    for (std::size_t i = 0; i < stage; ++i) {
      const Constant twiddle = make_double_constant(canonical[stage + i], q);
      const std::size_t lane = i / groups % width;
      const std::size_t vector = stage + (i / (groups * width) * groups + i % groups) * width;
      words[2 * vector + lane] = twiddle.value;
      words[2 * vector + width + lane] = twiddle.ratio;
    }
  }
  return stored;
}

}  // namespace

Constant make_double_constant(std::uint64_t value, std::uint64_t q) {
  const auto w = static_cast<double>(centred(value, q));
  return {std::bit_cast<Word>(w), std::bit_cast<Word>(w / static_cast<double>(q))};
}

void prepare_double_tables(LimbTables& t, int log_width) {
  const std::size_t n = std::size_t{1} << t.log_n;
  std::vector<std::uint64_t> forward, inverse;
  canonical_twiddles(t, forward, inverse);
  t.forward = arrange(forward, t.q, log_width);
  t.inverse = arrange(inverse, t.q, log_width);
  t.psi = make_double_constant(pow_mod(t.root, n, t.q), t.q);
  t.unfold = make_double_constant(inverse_mod(2 * n, t.q), t.q);
  t.unfold_first = make_double_constant(inverse_mod(n, t.q), t.q);
}

}  // namespace ffconv
