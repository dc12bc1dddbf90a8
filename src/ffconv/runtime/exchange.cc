#include "ffconv/runtime/exchange.h"

#include <cmath>

#include "ffconv/base/error.h"

namespace ffconv::runtime {

void check_exchanged(std::span<const Ciphertext> ciphertexts,
                     std::span<const ExchangedValue> expected, const Context& context,
                     std::string_view kind) {
  if (ciphertexts.size() != expected.size()) {
    fail(ErrorCode::kMismatch, "{}: expected {} ciphertexts, got {}", kind, expected.size(),
         ciphertexts.size());
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Ciphertext& got = ciphertexts[i];
    if (!got.context || got.context->params().fingerprint() != context.params().fingerprint()) {
      fail(ErrorCode::kMismatch, "{} {}: a ciphertext of other parameters than the bundle's", kind,
           i);
    }
    if (got.polys.size() != 2) {
      fail(ErrorCode::kMismatch, "{} {}: expected 2 polynomials, got {}", kind, i,
           got.polys.size());
    }
    if (got.level != expected[i].level) {
      fail(ErrorCode::kMismatch, "{} {}: expected level {}, got {}", kind, i, expected[i].level,
           got.level);
    }
    if (!(std::abs(got.scale - expected[i].scale) <= 0x1p-40 * expected[i].scale)) {
      fail(ErrorCode::kMismatch, "{} {}: expected scale 2^{:.12f}, got 2^{:.12f}", kind, i,
           std::log2(expected[i].scale), std::log2(got.scale));
    }
  }
}

}  // namespace ffconv::runtime
