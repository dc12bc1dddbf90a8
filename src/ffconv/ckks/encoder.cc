#include "ffconv/ckks/encoder.h"

#include <algorithm>
#include <cmath>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ring/modulus.h"

namespace ffconv {
namespace {

constexpr double kCoefficientLimit = 0x1p62;

void check_encoding(const Context& context, std::span<const double> slots, double scale, int level,
                    bool extended) {
  const std::size_t n = context.n();
  if (slots.empty() || slots.size() > n || n % slots.size() != 0) {
    fail(ErrorCode::kInvalidArgument,
         "encode: expected a power of two of at most {} slot values, got {}", n, slots.size());
  }
  if (!(scale > 0.0) || !std::isfinite(scale)) {
    fail(ErrorCode::kInvalidArgument, "encode: expected a positive scale, got {}", scale);
  }
  const int max_level = extended ? context.params().max_key_level() : context.params().max_level();
  if (level < 0 || level > max_level) {
    fail(ErrorCode::kInvalidArgument, "encode: expected a level of 0 to {}, got {}", max_level,
         level);
  }
  if (!std::all_of(slots.begin(), slots.end(), [](double x) { return std::isfinite(x); })) {
    fail(ErrorCode::kInvalidArgument, "encode: expected finite slot values");
  }
}

// x y mod q for x < 2^47, y < 2^46, ratio = 1 / q, by a quotient in double precision: no division
// whose time depends on the data. Conversions go through signed integers, which take no branch.
std::uint64_t mul_mod_constant_time(std::uint64_t x, std::uint64_t y, std::uint64_t q,
                                    double ratio) {
  const auto as_double = [](std::uint64_t v) {
    return static_cast<double>(static_cast<std::int64_t>(v));
  };
  const auto quotient =
      static_cast<std::uint64_t>(static_cast<std::int64_t>(as_double(x) * as_double(y) * ratio));
  // The quotient is off by at most one either way.
  const auto r = static_cast<std::int64_t>(x * y - quotient * q);
  const std::int64_t lifted = r + (static_cast<std::int64_t>(q) & (r >> 63));
  const std::int64_t lowered = lifted - static_cast<std::int64_t>(q);
  return static_cast<std::uint64_t>(lowered + (static_cast<std::int64_t>(q) & (lowered >> 63)));
}

// Mixed-radix digits (Garner): x = r_0 + r_1 q_0 + r_2 q_0 q_1 + ..., one array of n per limb.
std::vector<AlignedBuffer<std::uint64_t>> mixed_radix(const Context& context,
                                                      const Poly<Coeff>& poly) {
  const Ring& ring = context.ring();
  const std::size_t n = ring.n(), limbs = poly.limb_count();
  std::vector<AlignedBuffer<std::uint64_t>> digits;
  for (std::size_t i = 0; i < limbs; ++i) {
    digits.emplace_back(n);
    ring.kernels().export_limb(digits[i].data(), poly.limb(i), n, poly.tables(i));
  }
  for (std::size_t i = 1; i < limbs; ++i) {
    const std::uint64_t q = ring.prime(poly.basis()[i]);
    const double ratio = 1.0 / static_cast<double>(q);
    for (std::size_t j = 0; j < i; ++j) {
      const std::uint64_t inverse = inverse_mod(ring.prime(poly.basis()[j]) % q, q);
      for (std::size_t k = 0; k < n; ++k) {
        const std::uint64_t lower = mul_mod_constant_time(digits[j][k], 1, q, ratio);
        const std::uint64_t difference = digits[i][k] + q - lower;  // in (0, 2q)
        digits[i][k] = mul_mod_constant_time(difference, inverse, q, ratio);
      }
    }
  }
  return digits;
}

}  // namespace

Plaintext encode(const Context& context, std::span<const double> slots, double scale, int level,
                 bool extended) {
  check_encoding(context, slots, scale, level, extended);
  const std::size_t n = context.n();
  std::vector<double> values(n);
  for (std::size_t j = 0; j < n; ++j) {
    values[j] = slots[j % slots.size()];
  }
  context.embedding().slots_to_coefficients(values);
  AlignedBuffer<std::int64_t> coefficients(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double x = std::nearbyint(values[i] * scale);
    if (!(std::abs(x) < kCoefficientLimit)) {
      fail(ErrorCode::kInvalidArgument,
           "encode: a coefficient of 2^{:.1f} at scale 2^{:.1f} exceeds the limit of 2^62: use a "
           "smaller scale",
           std::log2(std::abs(x)), std::log2(scale));
    }
    coefficients[i] = static_cast<std::int64_t>(x);
  }
  Plaintext plaintext;
  plaintext.poly = to_eval(from_signed(context.ring(),
                                       extended ? context.qp_basis(level) : context.q_basis(level),
                                       coefficients.span()));
  plaintext.level = level;
  plaintext.extended = extended;
  plaintext.scale = scale;
  for (const double x : slots) {
    plaintext.max_abs = std::max(plaintext.max_abs, std::abs(x));
  }
  return plaintext;
}

std::vector<double> centred_coefficients(const Context& context, const Poly<Coeff>& poly) {
  const std::size_t n = context.n(), limbs = poly.limb_count();
  const auto digits = mixed_radix(context, poly);
  std::vector<long double> radix(limbs + 1, 1.0L);
  for (std::size_t i = 0; i < limbs; ++i) {
    radix[i + 1] = radix[i] * static_cast<long double>(context.ring().prime(poly.basis()[i]));
  }
  // x and x - Q are summed apart from the top, where they cancel exactly, and the smaller one is
  // taken: x - Q = sum (r_i - (q_i - 1)) radix_i - 1.
  std::vector<double> values(n);
  for (std::size_t k = 0; k < n; ++k) {
    long double positive = 0.0L, negative = 0.0L;
    for (std::size_t i = limbs; i-- > 0;) {
      const std::uint64_t q = context.ring().prime(poly.basis()[i]);
      positive += static_cast<long double>(static_cast<std::int64_t>(digits[i][k])) * radix[i];
      negative +=
          static_cast<long double>(static_cast<std::int64_t>(q - 1 - digits[i][k])) * radix[i];
    }
    negative += 1.0L;
    const auto is_negative = static_cast<long double>(static_cast<int>(positive > negative));
    values[k] = static_cast<double>(positive * (1.0L - is_negative) - negative * is_negative);
  }
  return values;
}

std::vector<double> decode(const Context& context, const Poly<Coeff>& poly, double scale) {
  std::vector<double> values = centred_coefficients(context, poly);
  context.embedding().coefficients_to_slots(values);
  for (double& x : values) {
    x /= scale;
  }
  return values;
}

}  // namespace ffconv
