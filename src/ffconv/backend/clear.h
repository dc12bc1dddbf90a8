// The clear backend: ciphertexts are vectors of doubles.
//
// It proves a packing against the float executor in milliseconds, and with simulated noise it
// shows, also in milliseconds, what the encrypted run will look like: every operation then adds a
// Gaussian error of the size that plan::ErrorModel predicts for it, independent from slot to slot.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "ffconv/plan/errors.h"
#include "ffconv/plan/program.h"

namespace ffconv::backend {

class ClearBackend {
 public:
  struct Ciphertext {
    std::vector<double> slots;
    int level = 0;
    int polynomials = 2;
    double scale = 0;  // followed only where noise is simulated: errors are relative to it
  };

  // `program` must outlive the backend. With a seed, CKKS noise is simulated: equal seeds give
  // equal results. Seeds are for tests and simulations only, nothing here is secret.
  explicit ClearBackend(const plan::Program& program,
                        std::optional<std::uint64_t> noise_seed = std::nullopt);

  // Input number `input` of the program for the image `elements` (its tensor, flattened).
  Ciphertext encrypt(std::int32_t input, std::span<const double> elements);
  // All of them.
  std::vector<Ciphertext> encrypt_image(std::span<const double> elements);

  Ciphertext rotate(const Ciphertext& x, std::int32_t step);
  Ciphertext rotate_sum(const Ciphertext& x, std::span<const std::int32_t> steps);
  Ciphertext add(Ciphertext x, const Ciphertext& y);
  Ciphertext add_plain(Ciphertext x, std::int32_t vector);
  Ciphertext multiply_plain(Ciphertext x, std::int32_t vector, double plain_scale);
  Ciphertext square(const Ciphertext& x);
  Ciphertext multiply(const Ciphertext& x, const Ciphertext& y);
  Ciphertext relinearize(Ciphertext x);
  Ciphertext rescale(Ciphertext x);
  Ciphertext relinearize_rescale(Ciphertext x);
  Ciphertext drop_level(Ciphertext x, std::int32_t level);
  PoolVector<Ciphertext> linear(const plan::Instruction& op,
                                std::span<const Ciphertext* const> inputs);

 private:
  const plan::SlotVector& vector(std::int32_t index) const;
  // One period of a plaintext as it is encoded at `scale`: with its rounding error.
  std::vector<double> encoded(std::int32_t index, double scale);
  // Adds an error of standard deviation std to every slot, where noise is simulated.
  void disturb(std::vector<double>& slots, double std);
  // Key errors of one key switch; 0, without asking for parameters, where no noise is simulated.
  double key_error(int level) const;
  // The input rotated by `step` in the extended basis: key error, no rounding yet.
  std::vector<double> hoisted(const Ciphertext& x, std::int32_t step);

  const plan::Program& program_;
  plan::ErrorModel errors_;
  std::vector<double> rescale_factors_;  // by level; empty without noise
  std::optional<std::mt19937_64> noise_;
  std::normal_distribution<double> normal_;
};

// The `classes` scores of one image on the clear backend.
std::vector<double> run_clear(const plan::Program& program, std::span<const double> image,
                              std::size_t classes,
                              std::optional<std::uint64_t> noise_seed = std::nullopt);

}  // namespace ffconv::backend
