#include "ffconv/ckks/secret/secret_key.h"

#include <utility>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/base/secret_marks.h"
#include "ffconv/ring/samplers.h"

namespace ffconv {

SecretKey::SecretKey(ContextPtr context, SecureBuffer<std::int8_t> coefficients)
    : context_(std::move(context)),
      coefficients_(std::move(coefficients)),
      limbs_(context_->ring().prime_count() * context_->n()) {
  const Ring& ring = context_->ring();
  parallel_for(ring.prime_count(), [&](std::size_t prime) {
    Word* limb = limbs_.span().data() + prime * ring.n();
    ring.kernels().import_small(limb, coefficients_.span().data(), ring.n(), ring.tables(prime));
    ring.kernels().ntt_forward(limb, ring.tables(prime));
  });
}

SecretKey SecretKey::generate(ContextPtr context) {
  SecureBuffer<std::int8_t> coefficients(context->n());
  SeededStream random(secret_seed(), 0);
  sample_ternary(coefficients.span(), random);
  return {std::move(context), std::move(coefficients)};
}

SecretKey SecretKey::from_coefficients(ContextPtr context,
                                       std::span<const std::int8_t> coefficients) {
  const std::size_t n = context->n();
  if (coefficients.size() != n) {
    fail(ErrorCode::kFormat, "secret key: expected {} coefficients, got {}", n,
         coefficients.size());
  }
  SecureBuffer<std::int8_t> copy(n);
  unsigned out_of_range = 0;
  for (std::size_t i = 0; i < n; ++i) {
    copy[i] = coefficients[i];
    out_of_range |= static_cast<unsigned>(coefficients[i] + 1) / 3u;
  }
  mark_public(&out_of_range, sizeof(out_of_range));
  if (out_of_range != 0) {
    fail(ErrorCode::kFormat, "secret key: expected coefficients -1, 0 and 1 only");
  }
  return {std::move(context), std::move(copy)};
}

}  // namespace ffconv
