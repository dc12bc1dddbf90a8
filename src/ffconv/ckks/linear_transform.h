// A linear map of several ciphertexts to several ciphertexts, by generalized diagonals.
//
//   out[o] = sum over terms of rotate(vector * rotate(in[i], baby), giant)
//
// 4 x 4 example, slot_count 4, M = (m_rc), y = M x, diagonal k = (m_0k, m_1(k+1), m_2(k+2),
// m_3(k+3)):
//   y = sum_k diagonal_k * rotate(x, k);  with k = giant + baby, giant in {0, 2}, baby in {0, 1}:
//   y = d_0 * x + d_1 * rotate(x, 1) + rotate(d_2' * x + d_3' * rotate(x, 1), 2),
// d' being d rotated by -giant: 2 rotations instead of 3. n diagonals need about 2 sqrt(n).
//
// Babies of one input share a decomposition and stay over QP (double hoisting, Bossuat et al.,
// ePrint 2020/1203, Algorithm 6): plaintexts are encoded over QP, each giant step takes one
// mod-down, each output two at the end. A map without any rotation stays over Q.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"

namespace ffconv {

struct TransformTerm {
  std::int32_t input, output;
  std::int32_t baby, giant;  // in [0, N)
  std::int32_t plaintext;    // index into LinearTransform::plaintexts
};

// A plaintext whose limbs are packed to 6 bytes a residue (Kernels::pack48): weights stream from
// memory, which bounds large maps, so bytes count more than the few operations of unpacking.
class PackedPlaintext {
 public:
  PackedPlaintext() = default;
  explicit PackedPlaintext(const Plaintext& plaintext);

  const Basis& basis() const { return basis_; }
  const std::uint8_t* limb(std::size_t i) const { return bytes_.data() + i * limb_bytes_; }
  std::size_t bytes() const { return bytes_.size(); }

  double scale = 0.0;
  double max_abs = 0.0;

 private:
  Basis basis_;
  std::size_t limb_bytes_ = 0;
  AlignedBuffer<std::uint8_t> bytes_;
};

// Weights encoded once, for ciphertexts of one level.
struct LinearTransform {
  int inputs = 0, outputs = 0;
  int level = 0;
  std::vector<TransformTerm> terms;
  // Over QP where rotates(), over Q otherwise; one scale. Transforms may share them.
  std::vector<std::shared_ptr<const PackedPlaintext>> plaintexts;

  bool rotates() const;
};

// Not rescaled: the result's scale is the ciphertexts' times the plaintexts'. Throws as
// evaluator.h; kInvalidArgument where an output has no term.
std::vector<Ciphertext> linear_transform(std::span<const Ciphertext* const> inputs,
                                         const LinearTransform& transform,
                                         const EvaluationKeys& keys);

}  // namespace ffconv
