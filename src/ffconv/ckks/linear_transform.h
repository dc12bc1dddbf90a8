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
#include <memory>
#include <span>
#include <vector>

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"
#include "ffconv/ckks/packed_plaintexts.h"

namespace ffconv {

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

// For the inputs of one image or of several, one image's after the other's: its outputs then, in
// the same order. Images share what is read of weights and keys, and what is made of weights kept
// small. Not rescaled: the result's scale is the ciphertexts' times the plaintexts'. Throws as
// evaluator.h; kInvalidArgument where groups are not in order or an output has none.
PoolVector<Ciphertext> linear_transform(std::span<const Ciphertext* const> inputs,
                                        const LinearTransform& transform,
                                        const EvaluationKeys& keys);

}  // namespace ffconv
