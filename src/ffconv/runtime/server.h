// The server's side of an encrypted inference. It never holds a secret key: nothing that this
// library links can read or use one.
//
//   const auto bundle = wire::load_server_bundle("digits.server");
//   const runtime::Server server(bundle);                        // encodes the weights, once
//   const auto keys = wire::load_evaluation_keys("eval.keys", server.context(),
//   bundle.fingerprint); auto inputs = wire::load_ciphertexts("in.ct", server.context(),
//   bundle.fingerprint); wire::save("out.ct", server.infer(keys, std::move(inputs)),
//   bundle.fingerprint);
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "ffconv/backend/ckks.h"
#include "ffconv/base/progress.h"
#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"
#include "ffconv/plan/memory.h"
#include "ffconv/runtime/bundle.h"

namespace ffconv::runtime {

// One network, for any number of data owners. infer() may run from several threads at once.
class Server {
 public:
  // Encodes the program's weights, those of `small` as small polynomials (plan::fit_memory);
  // `progress` hears how many are done.
  explicit Server(ServerBundle bundle, const Progress& progress = {},
                  const plan::SmallWeights& small = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Without the weights: plan::forget_weights().
  const ServerBundle& bundle() const { return bundle_; }
  // Keys and ciphertexts must be read with this context.
  const ContextPtr& context() const { return encoded_.context(); }
  // Memory held by the encoded weights.
  std::size_t encoded_bytes() const { return encoded_.bytes(); }

  // Throws kMissingKey, naming the first key that the program needs and `keys` lacks or has at too
  // low a level only; kMismatch for keys of other parameters.
  void check_keys(const EvaluationKeys& keys) const;

  // Throws kMismatch where the number of ciphertexts, a level, a scale or the parameters are not
  // the program's; `kind` names them in errors.
  void check_inputs(std::span<const Ciphertext> inputs, std::string_view kind = "input") const;

  // One encrypted image -> its encrypted scores. Everything is checked before anything is computed:
  // keys and inputs as above. `progress` hears the layer's name and the instructions done. What the
  // inputs say of their noise is ignored: the program knows it.
  std::vector<Ciphertext> infer(const EvaluationKeys& keys, std::vector<Ciphertext> inputs,
                                const Progress& progress = {}) const;

  // The same for several images of one data owner, at once: they share what is read of weights and
  // keys, and take memory for all of them. Errors name the image.
  std::vector<std::vector<Ciphertext>> infer_together(const EvaluationKeys& keys,
                                                      std::vector<std::vector<Ciphertext>> images,
                                                      const Progress& progress = {}) const;

 private:
  // Checked, with the noise that the program knows of them.
  void prepare(std::vector<Ciphertext>& inputs, std::string_view kind) const;

  ServerBundle bundle_;
  std::vector<ExchangedValue> inputs_;  // of the program
  plan::KeyRequest keys_;               // of the program
  backend::EncodedProgram encoded_;
};

}  // namespace ffconv::runtime
