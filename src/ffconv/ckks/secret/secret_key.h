// The secret key: a uniform ternary polynomial. Only the data owner's side links this file.
//
// Move-only, in locked memory, wiped on destruction; has no printing, no copying and no implicit
// serialization (wire/secret_key_file.h writes it, with mode 0600).
#pragma once

#include <cstdint>
#include <span>

#include "ffconv/base/secure.h"
#include "ffconv/ckks/context.h"

namespace ffconv {

class SecretKey {
 public:
  // A fresh key from the operating system's randomness.
  static SecretKey generate(ContextPtr context);
  // The key with these coefficients, each -1, 0 or 1; throws kFormat otherwise.
  static SecretKey from_coefficients(ContextPtr context, std::span<const std::int8_t> coefficients);

  SecretKey(SecretKey&&) = default;
  SecretKey& operator=(SecretKey&&) = default;

  const ContextPtr& context() const { return context_; }
  std::span<const std::int8_t> coefficients() const { return coefficients_.span(); }
  // Limb of prime number `prime` of the ring, evaluation form.
  const Word* limb(std::size_t prime) const { return limbs_.span().data() + prime * context_->n(); }

 private:
  SecretKey(ContextPtr context, SecureBuffer<std::int8_t> coefficients);

  ContextPtr context_;
  SecureBuffer<std::int8_t> coefficients_;
  SecureBuffer<Word> limbs_;  // every prime of the ring
};

}  // namespace ffconv
