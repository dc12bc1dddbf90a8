// Key generation, on the data owner's side.
#pragma once

#include "ffconv/ckks/keys.h"
#include "ffconv/ckks/secret/secret_key.h"

namespace ffconv {

class KeyGenerator {
 public:
  // `secret` must outlive the generator.
  explicit KeyGenerator(const SecretKey& secret) : secret_(&secret) {}

  // level in [0, max_level].
  PublicKey public_key(int level) const;
  // A level with special primes; throws kInvalidArgument otherwise.
  SwitchingKey relinearization_key(int level) const;
  // step in [1, N).
  RotationKey rotation_key(int step, int level) const;

 private:
  // The key from `target` to `source`: b_j + a_j source = e_j + g_j target, as extended
  // polynomials (keys.h); limbs by prime number.
  SwitchingKey switching_key(const SecureBuffer<Word>& target, const SecureBuffer<Word>& source,
                             int level) const;
  // Limbs of every prime, made from the secret's by f(dst, secret limb, prime).
  template <typename F>
  SecureBuffer<Word> derived(const F& f) const;

  const SecretKey* secret_;
};

}  // namespace ffconv
