// Computes on two encrypted vectors: (x + y) * y, rotated by one place.
//
// A ciphertext holds N real numbers in its slots; every operation works on all of them at once.
// Whoever computes needs the evaluation keys only; encrypting and decrypting takes the secret key.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/evaluator.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ffconv/ckks/secret/key_generator.h"

int main() {
  using namespace ffconv;

  // One multiplication deep, numbers with about 40 bits: the smallest ring that is secure with
  // that.
  const Params params = Params::from_depth(1, 40, 46);
  const ContextPtr context = Context::make(params);
  const int top = params.max_level();
  std::printf("N = 2^%d slots, %.0f of at most %.0f bits of modulus for 128-bit security\n",
              params.log_n(), params.log_qp(), max_log_qp(params.log_n()));

  // The data owner's keys. The secret key stays; relinearization and rotation keys are for others.
  const SecretKey secret = SecretKey::generate(context);
  const KeyGenerator generator(secret);
  EvaluationKeys keys;
  keys.relinearization.emplace(top, generator.relinearization_key(top));
  keys.rotations.emplace(std::pair(1, top - 1), generator.rotation_key(1, top - 1));

  std::vector<double> x(params.slot_count()), y(params.slot_count());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::sin(static_cast<double>(i));
    y[i] = std::cos(static_cast<double>(3 * i));
  }
  // The scale says how many bits of a number are kept: real numbers become integers of that size.
  const double scale = std::exp2(40);
  const Ciphertext encrypted_x = encrypt(secret, encode(*context, x, scale, top));
  const Ciphertext encrypted_y = encrypt(secret, encode(*context, y, scale, top));

  // From here on no secret is needed. A product has the product of the scales and three
  // polynomials: relinearizing makes them two again, rescaling brings the scale back and uses up
  // one level.
  const Ciphertext sum = add(encrypted_x, encrypted_y);
  const Ciphertext product = rescale(relinearize(multiply(sum, encrypted_y), keys));
  const Ciphertext result = rotate(product, 1, keys);

  // decrypt_raw() gives the exact result, error included: for the owner's eyes only. What will be
  // shared is decrypted by decrypt(), which hides the error, since the error tells about the secret
  // key.
  const std::vector<double> exact = decrypt_raw(secret, result);
  const SharedResult shared = decrypt(secret, result);
  double largest_error = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t next = (i + 1) % x.size();  // rotation by 1 brings slot i + 1 to slot i
    const double expected = (x[next] + y[next]) * y[next];
    largest_error = std::max(largest_error, std::abs(exact[i] - expected));
    if (i < 3) {
      std::printf("slot %zu: expected %+.9f, decrypted %+.9f, to share %+.9f\n", i, expected,
                  exact[i], shared.slots[i]);
    }
  }
  std::printf("largest error over %zu slots: 2^%.1f; predicted standard deviation: 2^%.1f\n",
              x.size(), std::log2(largest_error), result.noise.error_bits(result.scale));
  return largest_error < std::exp2(-20) ? 0 : 1;
}
