// Plaintexts and ciphertexts: polynomials with a level, an exact scale and a noise estimate.
#pragma once

#include <optional>

#include "ffconv/base/random.h"
#include "ffconv/ckks/context.h"
#include "ffconv/ckks/noise.h"
#include "ffconv/ring/poly.h"

namespace ffconv {

// round(scale * embedding^-1(slots)) over the primes of a level, with the special primes where
// `extended` (for use inside a linear transform).
struct Plaintext {
  Poly<Eval> poly;
  int level = 0;
  bool extended = false;
  double scale = 0.0;
  double max_abs = 0.0;  // largest |slot|
};

// c_0 + c_1 s (+ c_2 s^2) = scale * message + error modulo Q_level.
struct Ciphertext {
  ContextPtr context;
  PoolVector<Poly<Eval>> polys;  // 2, or 3 before relinearization
  int level = 0;
  double scale = 0.0;
  Noise noise;
  // Fresh secret-key encryptions: c_1 is uniform from this seed and need not be stored.
  std::optional<Seed> seed;
};

}  // namespace ffconv
