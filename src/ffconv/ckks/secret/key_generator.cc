#include "ffconv/ckks/secret/key_generator.h"

#include <algorithm>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/ring_switching.h"
#include "ffconv/ring/samplers.h"

namespace ffconv {
namespace {

// A fresh Gaussian error over the basis, evaluation form.
Poly<Eval> sample_error(const Ring& ring, const Basis& basis) {
  SecureBuffer<std::int8_t> error(ring.n());
  SeededStream random(secret_seed(), 0);
  sample_gaussian(error.span(), random, ring.kernels());
  return to_eval(from_small(ring, basis, error.span()));
}

// b -= a * source, limb by limb.
void subtract_product(Poly<Eval>& b, const Poly<Eval>& a, const Word* source) {
  const Ring& ring = a.ring();
  parallel_for(a.limb_count(), [&](std::size_t i) {
    ring.kernels().sub_product(b.limb(i), a.limb(i), source + a.basis()[i] * ring.n(), ring.n(),
                               a.tables(i));
  });
}

// The key from `target` to `source`: b_j + a_j source = e_j + g_j target, as extended polynomials
// (keys.h); limbs of every prime, by number.
SwitchingKey switching_key(const Context& context, const Word* target, const Word* source,
                           int level) {
  const Params& params = context.params();
  const Ring& ring = context.ring();
  if (!params.has_keys(level)) {
    fail(ErrorCode::kInvalidArgument,
         "evaluation key: expected a level of 0 to {} that has special primes, got {}",
         params.max_key_level(), level);
  }
  SwitchingKey key;
  key.seed = random_seed();
  key.level = level;
  key.pairs = KeyPairs(ring, context.qp_basis(level), params.digit_count(level));
  for (std::size_t digit = 0; digit < key.pairs.digit_count(); ++digit) {
    const Poly<Eval> a = expand(key.seed, level, digit, context);
    Poly<Eval> b = sample_error(ring, a.basis());
    const std::vector<std::uint64_t>& inverse_p = context.inverse_p(level);
    const auto size = static_cast<std::size_t>(params.level(level).digit_primes);
    parallel_for(inverse_p.size(), [&](std::size_t i) {
      const std::uint16_t prime = b.basis()[i];
      ring.kernels().mul_constant(b.limb(i), b.limb(i), ring.constant(inverse_p[i], prime),
                                  ring.n(), ring.tables(prime));
      if (i / size == digit) {
        ring.kernels().add(b.limb(i), b.limb(i), target + prime * ring.n(), ring.n(),
                           ring.tables(prime));
      }
    });
    subtract_product(b, a, source);
    key.pairs.set(digit, KeyPairs::Half::kB, b);
    key.pairs.set(digit, KeyPairs::Half::kA, a);
  }
  return key;
}

// The element of the subring that the secret is: its coefficients stand at X^(2i) + X^(-2i). Under
// this key no ciphertext is safe that the small ring's row of the table does not allow.
SecretKey embedded(const SecretKey& small, const ContextPtr& large) {
  SecureBuffer<std::int8_t> coefficients(large->n());
  std::ranges::fill(coefficients.span(), std::int8_t{0});
  for (std::size_t i = 0; i < small.coefficients().size(); ++i) {
    coefficients[2 * i] = small.coefficients()[i];
  }
  return SecretKey::from_coefficients(large, coefficients.span());
}

}  // namespace

template <typename F>
SecureBuffer<Word> KeyGenerator::derived(const F& f) const {
  const Ring& ring = secret_->context()->ring();
  SecureBuffer<Word> limbs(ring.prime_count() * ring.n());
  parallel_for(ring.prime_count(), [&](std::size_t prime) {
    f(limbs.span().data() + prime * ring.n(), secret_->limb(prime), prime);
  });
  return limbs;
}

PublicKey KeyGenerator::public_key(int level) const {
  const Context& context = *secret_->context();
  if (level < 0 || level > context.params().max_level()) {
    fail(ErrorCode::kInvalidArgument, "public key: expected a level of 0 to {}, got {}",
         context.params().max_level(), level);
  }
  PublicKey key;
  key.seed = random_seed();
  key.level = level;
  expand(key, context);
  key.b = sample_error(context.ring(), key.a.basis());
  subtract_product(key.b, key.a, secret_->limb(0));
  return key;
}

SwitchingKey KeyGenerator::relinearization_key(int level) const {
  const Ring& ring = secret_->context()->ring();
  const auto square = [&](Word* dst, const Word* s, std::size_t prime) {
    ring.kernels().mul(dst, s, s, ring.n(), ring.tables(prime));
  };
  return switching_key(*secret_->context(), derived(square).span().data(), secret_->limb(0), level);
}

RotationKey KeyGenerator::rotation_key(int step, int level) const {
  const Ring& ring = secret_->context()->ring();
  if (step < 1 || static_cast<std::size_t>(step) >= ring.n()) {
    fail(ErrorCode::kInvalidArgument, "rotation key: expected a step of 1 to {}, got {}",
         ring.n() - 1, step);
  }
  const WordPermutation back = ring.rotation(ring.n() - static_cast<std::size_t>(step));
  const auto rotate_back = [&](Word* dst, const Word* s, std::size_t) {
    ring.kernels().permute(dst, s, back.source.data(), ring.n());
  };
  return {switching_key(*secret_->context(), secret_->limb(0), derived(rotate_back).span().data(),
                        level),
          ring.rotation(static_cast<std::size_t>(step))};
}

RingSwitchingKey KeyGenerator::ring_switching_key(const SecretKey& to, int level) const {
  RingSwitchingKey key{secret_->context(), to.context(), {}};
  subring_level(key.from->params(), key.to->params(), level);
  if (key.descends()) {
    key.key = switching_key(*key.from, secret_->limb(0), embedded(to, key.from).limb(0), level);
  } else {
    key.key = switching_key(*key.to, embedded(*secret_, key.to).limb(0), to.limb(0), level);
  }
  return key;
}

}  // namespace ffconv
