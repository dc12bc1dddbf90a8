#include "ffconv/ckks/cost.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ffconv {
namespace {

// The table is for limbs of 2^14 words: transforms scale with N log N, everything else with N.
double linear_scale(const CostShape& s) {
  return std::ldexp(1.0, s.log_n - 14);
}
double transform_scale(const CostShape& s) {
  return linear_scale(s) * s.log_n / 14.0;
}

double forward(const CostTable& t, const CostShape& s) {
  return t.ntt_forward_us * transform_scale(s);
}
double inverse(const CostTable& t, const CostShape& s) {
  return t.ntt_inverse_us * transform_scale(s);
}

int digit_count(const CostShape& s) {
  return (s.limbs + s.digit_primes - 1) / s.digit_primes;
}
int extended_limbs(const CostShape& s) {
  return s.limbs + s.special_primes;
}

// The remainder by `leaving` primes on `target` primes.
double change_us(const CostTable& t, const CostShape& s, int leaving, int target) {
  return leaving * inverse(t, s) +
         target * (leaving * t.base_extend_us * linear_scale(s) + forward(t, s));
}

}  // namespace

const CostTable& default_cost_table() {
  // The avx2 tier on an AMD EPYC, family 26, one thread, by `ffconv doctor`.
  static const CostTable table{
      .machine = "AMD EPYC (Zen 5), avx2",
      .ntt_forward_us = 22.8,
      .ntt_inverse_us = 27.1,
      .multiply_accumulate_us = 3.45,
      .plain_product_us = 2.6,
      .base_extend_us = 3.14,
      .automorphism_us = 4.46,
      .add_us = 6.13,
      .multiply_us = 6.43,
  };
  return table;
}

CostShape cost_shape(const ParamsSpec& spec, int level) {
  const LevelSpec& here = spec.levels[static_cast<std::size_t>(level)];
  CostShape shape{spec.log_n, static_cast<int>(here.primes.size()),
                  static_cast<int>(here.special.size()), here.digit_primes};
  if (level > 0) {
    const auto& next = spec.levels[static_cast<std::size_t>(level) - 1].primes;
    const auto shared = std::count_if(here.primes.begin(), here.primes.end(), [&](auto prime) {
      return std::find(next.begin(), next.end(), prime) != next.end();
    });
    shape.leaving = shape.limbs - static_cast<int>(shared);
    shape.entering = static_cast<int>(next.size()) - static_cast<int>(shared);
  }
  return shape;
}

double decompose_us(const CostTable& t, const CostShape& s) {
  if (s.special_primes == 0) {
    return std::numeric_limits<double>::infinity();
  }
  double us = s.limbs * inverse(t, s);
  for (int first = 0; first < s.limbs; first += s.digit_primes) {
    const int sources = std::min(s.digit_primes, s.limbs - first);
    const int targets = extended_limbs(s) - sources;
    us += sources * targets * t.base_extend_us * linear_scale(s) + targets * forward(t, s);
  }
  return us;
}

double inner_product_us(const CostTable& t, const CostShape& s) {
  return 2.0 * digit_count(s) * extended_limbs(s) * t.multiply_accumulate_us * linear_scale(s);
}

double mod_down_us(const CostTable& t, const CostShape& s) {
  return change_us(t, s, s.special_primes, s.limbs) + s.limbs * t.add_us * linear_scale(s);
}

double rotate_us(const CostTable& t, const CostShape& s) {
  return decompose_us(t, s) + inner_product_us(t, s) + 2 * mod_down_us(t, s) +
         s.limbs * 2 * t.automorphism_us * linear_scale(s);
}

double hoisted_rotation_us(const CostTable& t, const CostShape& s) {
  return inner_product_us(t, s) + 2 * extended_limbs(s) * t.automorphism_us * linear_scale(s);
}

double encode_us(const CostTable& t, const CostShape& s, bool extended) {
  // Coefficients are reduced before the transform and words packed after it.
  return (extended ? extended_limbs(s) : s.limbs) *
         (forward(t, s) + 2 * t.multiply_us * linear_scale(s));
}

double multiply_plain_us(const CostTable& t, const CostShape& s, bool extended) {
  return 2.0 * (extended ? extended_limbs(s) : s.limbs) * t.plain_product_us * linear_scale(s);
}

LinearShape& LinearShape::operator+=(const LinearShape& other) {
  unrotated_inputs += other.unrotated_inputs;
  decomposed_inputs += other.decomposed_inputs;
  babies += other.babies;
  giants += other.giants;
  extended_outputs += other.extended_outputs;
  extended_terms += other.extended_terms;
  plain_terms += other.plain_terms;
  return *this;
}

double linear_us(const CostTable& t, const CostShape& s, const LinearShape& map) {
  const double plain =
      map.plain_terms * multiply_plain_us(t, s, false) + map.unrotated_inputs * add_us(t, s, 2);
  if (map.extended_terms == 0) {
    return plain;
  }
  const double giant = mod_down_us(t, s) + decompose_us(t, s) + hoisted_rotation_us(t, s) +
                       2 * extended_limbs(s) * t.add_us * linear_scale(s);
  const auto times = [](int count, double us) { return count == 0 ? 0.0 : count * us; };
  return plain + times(map.decomposed_inputs, decompose_us(t, s)) +
         map.babies * hoisted_rotation_us(t, s) + times(map.giants, giant) +
         2 * map.extended_outputs * mod_down_us(t, s) +
         map.extended_terms * multiply_plain_us(t, s, true);
}

double rotate_sum_us(const CostTable& t, const CostShape& s, int rotations) {
  return decompose_us(t, s) +
         rotations *
             (hoisted_rotation_us(t, s) + 2 * extended_limbs(s) * t.add_us * linear_scale(s)) +
         2 * mod_down_us(t, s);
}

double relinearize_us(const CostTable& t, const CostShape& s) {
  return decompose_us(t, s) + inner_product_us(t, s) + 2 * mod_down_us(t, s);
}

double relinearize_rescale_us(const CostTable& t, const CostShape& s) {
  return decompose_us(t, s) + inner_product_us(t, s) +
         2 * change_us(t, s, s.special_primes + s.leaving, s.next_limbs()) +
         2 * s.next_limbs() * t.multiply_us * linear_scale(s);
}

double descend_us(const CostTable& t, const CostShape& s) {
  CostShape half = s;
  half.log_n -= 1;
  // Words are sorted into even and odd ones, their sums halved.
  const double project =
      t.automorphism_us * linear_scale(s) + (t.add_us + t.multiply_us) * linear_scale(half);
  return decompose_us(t, s) + inner_product_us(t, s) + s.limbs * t.add_us * linear_scale(s) +
         2 * extended_limbs(s) * project + 2 * mod_down_us(t, half);
}

double square_us(const CostTable& t, const CostShape& s) {
  return 3.0 * s.limbs * t.multiply_us * linear_scale(s);
}

double multiply_us(const CostTable& t, const CostShape& s) {
  return 4.0 * s.limbs * t.multiply_us * linear_scale(s);
}

double rescale_us(const CostTable& t, const CostShape& s, int polynomials) {
  return polynomials * (change_us(t, s, s.leaving, s.next_limbs()) +
                        s.next_limbs() * t.multiply_us * linear_scale(s));
}

double add_us(const CostTable& t, const CostShape& s, int polynomials) {
  return polynomials * s.limbs * t.add_us * linear_scale(s);
}

}  // namespace ffconv
