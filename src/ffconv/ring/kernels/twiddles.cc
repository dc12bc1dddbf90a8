#include "ffconv/ring/kernels/kernels.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {

void canonical_twiddles(const LimbTables& tables, std::vector<std::uint64_t>& forward,
                        std::vector<std::uint64_t>& inverse) {
  const std::size_t n = std::size_t{1} << tables.log_n;
  std::vector<std::uint64_t> powers(4 * n);
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) {
    powers[i] = mul_mod(powers[i - 1], tables.root, tables.q);
  }
  forward.assign(n, 0);
  inverse.assign(n, 0);
  for (int s = 0; s < tables.log_n; ++s) {
    for (std::size_t i = 0; i < std::size_t{1} << s; ++i) {
      const std::size_t exponent = (1 + 4 * reverse_bits(i, s)) * (n >> (s + 1)) % (4 * n);
      forward[(std::size_t{1} << s) + i] = powers[exponent];
      inverse[(std::size_t{1} << s) + i] = powers[(4 * n - exponent) % (4 * n)];
    }
  }
}

}  // namespace ffconv
