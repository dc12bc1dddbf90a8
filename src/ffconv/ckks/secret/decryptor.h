// Decryption, on the data owner's side.
//
// A decrypted CKKS value carries the encryption's error, and whoever sees enough exact results
// learns the secret key (Li and Micciancio, ePrint 2020/1533). decrypt() is therefore made for
// values that will be shared: it floods the error and rounds what remains to the precision that is
// meaningful. decrypt_raw() returns the exact result and is for the data owner's eyes only.
#pragma once

#include <vector>

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/secret/secret_key.h"

namespace ffconv {

struct DecryptOptions {
  // Uniform noise of 2^flood_bits times the ciphertext's estimated error is added to every
  // coefficient. More bits hide the error better and cost as many bits of precision. In [0, 60].
  double flood_bits = 4.0;
  // The error assumed is at least this, in units of the decrypted values: what the data owner knows
  // of the program, since a ciphertext from a server may declare any estimate.
  double error_at_least = 0.0;
};

// The N slots, each rounded to a multiple of `step`, a power of two of the size of the noise.
struct SharedResult {
  std::vector<double> slots;
  double step;
};
// All three throw kMismatch where the ciphertext belongs to other parameters or another tier, or
// its level, polynomials and scale do not fit together. They run in time that does not depend on
// key or message, and leave no copy of intermediate values. What comes from a file has been checked
// against its checksum before (wire/ciphertexts_file.h).
SharedResult decrypt(const SecretKey& secret, const Ciphertext& ciphertext,
                     const DecryptOptions& options = {});

// The N slots with their error: never to be shown to anybody but the key's owner.
std::vector<double> decrypt_raw(const SecretKey& secret, const Ciphertext& ciphertext);

// The centred coefficients of c_0 + c_1 s (+ c_2 s^2), as decrypt_raw: for tests and for measuring
// noise.
std::vector<double> decrypt_coefficients_raw(const SecretKey& secret, const Ciphertext& ciphertext);

}  // namespace ffconv
