#include "ffconv/ring/kernels/embedding_tables.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

ComplexTable table_of(std::size_t size) {
  return {AlignedBuffer<double>(size), AlignedBuffer<double>(size)};
}

// exp(2 pi i numerator / denominator)
void set_root(ComplexTable& table, std::size_t i, std::uint64_t numerator,
              std::uint64_t denominator) {
  const long double angle = 2.0L * std::numbers::pi_v<long double> *
                            static_cast<long double>(numerator) /
                            static_cast<long double>(denominator);
  table.re[i] = static_cast<double>(std::cos(angle));
  table.im[i] = static_cast<double>(std::sin(angle));
}

ComplexTable strided(const ComplexTable& table, std::size_t stride, std::size_t offset) {
  const std::size_t size = table.re.size() / stride;
  ComplexTable result = table_of(size);
  for (std::size_t i = 0; i < size; ++i) {
    result.re[i] = table.re[i * stride + offset];
    result.im[i] = table.im[i * stride + offset];
  }
  return result;
}

}  // namespace

EmbeddingTables::EmbeddingTables(int log_degree) : log_n(log_degree) {
  const std::uint64_t n = std::uint64_t{1} << log_n;
  const int bits = std::max(log_n - 2, 0);  // of the index of a block of the last stage
  const std::size_t blocks = std::size_t{1} << bits;
  roots = table_of(blocks);
  for (std::size_t i = 0; i < blocks; i += 2) {
    set_root(roots, i, reverse_bits(i, bits), 2 * blocks);
    if (i + 1 < blocks) {
      roots.re[i + 1] = -roots.im[i];
      roots.im[i + 1] = roots.re[i];
    }
  }
  lanes[0] = strided(roots, 2, 0);
  lanes[1] = strided(roots, 4, 0);
  lanes[2] = strided(roots, 4, 2);
  sum = table_of(n / 4 + 1);
  difference = table_of(n / 4 + 1);
  for (std::size_t i = 0; i <= n / 4; ++i) {
    set_root(sum, i, i, 4 * n);
    set_root(difference, i, (n + 5 * i) % (4 * n), 4 * n);
  }
}

}  // namespace ffconv
