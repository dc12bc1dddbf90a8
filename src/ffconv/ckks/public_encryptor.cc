#include "ffconv/ckks/public_encryptor.h"

#include <algorithm>
#include <array>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/base/secure.h"
#include "ffconv/ring/modulus.h"
#include "ffconv/ring/samplers.h"

namespace ffconv {

Poly<Eval> expand_ciphertext_seed(const Context& context, const Seed& seed, int level) {
  return sample_uniform_vartime(context.ring(), context.q_basis(level), seed, 0);
}

namespace {

// What is drawn for one encryption, and what depends on it.
struct Samples {
  SecureBuffer<std::int8_t> v;
  std::array<SecureBuffer<std::int8_t>, 2> errors;

  explicit Samples(const Ring& ring)
      : v(ring.n()),
        errors{SecureBuffer<std::int8_t>(ring.n()), SecureBuffer<std::int8_t>(ring.n())} {
    SeededStream random(secret_seed(), 0);
    sample_ternary(v.span(), random);
    for (SecureBuffer<std::int8_t>& error : errors) {
      sample_gaussian(error.span(), random, ring.kernels());
    }
  }
};

// dst = v modulo the prime, evaluation form.
void transform_small(Word* dst, const SecureBuffer<std::int8_t>& small, const Ring& ring,
                     std::size_t prime) {
  ring.kernels().import_small(dst, small.span().data(), ring.n(), ring.tables(prime));
  ring.kernels().ntt_forward(dst, ring.tables(prime));
}

// Encryption limb by limb. With x = v b + e over the primes q and p, the result is (x - [x]_p) / p,
// [x]_p centred: modulo p x is needed in coefficient form, where e is added as it is; modulo q, e
// and [x]_p share one transform.
class Encryption {
 public:
  Encryption(const Context& context, const PublicKey& key)
      : ring_(context.ring()),
        key_(key),
        divides_(context.params().has_keys(key.level)),
        samples_(ring_),
        remainders_(2 * ring_.n()) {
    if (divides_) {
      make_remainders();
    }
  }

  // c0 and c1 modulo the prime, of which the key has limb `key_limb`.
  void write_limbs(Word* c0, Word* c1, std::size_t prime, std::size_t key_limb) {
    const Kernels& kernels = ring_.kernels();
    const std::size_t n = ring_.n();
    const LimbTables& tables = ring_.tables(prime);
    WipedBuffer<Word> v(n), remainder(n);
    transform_small(v.data(), samples_.v, ring_, prime);
    for (std::size_t half = 0; half < 2; ++half) {
      Word* c = half == 0 ? c0 : c1;
      kernels.import_small(c, samples_.errors[half].span().data(), n, tables);
      if (divides_) {
        const Word* digit = remainders_.data() + half * n;
        const Constant one = ring_.constant(1, prime);
        kernels.extend(remainder.data(), &digit, &one, 1, nullptr, Constant{}, n, tables);
        kernels.sub(c, c, remainder.data(), n, tables);
      }
      kernels.ntt_forward(c, tables);
      kernels.add_product(c, v.data(), key_half(half).limb(key_limb), n, tables);
      if (divides_) {
        const std::uint64_t q = ring_.prime(prime);
        const Constant inverse = ring_.constant(inverse_mod(special_modulus() % q, q), prime);
        kernels.mul_constant(c, c, inverse, n, tables);
      }
    }
  }

 private:
  const Poly<Eval>& key_half(std::size_t half) const { return half == 0 ? key_.b : key_.a; }
  std::size_t special_prime() const { return key_.b.basis().back(); }
  std::uint64_t special_modulus() const { return ring_.prime(special_prime()); }

  // The digits of x modulo p, of both halves.
  void make_remainders() {
    const Kernels& kernels = ring_.kernels();
    const std::size_t n = ring_.n(), prime = special_prime(), limb = key_.b.limb_count() - 1;
    const LimbTables& tables = ring_.tables(prime);
    WipedBuffer<Word> v(n), error(n);
    transform_small(v.data(), samples_.v, ring_, prime);
    for (std::size_t half = 0; half < 2; ++half) {
      Word* x = remainders_.data() + half * n;
      kernels.mul(x, v.data(), key_half(half).limb(limb), n, tables);
      kernels.ntt_inverse(x, tables);
      kernels.import_small(error.data(), samples_.errors[half].span().data(), n, tables);
      kernels.add(x, x, error.data(), n, tables);
      kernels.make_digit(x, x, ring_.constant(1, prime), n, tables);
    }
  }

  const Ring& ring_;
  const PublicKey& key_;
  const bool divides_;  // by the key's special prime
  Samples samples_;
  WipedBuffer<Word> remainders_;
};

}  // namespace

Ciphertext encrypt(const ContextPtr& context, const PublicKey& key, const Plaintext& plaintext) {
  if (plaintext.extended || &plaintext.poly.ring() != &context->ring() ||
      !contains(context->q_basis(key.level), context->q_basis(plaintext.level))) {
    fail(ErrorCode::kMismatch,
         "encrypt: expected a plaintext of the key's parameters at level {} or at one whose primes "
         "that level has, got level {}",
         key.level, plaintext.level);
  }
  const Ring& ring = context->ring();
  const Basis& basis = plaintext.poly.basis();
  const Basis& key_basis = key.b.basis();
  Ciphertext result;
  result.context = context;
  result.level = plaintext.level;
  result.scale = plaintext.scale;
  result.polys.emplace_back(ring, basis);
  result.polys.emplace_back(ring, basis);
  Encryption encryption(*context, key);
  parallel_for(basis.size(), [&](std::size_t i) {
    const auto found = std::ranges::find(key_basis, basis[i]);
    FFCONV_ASSERT(found != key_basis.end());
    Word* c0 = result.polys[0].limb(i);
    encryption.write_limbs(c0, result.polys[1].limb(i), basis[i],
                           static_cast<std::size_t>(found - key_basis.begin()));
    ring.kernels().add(c0, c0, plaintext.poly.limb(i), ring.n(), ring.tables(basis[i]));
  });
  result.noise = {public_key_encryption_noise(context->params(), key.level),
                  plaintext.max_abs * plaintext.scale};
  return result;
}

}  // namespace ffconv
