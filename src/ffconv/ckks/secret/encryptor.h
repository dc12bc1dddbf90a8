// Encryption with the secret key: fresh ciphertexts are seeded, half the size on the wire.
#pragma once

#include <span>

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/secret/secret_key.h"

namespace ffconv {

// c_1 uniform from a fresh seed, c_0 = message + e - c_1 s. The plaintext is not extended and
// belongs to the key's parameters; throws kMismatch otherwise.
Ciphertext encrypt(const SecretKey& secret, const Plaintext& plaintext);

}  // namespace ffconv
