// Encryption with the public key, by anybody.
#pragma once

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"

namespace ffconv {

// (v b + e_0, v a + e_1) / p + (message, 0) with ternary v, p the key's special prime (or 1), over
// the primes of the plaintext's level, which are among the key's. Throws kMismatch otherwise.
Ciphertext encrypt(const ContextPtr& context, const PublicKey& key, const Plaintext& plaintext);

// c_1 of a seeded ciphertext from its seed.
Poly<Eval> expand_ciphertext_seed(const Context& context, const Seed& seed, int level);

}  // namespace ffconv
