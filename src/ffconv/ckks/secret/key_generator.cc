#include "ffconv/ckks/secret/key_generator.h"

#include <algorithm>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
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

// b = e - a * source, limb by limb.
Poly<Eval> rlwe_sample(const Ring& ring, const Poly<Eval>& a, const Word* source) {
  Poly<Eval> b = sample_error(ring, a.basis());
  parallel_for(a.limb_count(), [&](std::size_t i) {
    ring.kernels().sub_product(b.limb(i), a.limb(i), source + a.basis()[i] * ring.n(), ring.n(),
                               a.tables(i));
  });
  return b;
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
  key.extended = level <= context.params().max_key_level();
  expand(key, context);
  key.b = rlwe_sample(context.ring(), key.a, secret_->limb(0));
  return key;
}

SwitchingKey KeyGenerator::relinearization_key(int level) const {
  const Ring& ring = secret_->context()->ring();
  const auto copy = [&](Word* dst, const Word* s, std::size_t) { std::copy_n(s, ring.n(), dst); };
  const auto square = [&](Word* dst, const Word* s, std::size_t prime) {
    ring.kernels().mul(dst, s, s, ring.n(), ring.tables(prime));
  };
  return switching_key(derived(square), derived(copy), level);
}

RotationKey KeyGenerator::rotation_key(int step, int level) const {
  const Ring& ring = secret_->context()->ring();
  if (step < 1 || static_cast<std::size_t>(step) >= ring.n()) {
    fail(ErrorCode::kInvalidArgument, "rotation key: expected a step of 1 to {}, got {}",
         ring.n() - 1, step);
  }
  const WordPermutation back = ring.rotation(ring.n() - static_cast<std::size_t>(step));
  const auto copy = [&](Word* dst, const Word* s, std::size_t) { std::copy_n(s, ring.n(), dst); };
  const auto rotate_back = [&](Word* dst, const Word* s, std::size_t) {
    ring.kernels().permute(dst, s, back, ring.n());
  };
  return {switching_key(derived(copy), derived(rotate_back), level),
          ring.rotation(static_cast<std::size_t>(step))};
}

SwitchingKey KeyGenerator::switching_key(const SecureBuffer<Word>& target,
                                         const SecureBuffer<Word>& source, int level) const {
  const Context& context = *secret_->context();
  const Params& params = context.params();
  const Ring& ring = context.ring();
  if (level < 0 || level > params.max_key_level()) {
    fail(ErrorCode::kInvalidArgument,
         "evaluation key: expected a level of 0 to {} (the highest that the security table allows "
         "with these special primes), got {}",
         params.max_key_level(), level);
  }
  SwitchingKey key;
  key.seed = random_seed();
  key.level = level;
  expand(key, context);
  for (int digit = 0; digit < params.digit_count(level); ++digit) {
    Poly<Eval> b = rlwe_sample(ring, key.a[static_cast<std::size_t>(digit)], source.span().data());
    const int first = digit * params.digit_primes();
    const int last = std::min(first + params.digit_primes() - 1, level);
    for (int i = first; i <= last; ++i) {
      const auto limb = static_cast<std::size_t>(i);
      ring.kernels().mul_constant_add(b.limb(limb), target.span().data() + limb * ring.n(),
                                      ring.constant(context.p_residues()[limb], limb), ring.n(),
                                      ring.tables(limb));
    }
    key.b.push_back(std::move(b));
  }
  return key;
}

}  // namespace ffconv
