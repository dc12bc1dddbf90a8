#include "ffconv/runtime/server.h"

#include <utility>

#include <fmt/format.h>

#include "ffconv/backend/run.h"
#include "ffconv/backend/together.h"
#include "ffconv/base/aligned_buffer.h"
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
  release_freed_memory();
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

void Server::check_inputs(std::span<const Ciphertext> inputs, std::string_view kind) const {
  check_exchanged(inputs, inputs_, *context(), kind);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].context != context()) {
      fail(ErrorCode::kMismatch, "{} {}: not read with this server's context", kind, i);
    }
  }
}

void Server::prepare(std::vector<Ciphertext>& inputs, std::string_view kind) const {
  check_inputs(inputs, kind);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    inputs[i].noise = {secret_key_encryption_noise(context()->params()),
                       inputs_[i].max_abs * inputs_[i].scale};
  }
}

std::vector<Ciphertext> Server::infer(const EvaluationKeys& keys, std::vector<Ciphertext> inputs,
                                      const Progress& progress) const {
  check_keys(keys);
  prepare(inputs, "input");
  backend::CkksBackend backend(encoded_, keys);
  return backend::run(bundle_.program, backend, std::move(inputs), progress);
}

std::vector<std::vector<Ciphertext>> Server::infer_together(
    const EvaluationKeys& keys, std::vector<std::vector<Ciphertext>> images,
    const Progress& progress) const {
  check_keys(keys);
  using Register = backend::TogetherBackend::Ciphertext;
  std::vector<Register> inputs(inputs_.size());
  for (std::size_t k = 0; k < images.size(); ++k) {
    prepare(images[k], fmt::format("image {}, input", k));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      inputs[i].push_back(std::move(images[k][i]));
    }
  }
  std::vector<std::vector<Ciphertext>> results(images.size());
  if (images.empty()) {
    return results;
  }
  backend::TogetherBackend backend(encoded_, keys);
  for (Register& output : backend::run(bundle_.program, backend, std::move(inputs), progress)) {
    for (std::size_t k = 0; k < results.size(); ++k) {
      results[k].push_back(std::move(output[k]));
    }
  }
  return results;
}

}  // namespace ffconv::runtime
