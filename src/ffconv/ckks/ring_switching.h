// Ciphertexts from a ring to its subring of half the degree, and back (docs/ckks-conventions.md,
// "Rings in each other").
//
// X -> X^2 embeds the ring of degree N / 2 into that of degree N: its elements are the polynomials
// with even coefficients only, those whose slots j and j + N / 2 are equal. Both rings must have
// the same primes (ParamsSpec::prime_log_n, halved()). A ciphertext under a secret of the large
// ring is switched to the small ring's secret, embedded, and then loses its odd coefficients: the
// projection to the subring commutes with multiplication by that secret. The same idea with other
// rings: Gentry, Halevi, Peikert, Smart, ePrint 2012/240.
//
// Levels are matched by their primes, in limb order. Results carry exact scales and noise
// estimates. descend and ascend throw kMismatch where ciphertext, key, tiers or levels do not
// belong together, kMissingKey where the key does not serve the level, and what subring_level
// throws.
#pragma once

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"

namespace ffconv {

// The small ring's level with the primes of level `level` of the large one, for a key from `from`
// to `to`. Throws kInvalidArgument where the large ring's level carries no keys; kMismatch where no
// ring is the subring of half the degree of the other with the same security, or the small one has
// no such level, when descending with the same special primes; kInsecure where a descending key,
// which hides a secret of N / 2 coefficients, is beyond the small ring's row of the table.
int subring_level(const Params& from, const Params& to, int level);

// Two polynomials over key.from. Slot j of the result, j < N / 2, is the average of slots j and
// j + N / 2 of the message: the message itself where it has period N / 2. The scale stays; read at
// half of it, the same ciphertext holds the sums.
Ciphertext descend(const Ciphertext& a, const RingSwitchingKey& key);

// Two polynomials over key.from; slots j and j + N / 2 of the result are slot j of the message.
Ciphertext ascend(const Ciphertext& a, const RingSwitchingKey& key);

}  // namespace ffconv
