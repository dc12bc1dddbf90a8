#include "ffconv/ckks/public_encryptor.h"

#include "ffconv/base/error.h"
#include "ffconv/base/secure.h"
#include "ffconv/ring/samplers.h"

namespace ffconv {

Poly<Eval> expand_ciphertext_seed(const Context& context, const Seed& seed, int level) {
  return sample_uniform_vartime(context.ring(), context.q_basis(level), seed, 0);
}

Ciphertext encrypt(const ContextPtr& context, const PublicKey& key, const Plaintext& plaintext) {
  if (plaintext.extended || &plaintext.poly.ring() != &context->ring() ||
      !contains(context->q_basis(key.level), context->q_basis(plaintext.level))) {
    fail(ErrorCode::kMismatch,
         "encrypt: expected a plaintext of the key's parameters at level {} or at one whose primes "
         "that level has, got level {}",
         key.level, plaintext.level);
  }
  const Ring& ring = context->ring();
  SecureBuffer<std::int64_t> sample(ring.n());
  SeededStream random(random_seed(), 0);
  sample_ternary(sample.span(), random);
  const Poly<Eval> v = to_eval(from_signed(ring, key.b.basis(), sample.span()));

  Ciphertext result;
  result.context = context;
  result.level = plaintext.level;
  result.scale = plaintext.scale;
  for (const Poly<Eval>* half : {&key.b, &key.a}) {
    sample_gaussian(sample.span(), random);
    Poly<Eval> c = to_eval(from_signed(ring, key.b.basis(), sample.span()));
    Poly<Eval> product(ring, half->basis());
    mul_into(product, *half, v);
    add_inplace(c, product);
    if (key.extended) {
      c = context->mod_down(key.level)(c);
    }
    result.polys.push_back(restrict_basis(c, plaintext.poly.basis()));
  }
  add_inplace(result.polys[0], plaintext.poly);
  result.noise = {public_key_encryption_noise(context->params(), key.level),
                  plaintext.max_abs * plaintext.scale};
  return result;
}

}  // namespace ffconv
