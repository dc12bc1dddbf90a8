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
namespace {

void check_image(const ClientBundle& bundle, std::span<const double> image) {
  if (image.size() != bundle.input_shape.size()) {
    fail(ErrorCode::kMismatch, "image: {} expects {} values ({}), got {}", bundle.model_name,
         bundle.input_shape.size(), to_string(bundle.input_shape), image.size());
  }
  const auto bound = std::ranges::min_element(bundle.inputs, {}, &ExchangedValue::max_abs)->max_abs;
  for (const double x : image) {
    if (!(std::abs(x) <= bound)) {
      fail(ErrorCode::kInvalidArgument, "image: {} was compiled for values of -{} to {}, got {}",
           bundle.model_name, bound, bound, x);
    }
  }
}

Ciphertext encrypt_slots(const SecretKey& secret, const Context& context,
                         const ExchangedValue& input, std::span<const double> slots) {
  return ffconv::encrypt(secret, encode(context, slots, input.scale, input.level));
}

}  // namespace

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
  check_image(bundle_, image);
  std::vector<Ciphertext> ciphertexts;
  for (const ExchangedValue& input : bundle_.inputs) {
    ciphertexts.push_back(encrypt_slots(secret, *context_, input, plan::pack(input.labels, image)));
  }
  return ciphertexts;
}

std::size_t Client::images_at_once() const {
  return runtime::images_at_once(bundle_);
}

void Client::check_batch(std::size_t images) const {
  if (images == 0 || images > images_at_once()) {
    fail(ErrorCode::kInvalidArgument, "{}: takes 1 to {} images at once, got {}{}",
         bundle_.model_name, images_at_once(), images,
         images > 1 && images_at_once() == 1 ? "; compile it with packing batch to take many" : "");
  }
}

std::vector<Ciphertext> Client::encrypt_batch(const SecretKey& secret,
                                              std::span<const std::vector<double>> images) const {
  check_batch(images.size());
  if (images.size() == 1) {
    return encrypt(secret, images.front());
  }
  for (const std::vector<double>& image : images) {
    check_image(bundle_, image);
  }
  std::vector<Ciphertext> ciphertexts(bundle_.inputs.size());
  parallel_for(ciphertexts.size(), [&](std::size_t i) {
    const ExchangedValue& input = bundle_.inputs[i];
    const std::int32_t element = input.labels.elements.front();
    std::vector<double> slots(std::size_t{1} << bundle_.params.log_n, 0.0);
    for (std::size_t s = 0; element != plan::SlotLabels::kEmpty && s < images.size(); ++s) {
      slots[s] = images[s][static_cast<std::size_t>(element)];
    }
    ciphertexts[i] = encrypt_slots(secret, *context_, input, slots);
  });
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

void Client::set_class(Prediction& prediction, std::size_t index) const {
  prediction.class_index = index;
  prediction.class_name = bundle_.class_names[index];
}

Prediction Client::prediction(const Slots& slots) const {
  std::vector<plan::SlotLabels> labels;
  for (const ExchangedValue& output : bundle_.outputs) {
    labels.push_back(output.labels);
  }
  Prediction prediction;
  prediction.scores = plan::unpack(labels, slots.outputs, bundle_.class_names.size());
  prediction.step = slots.step;
  if (slots.step > 0.0) {  // means of replicas lie between the multiples
    for (double& score : prediction.scores) {
      score = std::nearbyint(score / slots.step) * slots.step;
    }
  }
  const auto best = std::ranges::max_element(prediction.scores);
  set_class(prediction, static_cast<std::size_t>(best - prediction.scores.begin()));
  return prediction;
}

std::vector<Prediction> Client::predictions(const Slots& slots, std::size_t images) const {
  if (images == 1) {
    return {prediction(slots)};
  }
  std::vector<Prediction> result;
  for (std::size_t s = 0; s < images; ++s) {
    Slots one{{}, slots.step};
    for (const std::vector<double>& output : slots.outputs) {
      one.outputs.push_back({output[s]});
    }
    result.push_back(prediction(one));
  }
  return result;
}

Client::Slots Client::shared_slots(const SecretKey& secret, std::span<const Ciphertext> result,
                                   const DecryptOptions& options) const {
  Slots slots;
  for (const Ciphertext& ciphertext : checked(result)) {
    DecryptOptions bounded = options;
    bounded.error_at_least =
        std::max({options.error_at_least, bundle_.output_noise_std,
                  secret_key_encryption_noise(context_->params()) / ciphertext.scale});
    SharedResult shared = ffconv::decrypt(secret, ciphertext, bounded);
    slots.outputs.push_back(std::move(shared.slots));
    slots.step = std::max(slots.step, shared.step);
  }
  return slots;
}

Client::Slots Client::exact_slots(const SecretKey& secret,
                                  std::span<const Ciphertext> result) const {
  Slots slots;
  for (const Ciphertext& ciphertext : checked(result)) {
    slots.outputs.push_back(ffconv::decrypt_raw(secret, ciphertext));
  }
  return slots;
}

Prediction Client::decrypt(const SecretKey& secret, std::span<const Ciphertext> result,
                           const DecryptOptions& options) const {
  return decrypt_batch(secret, result, 1, options).front();
}

std::size_t Client::decrypt_class(const SecretKey& secret,
                                  std::span<const Ciphertext> result) const {
  return decrypt_raw(secret, result).class_index;
}

Prediction Client::decrypt_raw(const SecretKey& secret, std::span<const Ciphertext> result) const {
  return decrypt_batch_raw(secret, result, 1).front();
}

std::vector<Prediction> Client::decrypt_batch(const SecretKey& secret,
                                              std::span<const Ciphertext> result,
                                              std::size_t images,
                                              const DecryptOptions& options) const {
  check_batch(images);
  std::vector<Prediction> shared = predictions(shared_slots(secret, result, options), images);
  const std::vector<Prediction> exact = decrypt_batch_raw(secret, result, images);
  for (std::size_t i = 0; i < images; ++i) {
    set_class(shared[i], exact[i].class_index);
  }
  return shared;
}

std::vector<Prediction> Client::decrypt_batch_raw(const SecretKey& secret,
                                                  std::span<const Ciphertext> result,
                                                  std::size_t images) const {
  check_batch(images);
  return predictions(exact_slots(secret, result), images);
}

}  // namespace ffconv::runtime
