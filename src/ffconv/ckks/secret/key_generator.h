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
  // From this secret to `to`, one over the subring of half the degree of the other's ring; a level
  // of the larger ring. Throws what subring_level throws (ring_switching.h).
  RingSwitchingKey ring_switching_key(const SecretKey& to, int level) const;

 private:
  // Limbs of every prime, made from the secret's by f(dst, secret limb, prime).
  template <typename F>
  SecureBuffer<Word> derived(const F& f) const;

  const SecretKey* secret_;
};

}  // namespace ffconv
