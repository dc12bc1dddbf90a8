#include "ffconv/runtime/secret/client.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/noise.h"
#include "ffconv/ckks/secret/encryptor.h"
#include "ffconv/ckks/secret/key_generator.h"
#include "ffconv/plan/labels.h"
#include "ffconv/runtime/exchange.h"

namespace ffconv::runtime {

Client::Client(ClientBundle bundle)
    : bundle_(std::move(bundle)), context_(Context::make(Params(bundle_.params))) {}

EvaluationKeys Client::generate_evaluation_keys(const SecretKey& secret,
                                                const Progress& progress) const {
  const KeyGenerator generator(secret);
  const plan::KeyRequest& request = bundle_.keys;
  const std::size_t total = request.rotations.size() + request.relinearization.size();
  std::size_t done = 0;
  const auto report = [&] {
    ++done;
    if (progress) {
      progress("keys", done, total);
    }
  };
  EvaluationKeys keys;
  for (const std::int32_t level : request.relinearization) {
    keys.relinearization.emplace(level, generator.relinearization_key(level));
    report();
  }
  for (const auto& [step, level] : request.rotations) {
    keys.rotations.emplace(std::pair(step, level), generator.rotation_key(step, level));
    report();
  }
  return keys;
}

std::vector<Ciphertext> Client::encrypt(const SecretKey& secret,
                                        std::span<const double> image) const {
  if (image.size() != bundle_.input_shape.size()) {
    fail(ErrorCode::kMismatch, "image: {} expects {} values ({}), got {}", bundle_.model_name,
         bundle_.input_shape.size(), to_string(bundle_.input_shape), image.size());
  }
  std::vector<Ciphertext> ciphertexts(bundle_.inputs.size());
  for (std::size_t i = 0; i < ciphertexts.size(); ++i) {
    const ExchangedValue& input = bundle_.inputs[i];
    const std::vector<double> slots = plan::pack(input.labels, image);
    for (const double x : slots) {
      if (!(std::abs(x) <= input.max_abs)) {
        fail(ErrorCode::kInvalidArgument, "image: {} was compiled for values of -{} to {}, got {}",
             bundle_.model_name, input.max_abs, input.max_abs, x);
      }
    }
    ciphertexts[i] = ffconv::encrypt(secret, encode(*context_, slots, input.scale, input.level));
  }
  return ciphertexts;
}

std::vector<Ciphertext> Client::checked(std::span<const Ciphertext> result) const {
  check_exchanged(result, bundle_.outputs, *context_, "result");
  std::vector<Ciphertext> known(result.begin(), result.end());
  for (std::size_t i = 0; i < known.size(); ++i) {
    const double scale = bundle_.outputs[i].scale;
    known[i].noise = {bundle_.output_noise_std * scale, bundle_.outputs[i].max_abs * scale};
  }
  return known;
}

Prediction Client::prediction(const std::vector<std::vector<double>>& slots, double step) const {
  std::vector<plan::SlotLabels> labels;
  for (const ExchangedValue& output : bundle_.outputs) {
    labels.push_back(output.labels);
  }
  Prediction prediction;
  prediction.scores = plan::unpack(labels, slots, bundle_.class_names.size());
  prediction.step = step;
  if (step > 0.0) {  // means of replicas lie between the multiples
    for (double& score : prediction.scores) {
      score = std::nearbyint(score / step) * step;
    }
  }
  const auto best = std::ranges::max_element(prediction.scores);
  prediction.class_index = static_cast<std::size_t>(best - prediction.scores.begin());
  prediction.class_name = bundle_.class_names[prediction.class_index];
  return prediction;
}

Prediction Client::decrypt(const SecretKey& secret, std::span<const Ciphertext> result,
                           const DecryptOptions& options) const {
  std::vector<std::vector<double>> slots;
  double step = 0.0;
  for (const Ciphertext& ciphertext : checked(result)) {
    DecryptOptions bounded = options;
    bounded.error_at_least =
        std::max({options.error_at_least, bundle_.output_noise_std,
                  secret_key_encryption_noise(context_->params()) / ciphertext.scale});
    SharedResult shared = ffconv::decrypt(secret, ciphertext, bounded);
    slots.push_back(std::move(shared.slots));
    step = std::max(step, shared.step);
  }
  Prediction shared = prediction(slots, step);
  shared.class_index = decrypt_class(secret, result);
  shared.class_name = bundle_.class_names[shared.class_index];
  return shared;
}

std::size_t Client::decrypt_class(const SecretKey& secret,
                                  std::span<const Ciphertext> result) const {
  return decrypt_raw(secret, result).class_index;
}

Prediction Client::decrypt_raw(const SecretKey& secret, std::span<const Ciphertext> result) const {
  std::vector<std::vector<double>> slots;
  for (const Ciphertext& ciphertext : checked(result)) {
    slots.push_back(ffconv::decrypt_raw(secret, ciphertext));
  }
  return prediction(slots, 0.0);
}

}  // namespace ffconv::runtime
