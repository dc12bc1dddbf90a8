#include "ffconv/ckks/secret/decryptor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/base/secure.h"
#include "ffconv/ring/mixed_radix.h"

namespace ffconv {
namespace {

// A ciphertext that does not belong to the key, or not to itself, would decrypt to a value that
// depends on the key alone.
void check(const SecretKey& secret, const Ciphertext& ciphertext) {
  if (!ciphertext.context ||
      ciphertext.context->params().fingerprint() != secret.context()->params().fingerprint()) {
    fail(ErrorCode::kMismatch,
         "decrypt: the ciphertext and the secret key belong to different parameters");
  }
  const Context& context = *ciphertext.context;
  const std::string_view tier = secret.context()->ring().kernels().name;
  if (context.ring().kernels().name != tier) {
    fail(ErrorCode::kMismatch, "decrypt: a secret key of tier {} and a ciphertext of tier {}", tier,
         context.ring().kernels().name);
  }
  if (ciphertext.polys.size() < 2 || ciphertext.polys.size() > 3) {
    fail(ErrorCode::kMismatch, "decrypt: expected 2 or 3 polynomials, got {}",
         ciphertext.polys.size());
  }
  if (ciphertext.level < 0 || ciphertext.level > context.params().max_level()) {
    fail(ErrorCode::kMismatch, "decrypt: expected a level of 0 to {}, got {}",
         context.params().max_level(), ciphertext.level);
  }
  const Basis basis = context.q_basis(ciphertext.level);
  for (const Poly<Eval>& poly : ciphertext.polys) {
    if (poly.empty() || &poly.ring() != &context.ring() || poly.basis() != basis) {
      fail(ErrorCode::kMismatch, "decrypt: a polynomial does not have the primes of level {}",
           ciphertext.level);
    }
  }
  if (!(ciphertext.scale > 0.0) || !std::isfinite(ciphertext.scale)) {
    fail(ErrorCode::kMismatch, "decrypt: expected a positive scale, got {}", ciphertext.scale);
  }
}

constexpr std::size_t kBlockWords = 1024;  // of the flood's stream, at a time

// Adds independent uniform values in [-bound, bound].
void add_flood(std::span<double> values, double bound) {
  SeededStream random(secret_seed(), 0);
  std::array<std::uint64_t, kBlockWords> words;
  while (!values.empty()) {
    const std::size_t count = std::min(values.size(), kBlockWords);
    random.fill(std::span(words).first(count));
    for (std::size_t i = 0; i < count; ++i) {
      values[i] += static_cast<double>(static_cast<std::int64_t>(words[i])) * 0x1p-63 * bound;
    }
    values = values.subspan(count);
  }
  zeroize(words.data(), sizeof(words));
}

// The centred coefficients of c_0 + c_1 s (+ c_2 s^2): Horner in s, limb by limb.
SecureBuffer<double> coefficients(const SecretKey& secret, const Ciphertext& ciphertext) {
  check(secret, ciphertext);
  const Ring& ring = ciphertext.context->ring();
  const Kernels& kernels = ring.kernels();
  const auto& polys = ciphertext.polys;
  const Basis& basis = polys[0].basis();
  SecureBuffer<Word> words(basis.size() * ring.n());
  std::vector<Word*> limbs;
  for (std::size_t i = 0; i < basis.size(); ++i) {
    limbs.push_back(words.span().data() + i * ring.n());
  }
  parallel_for(basis.size(), [&](std::size_t i) {
    const LimbTables& tables = ring.tables(basis[i]);
    const Word* sum = polys.back().limb(i);
    for (std::size_t k = polys.size() - 1; k-- > 0;) {
      kernels.mul(limbs[i], sum, secret.limb(basis[i]), ring.n(), tables);
      kernels.add(limbs[i], limbs[i], polys[k].limb(i), ring.n(), tables);
      sum = limbs[i];
    }
    kernels.ntt_inverse(limbs[i], tables);
  });
  SecureBuffer<double> values(ring.n());
  centred_values(values.span().data(), limbs, ring, basis);
  return values;
}

// The slots of what stands in `values`, which it overwrites.
std::vector<double> to_slots(SecureBuffer<double>& values, const Ciphertext& ciphertext) {
  std::vector<double> slots(values.size());
  ciphertext.context->embedding().to_slots(slots, values.span().data(), 1.0 / ciphertext.scale);
  return slots;
}

}  // namespace

std::vector<double> decrypt_coefficients_raw(const SecretKey& secret,
                                             const Ciphertext& ciphertext) {
  const SecureBuffer<double> values = coefficients(secret, ciphertext);
  return {values.span().begin(), values.span().end()};
}

std::vector<double> decrypt_raw(const SecretKey& secret, const Ciphertext& ciphertext) {
  SecureBuffer<double> values = coefficients(secret, ciphertext);
  return to_slots(values, ciphertext);
}

SharedResult decrypt(const SecretKey& secret, const Ciphertext& ciphertext,
                     const DecryptOptions& options) {
  if (!(options.flood_bits >= 0.0 && options.flood_bits <= 60.0)) {
    fail(ErrorCode::kInvalidArgument, "flood_bits: expected 0 to 60, got {}", options.flood_bits);
  }
  SecureBuffer<double> values = coefficients(secret, ciphertext);
  const double slots_per_coefficient = std::sqrt(2.0 * static_cast<double>(values.size()));
  const double error_std =
      std::max(ciphertext.noise.error_std, options.error_at_least * ciphertext.scale);
  const double flood_std = error_std * std::exp2(options.flood_bits);
  add_flood(values.span(), std::sqrt(3.0) * flood_std / slots_per_coefficient);
  SharedResult result;
  result.slots = to_slots(values, ciphertext);
  result.step = std::exp2(std::ceil(std::log2(flood_std / ciphertext.scale)));
  for (double& x : result.slots) {
    x = std::nearbyint(x / result.step) * result.step;
  }
  return result;
}

}  // namespace ffconv
