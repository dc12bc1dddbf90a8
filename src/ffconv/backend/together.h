// The ckks backend on several images at once: instruction by instruction, so that they share what
// linear maps read of weights and keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "ffconv/backend/backend.h"
#include "ffconv/backend/ckks.h"
#include "ffconv/base/pool_vector.h"

namespace ffconv::backend {

class TogetherBackend {
 public:
  using Ciphertext = PoolVector<ffconv::Ciphertext>;  // a register of every image

  // Both must outlive the backend.
  TogetherBackend(const EncodedProgram& encoded, const EvaluationKeys& keys)
      : backend_(encoded, keys) {}

  void begin_instruction(const plan::Instruction& op) { backend_.begin_instruction(op); }

  PoolVector<Ciphertext> linear(const plan::Instruction& op,
                                std::span<const Ciphertext* const> inputs) {
    const std::size_t images = inputs[0]->size();
    PoolVector<const ffconv::Ciphertext*> all;
    for (std::size_t image = 0; image < images; ++image) {
      for (const Ciphertext* input : inputs) {
        all.push_back(&(*input)[image]);
      }
    }
    PoolVector<ffconv::Ciphertext> results = backend_.linear(op, std::span(all));
    PoolVector<Ciphertext> outputs(op.out.size());
    for (std::size_t r = 0; r < results.size(); ++r) {
      outputs[r % outputs.size()].push_back(std::move(results[r]));
    }
    return outputs;
  }

  Ciphertext rotate(const Ciphertext& x, std::int32_t step) {
    return each(x, [&](const auto& one) { return backend_.rotate(one, step); });
  }
  Ciphertext rotate_sum(const Ciphertext& x, std::span<const std::int32_t> steps) {
    return each(x, [&](const auto& one) { return backend_.rotate_sum(one, steps); });
  }
  Ciphertext add(const Ciphertext& x, const Ciphertext& y) {
    return pairs(x, y, [&](const auto& a, const auto& b) { return backend_.add(a, b); });
  }
  Ciphertext add_plain(const Ciphertext& x, std::int32_t vector) {
    return each(x, [&](const auto& one) { return backend_.add_plain(one, vector); });
  }
  Ciphertext multiply_plain(const Ciphertext& x, std::int32_t vector, double plain_scale) {
    return each(x,
                [&](const auto& one) { return backend_.multiply_plain(one, vector, plain_scale); });
  }
  Ciphertext square(const Ciphertext& x) {
    return each(x, [&](const auto& one) { return backend_.square(one); });
  }
  Ciphertext multiply(const Ciphertext& x, const Ciphertext& y) {
    return pairs(x, y, [&](const auto& a, const auto& b) { return backend_.multiply(a, b); });
  }
  Ciphertext relinearize(const Ciphertext& x) {
    return each(x, [&](const auto& one) { return backend_.relinearize(one); });
  }
  Ciphertext rescale(const Ciphertext& x) {
    return each(x, [&](const auto& one) { return backend_.rescale(one); });
  }
  Ciphertext relinearize_rescale(const Ciphertext& x) {
    return each(x, [&](const auto& one) { return backend_.relinearize_rescale(one); });
  }
  Ciphertext drop_level(const Ciphertext& x, std::int32_t level) {
    return each(x, [&](const auto& one) { return backend_.drop_level(one, level); });
  }

 private:
  template <typename F>
  static Ciphertext each(const Ciphertext& x, const F& f) {
    Ciphertext result;
    for (const ffconv::Ciphertext& one : x) {
      result.push_back(f(one));
    }
    return result;
  }
  template <typename F>
  static Ciphertext pairs(const Ciphertext& x, const Ciphertext& y, const F& f) {
    Ciphertext result;
    for (std::size_t image = 0; image < x.size(); ++image) {
      result.push_back(f(x[image], y[image]));
    }
    return result;
  }

  CkksBackend backend_;
};

static_assert(Backend<TogetherBackend> && InstructionAware<TogetherBackend>);

}  // namespace ffconv::backend
