#include "ffconv/ckks/public_encryptor.h"

#include "ffconv/base/error.h"
#include "ffconv/base/secure.h"
#include "ffconv/ring/samplers.h"

namespace ffconv {

Poly<Eval> expand_ciphertext_seed(const Context& context, const Seed& seed, int level) {
  return sample_uniform_vartime(context.ring(), context.q_basis(level), seed, 0);
}

Ciphertext encrypt(const ContextPtr& context, const PublicKey& key, const Plaintext& plaintext) {
  if (plaintext.extended || plaintext.level > key.level ||
      &plaintext.poly.ring() != &context->ring()) {
    fail(ErrorCode::kMismatch,
         "encrypt: expected a plaintext of the key's parameters at level {} or below, got level {}",
         key.level, plaintext.level);
  }
  const Ring& ring = context->ring();
  SecureBuffer<std::int8_t> sample(ring.n());
  SeededStream random(random_seed(), 0);
  sample_ternary(sample.span(), random);
  const Poly<Eval> v = to_eval(from_small(ring, key.b.basis(), sample.span()));

  Ciphertext result;
  result.context = context;
  result.level = plaintext.level;
  result.scale = plaintext.scale;
  for (const Poly<Eval>* half : {&key.b, &key.a}) {
    sample_gaussian(sample.span(), random, ring.kernels());
    Poly<Eval> c = to_eval(from_small(ring, key.b.basis(), sample.span()));
    Poly<Eval> product(ring, half->basis());
    mul_into(product, *half, v);
    add_inplace(c, product);
    if (key.extended) {
      c = context->mod_down(key.level)(c);
    }
    c.keep_limbs(static_cast<std::size_t>(plaintext.level) + 1);
    result.polys.push_back(std::move(c));
  }
  add_inplace(result.polys[0], plaintext.poly);
  result.noise = {public_key_encryption_noise(context->params(), key.extended),
                  plaintext.max_abs * plaintext.scale};
  return result;
}

}  // namespace ffconv
