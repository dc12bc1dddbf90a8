#include "ffconv/ckks/encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/base/secret_marks.h"
#include "ffconv/ring/mixed_radix.h"

namespace ffconv {
namespace {

constexpr double kCoefficientLimit = 0x1p62;
// Sums of slots stay finite.
constexpr double kSlotLimit = 0x1p900;

void check_encoding(const Context& context, std::span<const double> slots, double scale) {
  const std::size_t n = context.n();
  if (slots.empty() || slots.size() > n || n % slots.size() != 0) {
    fail(ErrorCode::kInvalidArgument,
         "encode: expected a power of two of at most {} slot values, got {}", n, slots.size());
  }
  if (!(scale > 0.0) || !std::isfinite(scale)) {
    fail(ErrorCode::kInvalidArgument, "encode: expected a positive scale, got {}", scale);
  }
}

void check_level(const Context& context, int level, bool extended) {
  const Params& params = context.params();
  if (level < 0 || level > params.max_level() || (extended && !params.has_keys(level))) {
    fail(ErrorCode::kInvalidArgument, "encode: expected a level of 0 to {}{}, got {}",
         params.max_level(), extended ? " that has special primes" : "", level);
  }
}

// The largest magnitude, without a branch: doubles without their sign are ordered as integers are,
// infinity above all numbers and what is no number above infinity.
double largest_magnitude(std::span<const double> values) {
  std::uint64_t largest = 0;
  for (const double x : values) {
    largest = std::max(largest, std::bit_cast<std::uint64_t>(x) & ~(std::uint64_t{1} << 63));
  }
  return std::bit_cast<double>(largest);
}

// Whether values are refused is no secret; how large they are may be one.
bool made_public(bool condition) {
  mark_public(&condition, sizeof(condition));
  return condition;
}

}  // namespace

IntegerPlaintext encode_integers(const Context& context, std::span<const double> slots,
                                 double scale) {
  check_encoding(context, slots, scale);
  const std::size_t n = context.n();
  IntegerPlaintext plaintext{AlignedBuffer<std::int64_t>(n), scale, largest_magnitude(slots), 0.0};
  if (!made_public(plaintext.max_abs < kSlotLimit)) {
    fail(ErrorCode::kInvalidArgument, "encode: expected finite slot values, below 2^900");
  }
  AlignedBuffer<double> words(n);
  context.embedding().to_coefficients(words.data(), slots);
  const double largest = context.ring().kernels().round_to_signed(
      plaintext.coefficients.data(), words.data(), scale / static_cast<double>(2 * n), n);
  plaintext.largest_coefficient = largest;
  if (!made_public(largest < kCoefficientLimit)) {
    fail(ErrorCode::kInvalidArgument,
         "encode: a coefficient of 2^{:.1f} at scale 2^{:.1f} exceeds the limit of 2^62: use a "
         "smaller scale",
         std::log2(largest), std::log2(scale));
  }
  return plaintext;
}

Plaintext encode(const Context& context, std::span<const double> slots, double scale, int level,
                 bool extended) {
  check_level(context, level, extended);
  const IntegerPlaintext integers = encode_integers(context, slots, scale);
  const Ring& ring = context.ring();
  const Kernels& kernels = ring.kernels();
  Plaintext plaintext;
  plaintext.level = level;
  plaintext.extended = extended;
  plaintext.scale = scale;
  plaintext.max_abs = integers.max_abs;
  plaintext.poly = Poly<Eval>(ring, extended ? context.qp_basis(level) : context.q_basis(level));
  parallel_for(plaintext.poly.limb_count(), [&](std::size_t i) {
    Word* limb = plaintext.poly.limb(i);
    kernels.import_signed(limb, integers.coefficients.data(), ring.n(), plaintext.poly.tables(i));
    kernels.ntt_forward(limb, plaintext.poly.tables(i));
  });
  return plaintext;
}

std::vector<double> centred_coefficients(const Context& context, const Poly<Coeff>& poly) {
  const std::size_t n = context.n();
  Poly<Coeff> digits = poly;
  std::vector<Word*> limbs;
  for (std::size_t i = 0; i < digits.limb_count(); ++i) {
    limbs.push_back(digits.limb(i));
  }
  AlignedBuffer<double> values(n);
  centred_values(values.data(), limbs, context.ring(), poly.basis());
  return {values.begin(), values.end()};
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
