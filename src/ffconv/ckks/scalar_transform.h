// A linear map of several ciphertexts to several ciphertexts whose weights are the same in every
// slot: out[o] = sum over its terms of weight * in[input]. No plaintext polynomial and no key is
// needed.
//
// ConvPack's pointwise convolutions (a channel a ciphertext), LoLa's first layer, and batches of
// images (a pixel a ciphertext) are such maps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ffconv/ckks/ciphertext.h"

namespace ffconv {

// Weights encoded once, for ciphertexts of one level.
class ScalarTransform {
 public:
  struct Term {
    std::int32_t input;
    double weight;  // rounded to a multiple of 1 / scale
  };
  using Row = std::vector<Term>;  // one output; absent inputs weigh nothing

  // One row or more, one term or more in each. Throws kInvalidArgument where |weight * scale| is
  // 2^62 or more or the scale is not positive.
  ScalarTransform(const Context& context, int level, double scale, std::size_t inputs,
                  std::span<const Row> rows);

  // Consecutive outputs of the same inputs, which are read once for several of them.
  struct Batch {
    std::size_t first, last;  // outputs [first, last)
    std::vector<std::int32_t> inputs;
    std::size_t weights;  // number of the first: row by row, one an input
  };

  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return batches_.back().last; }
  int level() const { return level_; }
  double scale() const { return scale_; }
  std::span<const Batch> batches() const { return batches_; }
  // |weight * scale|, rounded, of every weight.
  std::span<const double> magnitudes() const { return magnitudes_; }
  // Every weight modulo the prime of limb i.
  const Constant* constants(std::size_t i) const {
    return constants_.data() + i * magnitudes_.size();
  }
  std::size_t bytes() const { return constants_.size() * sizeof(Constant); }

 private:
  std::size_t inputs_;
  int level_;
  double scale_;
  std::vector<Batch> batches_;
  std::vector<double> magnitudes_;
  std::vector<Constant> constants_;
};

// Not rescaled: scales multiply. Ciphertexts of two polynomials. Throws as evaluator.h.
PoolVector<Ciphertext> scalar_transform(std::span<const Ciphertext* const> inputs,
                                        const ScalarTransform& transform);

}  // namespace ffconv
