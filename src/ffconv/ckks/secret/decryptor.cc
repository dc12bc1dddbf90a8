#include "ffconv/ckks/secret/decryptor.h"

#include <algorithm>
#include <cmath>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/encoder.h"

namespace ffconv {
namespace {

void check(const SecretKey& secret, const Ciphertext& ciphertext) {
  if (!ciphertext.context ||
      ciphertext.context->params().fingerprint() != secret.context()->params().fingerprint()) {
    fail(ErrorCode::kMismatch,
         "decrypt: the ciphertext and the secret key belong to different parameters");
  }
  if (ciphertext.polys.size() < 2 || ciphertext.polys.size() > 3) {
    fail(ErrorCode::kMismatch, "decrypt: expected 2 or 3 polynomials, got {}",
         ciphertext.polys.size());
  }
}

// Uniform in [-bound, bound], one value per call.
double sample_flood(SeededStream& random, double bound) {
  const auto bits = static_cast<std::int64_t>(random.next_u64());
  return static_cast<double>(bits) * 0x1p-63 * bound;
}

}  // namespace

// Horner in s, limb by limb.
std::vector<double> decrypt_coefficients_raw(const SecretKey& secret,
                                             const Ciphertext& ciphertext) {
  check(secret, ciphertext);
  const Ring& ring = ciphertext.context->ring();
  const Kernels& kernels = ring.kernels();
  Poly<Eval> sum = ciphertext.polys.back();
  parallel_for(sum.limb_count(), [&](std::size_t i) {
    for (std::size_t k = ciphertext.polys.size() - 1; k-- > 0;) {
      kernels.mul(sum.limb(i), sum.limb(i), secret.limb(i), ring.n(), sum.tables(i));
      kernels.add(sum.limb(i), sum.limb(i), ciphertext.polys[k].limb(i), ring.n(), sum.tables(i));
    }
  });
  return centred_coefficients(*ciphertext.context, to_coeff(std::move(sum)));
}

std::vector<double> decrypt_raw(const SecretKey& secret, const Ciphertext& ciphertext) {
  std::vector<double> values = decrypt_coefficients_raw(secret, ciphertext);
  ciphertext.context->embedding().coefficients_to_slots(values);
  for (double& x : values) {
    x /= ciphertext.scale;
  }
  return values;
}

SharedResult decrypt(const SecretKey& secret, const Ciphertext& ciphertext,
                     const DecryptOptions& options) {
  if (!(options.flood_bits >= 0.0 && options.flood_bits <= 60.0)) {
    fail(ErrorCode::kInvalidArgument, "flood_bits: expected 0 to 60, got {}", options.flood_bits);
  }
  std::vector<double> values = decrypt_coefficients_raw(secret, ciphertext);
  const double slots_per_coefficient = std::sqrt(2.0 * static_cast<double>(values.size()));
  const double error_std =
      std::max(ciphertext.noise.error_std, options.error_at_least * ciphertext.scale);
  const double flood_std = error_std * std::exp2(options.flood_bits);
  const double bound = std::sqrt(3.0) * flood_std / slots_per_coefficient;
  SeededStream random(random_seed(), 0);
  for (double& x : values) {
    x += sample_flood(random, bound);
  }
  ciphertext.context->embedding().coefficients_to_slots(values);
  SharedResult result;
  result.step = std::exp2(std::ceil(std::log2(flood_std / ciphertext.scale)));
  for (const double x : values) {
    result.slots.push_back(std::nearbyint(x / ciphertext.scale / result.step) * result.step);
  }
  return result;
}

}  // namespace ffconv
