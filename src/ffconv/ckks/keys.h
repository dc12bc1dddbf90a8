// Public key and evaluation keys: everything that may leave the data owner.
//
// Seeded: the uniform half of each key is expanded from a 32-byte seed (ring/samplers.h), so only
// the other half is stored and sent.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "ffconv/base/random.h"
#include "ffconv/ckks/context.h"
#include "ffconv/ring/poly.h"

namespace ffconv {

// b + a s = e over Q of `level` and the first special prime, or over Q alone where the level
// carries no key. One special prime is enough: dividing by it makes the error of an encryption
// vanish in the rounding.
struct PublicKey {
  Seed seed;  // a = sample_uniform_vartime(seed, stream 0)
  int level = 0;
  Poly<Eval> b, a;
};

// The halves b_j and a_j of a switching key, one of each for every digit, as inner products stream
// them: limb by limb, canonical residues of 6 bytes, in turns the runs of b_0, a_0, b_1, a_1, ...
// (Kernels::packed_pair_products).
class KeyPairs {
 public:
  enum class Half : std::uint8_t { kB, kA };

  KeyPairs() = default;
  // Uninitialized.
  KeyPairs(const Ring& ring, Basis basis, int digits);

  const Ring& ring() const { return *ring_; }
  std::size_t digit_count() const { return digits_; }
  void set(std::size_t digit, Half half, const Poly<Eval>& x);
  Poly<Eval> get(std::size_t digit, Half half) const;

  // Limb i from word `begin` on, a multiple of kPackedRun.
  const std::uint8_t* at(std::size_t i, std::size_t begin) const {
    return bytes_.data() + (i * ring_->n() + begin) / kPackedRun * stride();
  }
  std::size_t stride() const { return 2 * digits_ * kRunBytes; }

 private:
  static std::size_t offset(std::size_t digit, Half half) {
    return (2 * digit + static_cast<std::size_t>(half)) * kRunBytes;
  }

  const Ring* ring_ = nullptr;
  Basis basis_;
  std::size_t digits_ = 0;
  AlignedBuffer<std::uint8_t> bytes_;
};

// From a polynomial under t to one under s: for digit j with gadget factor g_j = P (Q/D_j)
// [(Q/D_j)^-1 mod D_j], that is P modulo the digit's primes and 0 modulo the others, b_j + a_j s =
// e_j + g_j t over QP of `level`; b_j and a_j are stored as extended polynomials (key_switching.h),
// that is times 1 / P modulo the primes of Q. Serves the levels of Params::serves.
struct SwitchingKey {
  Seed seed;  // a_j = sample_uniform_vartime(seed, stream j)
  int level = 0;
  KeyPairs pairs;
};

// Rotation by `step`: b_j + a_j s' = e_j + g_j s with s' = s rotated back by step, so that the
// permutation of the slots comes last (it turns s' into s).
struct RotationKey {
  SwitchingKey key;
  WordPermutation permutation;
};

// From a secret over `from` to one over `to`, two rings of which one is the subring of half the
// degree of the other (ring_switching.h). `key` belongs to the larger ring and a level of it; the
// smaller ring's secret counts there as the element of the subring that it is.
struct RingSwitchingKey {
  ContextPtr from, to;
  SwitchingKey key;

  bool descends() const { return from->n() > to->n(); }
  const Context& large() const { return descends() ? *from : *to; }
  const Context& small() const { return descends() ? *to : *from; }
};

struct EvaluationKeys {
  std::map<int, SwitchingKey> relinearization;           // from s^2 to s; by level
  std::map<std::pair<int, int>, RotationKey> rotations;  // by step in [1, N) and level

  // Throws kMissingKey, naming step and level, where there is none that serves this level;
  // the one made at the lowest such level is taken.
  const RotationKey& rotation(int step, int level, const Params& params) const;
  const SwitchingKey& relinearization_for(int level, const Params& params) const;
};

// The uniform half from the seed.
void expand(PublicKey& key, const Context& context);
// Half a_j of a switching key over QP of a level, from its seed.
Poly<Eval> expand(const Seed& seed, int level, std::size_t digit, const Context& context);

}  // namespace ffconv
