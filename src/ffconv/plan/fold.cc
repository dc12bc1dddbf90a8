#include "ffconv/plan/fold.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>

#include "ffconv/base/assert.h"

namespace ffconv::plan {
namespace {

double stage_us(std::size_t factor, const CostTable& table, const CostShape& shape) {
  return rotate_sum_us(table, shape, static_cast<int>(factor) - 1);
}

}  // namespace

std::vector<std::size_t> fold_factors(std::size_t size, const CostTable& table,
                                      const CostShape& shape, double key_us) {
  FFCONV_ASSERT(std::has_single_bit(size));
  const auto bits = static_cast<std::size_t>(std::countr_zero(size));
  // best[k]: the cheapest chain for 2^k slots; last[k]: the bits of its last stage, 1 where the
  // level has no keys and every chain costs infinity.
  std::vector<double> best(bits + 1, std::numeric_limits<double>::infinity());
  std::vector<std::size_t> last(bits + 1, 1);
  best[0] = 0;
  for (std::size_t k = 1; k <= bits; ++k) {
    for (std::size_t e = 1; e <= k; ++e) {
      const std::size_t factor = std::size_t{1} << e;
      const double us =
          best[k - e] + stage_us(factor, table, shape) + key_us * static_cast<double>(factor - 1);
      if (us < best[k]) {
        best[k] = us;
        last[k] = e;
      }
    }
  }
  std::vector<std::size_t> factors;
  for (std::size_t k = bits; k > 0; k -= last[k]) {
    factors.push_back(std::size_t{1} << last[k]);
  }
  std::sort(factors.begin(), factors.end(), std::greater<>());
  return factors;
}

int fold_keys(const std::vector<std::size_t>& factors) {
  std::size_t keys = 0;
  for (const std::size_t factor : factors) {
    keys += factor - 1;
  }
  return static_cast<int>(keys);
}

double fold_us(const std::vector<std::size_t>& factors, const CostTable& table,
               const CostShape& shape) {
  double us = 0;
  for (const std::size_t factor : factors) {
    us += stage_us(factor, table, shape);
  }
  return us;
}

std::vector<std::vector<std::int32_t>> fold_rotations(const std::vector<std::size_t>& factors,
                                                      std::size_t distance) {
  std::vector<std::vector<std::int32_t>> stages;
  for (const std::size_t factor : factors) {
    auto& stage = stages.emplace_back();
    for (std::size_t k = 0; k < factor; ++k) {
      stage.push_back(static_cast<std::int32_t>(k * distance));
    }
    distance *= factor;
  }
  return stages;
}

}  // namespace ffconv::plan
