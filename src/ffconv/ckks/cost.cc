#include "ffconv/ckks/cost.h"

#include <algorithm>
#include <cmath>

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

}  // namespace

const CostTable& default_cost_table() {
  // The avx2 tier on an AMD EPYC, one thread, by `ffconv doctor`; but inner products as measured in
  // whole networks, where keys and weights come from memory once per image (a limb of 2^14 words in
  // about 12 us).
  static const CostTable table{
      .machine = "AMD EPYC, avx2",
      .ntt_forward_us = 40.0,
      .ntt_inverse_us = 39.2,
      .multiply_accumulate_us = 12.0,
      .base_extend_us = 5.3,
      .automorphism_us = 3.3,
      .add_us = 3.4,
      .multiply_us = 3.4,
  };
  return table;
}

double decompose_us(const CostTable& t, const CostShape& s) {
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
  return s.special_primes * inverse(t, s) + s.limbs * forward(t, s) +
         s.limbs * (s.special_primes * t.base_extend_us + t.multiply_us) * linear_scale(s);
}

double rotate_us(const CostTable& t, const CostShape& s) {
  return decompose_us(t, s) + inner_product_us(t, s) + 2 * mod_down_us(t, s) +
         s.limbs * (2 * t.automorphism_us + t.add_us) * linear_scale(s);
}

double hoisted_rotation_us(const CostTable& t, const CostShape& s) {
  // c0 enters the extended basis as P c0: one product a limb of Q.
  return inner_product_us(t, s) +
         (2 * extended_limbs(s) * t.automorphism_us + s.limbs * t.multiply_us) * linear_scale(s);
}

double multiply_plain_us(const CostTable& t, const CostShape& s, bool extended) {
  return 2.0 * (extended ? extended_limbs(s) : s.limbs) * t.multiply_accumulate_us *
         linear_scale(s);
}

double linear_us(const CostTable& t, const CostShape& s, const LinearShape& map) {
  const double giant = mod_down_us(t, s) + decompose_us(t, s) + hoisted_rotation_us(t, s);
  return map.decomposed_inputs * decompose_us(t, s) + map.babies * hoisted_rotation_us(t, s) +
         map.giants * giant + 2 * map.extended_outputs * mod_down_us(t, s) +
         map.extended_terms * multiply_plain_us(t, s, true) +
         map.plain_terms * multiply_plain_us(t, s, false);
}

double rotate_sum_us(const CostTable& t, const CostShape& s, int rotations) {
  return decompose_us(t, s) + rotations * hoisted_rotation_us(t, s) + 2 * mod_down_us(t, s);
}

double relinearize_us(const CostTable& t, const CostShape& s) {
  return decompose_us(t, s) + inner_product_us(t, s) + 2 * mod_down_us(t, s) + add_us(t, s, 2);
}

double relinearize_rescale_us(const CostTable& t, const CostShape& s) {
  CostShape divided = s;
  divided.limbs -= 1;
  divided.special_primes += 1;
  return decompose_us(t, s) + inner_product_us(t, s) + 2 * mod_down_us(t, divided) +
         add_us(t, s, 2);
}

double square_us(const CostTable& t, const CostShape& s) {
  return 3.0 * s.limbs * t.multiply_us * linear_scale(s);
}

double multiply_us(const CostTable& t, const CostShape& s) {
  return 4.0 * s.limbs * t.multiply_us * linear_scale(s);
}

double rescale_us(const CostTable& t, const CostShape& s, int polynomials) {
  const int kept = s.limbs - 1;
  return polynomials * (inverse(t, s) + kept * (forward(t, s) + (t.base_extend_us + t.multiply_us) *
                                                                    linear_scale(s)));
}

double add_us(const CostTable& t, const CostShape& s, int polynomials) {
  return polynomials * s.limbs * t.add_us * linear_scale(s);
}

}  // namespace ffconv
