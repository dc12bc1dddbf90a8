// A linear map of several ciphertexts to several ciphertexts whose weights are the same in every
// slot: out[o] = sum over i of weights[o][i] * in[i]. No plaintext polynomial and no key is needed.
//
// ConvPack's pointwise convolutions (a channel a ciphertext), LoLa's first layer, and batches of
// images (a pixel a ciphertext) are such maps.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ffconv/ckks/ciphertext.h"

namespace ffconv {

// Weights encoded once, for ciphertexts of one level.
class ScalarTransform {
 public:
  // weights: [outputs][inputs], rounded to multiples of 1 / scale; outputs, inputs >= 1. Throws
  // kInvalidArgument where |weight * scale| is 2^62 or more or the scale is not positive.
  ScalarTransform(const Context& context, int level, double scale, std::size_t outputs,
                  std::size_t inputs, std::span<const double> weights);

  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return outputs_; }
  int level() const { return level_; }
  double scale() const { return scale_; }
  // |weight * scale|, rounded: [outputs][inputs].
  std::span<const double> magnitudes() const { return magnitudes_; }
  // Modulo the prime of limb i: [outputs][inputs].
  const Constant* constants(std::size_t i) const {
    return constants_.data() + i * inputs_ * outputs_;
  }
  std::size_t bytes() const { return constants_.size() * sizeof(Constant); }

 private:
  std::size_t inputs_, outputs_;
  int level_;
  double scale_;
  std::vector<double> magnitudes_;
  std::vector<Constant> constants_;
};

// Not rescaled: scales multiply. Ciphertexts of two polynomials. Throws as evaluator.h.
PoolVector<Ciphertext> scalar_transform(std::span<const Ciphertext* const> inputs,
                                        const ScalarTransform& transform);

}  // namespace ffconv
