// Encryption with the public key, by anybody.
#pragma once

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"

namespace ffconv {

// (v b + e_0 + message, v a + e_1) with ternary v, over the primes of the plaintext's level, which
// is at most the key's. Throws kMismatch otherwise.
Ciphertext encrypt(const ContextPtr& context, const PublicKey& key, const Plaintext& plaintext);

// c_1 of a seeded ciphertext from its seed.
Poly<Eval> expand_ciphertext_seed(const Context& context, const Seed& seed, int level);

}  // namespace ffconv
