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

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"

namespace ffconv {

// Plaintexts of one basis and scale, packed to 6 bytes a residue, the runs of Kernels::pack48 in
// turns. Weights stream from memory, which bounds large maps: bytes count more than the few
// operations of unpacking, and one stream is read faster than one for every plaintext.
class PackedPlaintexts {
 public:
  // plaintext(k) makes number k; count >= 1. Throws kMismatch where bases or scales differ.
  PackedPlaintexts(std::size_t count, const std::function<Plaintext(std::size_t)>& plaintext);

  std::size_t count() const { return max_abs_.size(); }
  double scale() const { return scale_; }
  double max_abs(std::size_t k) const { return max_abs_[k]; }
  const Basis& basis() const { return basis_; }
  std::size_t bytes() const { return bytes_.size(); }

  // Words from `begin`, a multiple of kPackedRun, of limb i of plaintext k.
  const std::uint8_t* words(std::size_t k, std::size_t i, std::size_t begin) const {
    return bytes_.data() + i * limb_bytes_ + begin / kPackedRun * stride() + k * kRunBytes;
  }
  std::size_t stride() const { return count() * kRunBytes; }

 private:
  static constexpr std::size_t kRunBytes = kPackedRun * kPackedBytes;

  void add(const Plaintext& plaintext, std::size_t k, std::size_t count);

  Basis basis_;
  double scale_ = 0.0;
  std::vector<double> max_abs_;
  std::size_t limb_bytes_ = 0;  // of all plaintexts together
  AlignedBuffer<std::uint8_t> bytes_;
};

// Weights encoded once, for ciphertexts of one level.
struct LinearTransform {
  struct Term {
    std::int32_t input;
    std::int32_t baby;       // in [0, N)
    std::int32_t plaintext;  // number in Group::weights
  };
  struct Group {
    std::int32_t output;
    std::int32_t giant;  // in [0, N)
    std::vector<Term> terms;
    std::shared_ptr<const PackedPlaintexts> weights;  // groups may share them
  };

  int inputs = 0, outputs = 0;
  int level = 0;
  // Ascending by output, then giant step; at least one for each output. Weights of one scale, over
  // QP where rotates(), over Q otherwise.
  std::vector<Group> groups;

  bool rotates() const;
};

// Not rescaled: the result's scale is the ciphertexts' times the plaintexts'. Throws as
// evaluator.h; kInvalidArgument where groups are not in order or an output has none.
PoolVector<Ciphertext> linear_transform(std::span<const Ciphertext* const> inputs,
                                        const LinearTransform& transform,
                                        const EvaluationKeys& keys);

}  // namespace ffconv
