#include "ffconv/runtime/server.h"

#include <utility>

#include "ffconv/backend/run.h"
#include "ffconv/base/error.h"
#include "ffconv/ckks/noise.h"
#include "ffconv/runtime/exchange.h"

namespace ffconv::runtime {
namespace {

void check_ring(const SwitchingKey& key, const Context& context) {
  if (&key.pairs.ring() != &context.ring()) {
    fail(ErrorCode::kMismatch,
         "evaluation keys: not made for, or not read with, this server's "
         "parameters");
  }
}

}  // namespace

Server::Server(ServerBundle bundle, const Progress& progress, const plan::SmallWeights& small)
    : bundle_(std::move(bundle)),
      inputs_(client_bundle(bundle_).inputs),
      keys_(plan::key_request(bundle_.program)),
      encoded_(bundle_.program, Context::make(Params(bundle_.program.params)), progress, small) {
  plan::forget_weights(bundle_.program);
}

void Server::check_keys(const EvaluationKeys& keys) const {
  const Params& params = context()->params();
  for (const std::int32_t level : keys_.relinearization) {
    check_ring(keys.relinearization_for(level, params), *context());
  }
  for (const auto& [step, level] : keys_.rotations) {
    check_ring(keys.rotation(step, level, params).key, *context());
  }
}

std::vector<Ciphertext> Server::infer(const EvaluationKeys& keys, std::vector<Ciphertext> inputs,
                                      const Progress& progress) const {
  check_keys(keys);
  check_exchanged(inputs, inputs_, *context(), "input");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].context != context()) {
      fail(ErrorCode::kMismatch, "input {}: not read with this server's context", i);
    }
    inputs[i].noise = {secret_key_encryption_noise(context()->params()),
                       inputs_[i].max_abs * inputs_[i].scale};
  }
  backend::CkksBackend backend(encoded_, keys);
  return backend::run(bundle_.program, backend, std::move(inputs), progress);
}

}  // namespace ffconv::runtime
