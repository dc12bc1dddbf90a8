#include "ffconv/ckks/secret/encryptor.h"

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/base/secure.h"
#include "ffconv/ckks/public_encryptor.h"
#include "ffconv/ring/samplers.h"

namespace ffconv {

Ciphertext encrypt(const SecretKey& secret, const Plaintext& plaintext) {
  const Context& context = *secret.context();
  const Ring& ring = context.ring();
  if (plaintext.extended || &plaintext.poly.ring() != &ring) {
    fail(ErrorCode::kMismatch,
         "encrypt: expected a plaintext made for the secret key's parameters");
  }
  Ciphertext result;
  result.context = secret.context();
  result.level = plaintext.level;
  result.scale = plaintext.scale;
  result.seed = random_seed();
  SecureBuffer<std::int8_t> error(ring.n());
  SeededStream random(secret_seed(), 0);
  sample_gaussian(error.span(), random, ring.kernels());
  Poly<Eval> c0 = to_eval(from_small(ring, context.q_basis(plaintext.level), error.span()));
  Poly<Eval> c1 = expand_ciphertext_seed(context, *result.seed, plaintext.level);
  parallel_for(c0.limb_count(), [&](std::size_t i) {
    ring.kernels().sub_product(c0.limb(i), c1.limb(i), secret.limb(c1.basis()[i]), ring.n(),
                               c1.tables(i));
    ring.kernels().add(c0.limb(i), c0.limb(i), plaintext.poly.limb(i), ring.n(), c0.tables(i));
  });
  result.polys.push_back(std::move(c0));
  result.polys.push_back(std::move(c1));
  result.noise = {secret_key_encryption_noise(context.params()),
                  plaintext.max_abs * plaintext.scale};
  return result;
}

}  // namespace ffconv
