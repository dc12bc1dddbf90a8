#include "ffconv/ring/kernels/double_tables.h"

#include <bit>

#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

// The canonical table arranged as double_tables.h says; root node: w0 times `upper`, w1 times
// `lower`.
AlignedBuffer<Constant> arrange(const std::vector<std::uint64_t>& canonical, std::uint64_t q,
                                int log_width, std::uint64_t upper, std::uint64_t lower) {
  const std::size_t n = canonical.size();
  const std::size_t width = std::size_t{1} << log_width;
  const std::size_t lane_constants = n / width * (width - 1) / 2;
  const std::size_t lane_entry = n / width;  // the first one within lanes
  AlignedBuffer<Constant> stored(lane_constants + 3 * (lane_entry / 2));
  auto* words = reinterpret_cast<Word*>(stored.data());
  for (std::size_t block = 0; block < lane_entry / width; ++block) {
    for (std::size_t groups = 1; groups < width; groups *= 2) {
      for (std::size_t i = 0; i < groups * width; ++i) {
        const std::size_t row = i % width, group = i / width;
        const std::size_t entry = groups * (lane_entry + block * width + row) + group;
        words[(block * (width - 1) + groups - 1) * width + i] =
            make_double_constant(canonical[entry], q).value;
      }
    }
  }
  for (std::size_t i = 1; i < lane_entry / 2; ++i) {
    const std::uint64_t w0 = i == 1 ? mul_mod(canonical[1], upper, q) : canonical[i];
    const std::uint64_t w1 = i == 1 ? mul_mod(canonical[2], lower, q) : canonical[2 * i];
    Constant* node = &stored[lane_constants + 3 * i];
    node[0] = make_double_constant(w0, q);
    node[1] = make_double_constant(w1, q);
    node[2] = make_double_constant(mul_mod(w0, canonical[2 * i], q), q);
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
  const std::uint64_t psi = pow_mod(t.root, n, t.q), scale = inverse_mod(2 * n, t.q);
  std::vector<std::uint64_t> forward, inverse;
  canonical_twiddles(t, forward, inverse);
  t.forward = arrange(forward, t.q, log_width, t.q - psi, 1);
  t.inverse = arrange(inverse, t.q, log_width, mul_mod(scale, psi, t.q), scale);
  t.psi = make_double_constant(psi, t.q);
  t.unfold = make_double_constant(scale, t.q);
}

}  // namespace ffconv
