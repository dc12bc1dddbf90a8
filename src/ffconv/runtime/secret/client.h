// The data owner's side of an encrypted inference: makes keys, encrypts an image, decrypts its
// scores.
//
//   const runtime::Client client(wire::load_client_bundle("digits.client"));
//   const SecretKey secret = client.generate_secret();
//   wire::save("eval.keys", client.generate_evaluation_keys(secret), client.context(),
//              client.bundle().fingerprint);
//   wire::save("in.ct", client.encrypt(secret, pixels), client.bundle().fingerprint);
//   ... the server answers with out.ct ...
//   const auto result =
//       wire::load_ciphertexts("out.ct", client.context(), client.bundle().fingerprint);
//   const runtime::Prediction prediction = client.decrypt(secret, result);
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "ffconv/base/progress.h"
#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/ckks/secret/secret_key.h"
#include "ffconv/runtime/bundle.h"

namespace ffconv::runtime {

struct Prediction {
  std::vector<double> scores;  // one per class
  double step = 0.0;           // the scores are multiples of it; 0: exact results, not to be shared
  std::size_t class_index = 0;  // of the largest exact score
  std::string class_name;
};

class Client {
 public:
  explicit Client(ClientBundle bundle);

  const ClientBundle& bundle() const { return bundle_; }
  // Keys and ciphertexts must be read with this context.
  const ContextPtr& context() const { return context_; }

  SecretKey generate_secret() const { return SecretKey::generate(context_); }
  // Exactly the keys that the bundle asks for, each at its level.
  EvaluationKeys generate_evaluation_keys(const SecretKey& secret,
                                          const Progress& progress = {}) const;

  // One image, flattened c, h, w: seeded ciphertexts, one per input of the bundle. Throws kMismatch
  // for a wrong number of values, kInvalidArgument for a value beyond the bound for which the
  // network was compiled or not finite.
  std::vector<Ciphertext> encrypt(const SecretKey& secret, std::span<const double> image) const;

  // How many images one set of ciphertexts may hold: as many as slots where every value has a
  // ciphertext of its own (packing batch), else 1.
  std::size_t images_at_once() const;
  // Several images, image i in slot i of every ciphertext. Throws as encrypt(), and
  // kInvalidArgument for none or more than images_at_once().
  std::vector<Ciphertext> encrypt_batch(const SecretKey& secret,
                                        std::span<const std::vector<double>> images) const;

  // What the server answered. All throw kMismatch where the ciphertexts are not what the
  // bundle announces: number, level, scale, parameters.
  //
  // The default: scores that may be shared, flooded and rounded (ckks/secret/decryptor.h), and the
  // class of the exact scores, which flooding must not change. The
  // error assumed is what the bundle predicts, and never less than that of a fresh encryption,
  // whatever a bundle or `options` claim.
  Prediction decrypt(const SecretKey& secret, std::span<const Ciphertext> result,
                     const DecryptOptions& options = {}) const;
  // The class alone, from the exact scores: says least.
  std::size_t decrypt_class(const SecretKey& secret, std::span<const Ciphertext> result) const;
  // The exact scores: never to be shown to anybody but the key's owner.
  Prediction decrypt_raw(const SecretKey& secret, std::span<const Ciphertext> result) const;
  // As decrypt() and decrypt_raw(), for the first `images` of a batch, at most images_at_once().
  std::vector<Prediction> decrypt_batch(const SecretKey& secret, std::span<const Ciphertext> result,
                                        std::size_t images,
                                        const DecryptOptions& options = {}) const;
  std::vector<Prediction> decrypt_batch_raw(const SecretKey& secret,
                                            std::span<const Ciphertext> result,
                                            std::size_t images) const;

 private:
  // The slots of every output, one vector each, and the step of shared ones.
  struct Slots {
    std::vector<std::vector<double>> outputs;
    double step = 0.0;
  };
  Slots shared_slots(const SecretKey& secret, std::span<const Ciphertext> result,
                     const DecryptOptions& options) const;
  Slots exact_slots(const SecretKey& secret, std::span<const Ciphertext> result) const;
  void check_batch(std::size_t images) const;
  std::vector<Ciphertext> checked(std::span<const Ciphertext> result) const;
  Prediction prediction(const Slots& slots) const;
  std::vector<Prediction> predictions(const Slots& slots, std::size_t images) const;
  void set_class(Prediction& prediction, std::size_t index) const;

  ClientBundle bundle_;
  ContextPtr context_;
};

}  // namespace ffconv::runtime
