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
#include "ffconv/ckks/encoder.h"
#include "ffconv/ckks/keys.h"

namespace ffconv {

// Plaintexts of one basis and scale, packed to 6 bytes a residue, the runs of Kernels::pack48 in
// turns. Weights stream from memory, which bounds large maps: bytes count more than the few
// operations of unpacking, and one stream is read faster than one for every plaintext.
//
// Where memory is short they are kept small instead: as coefficients of 4 bytes, or of 3 where all
// are below 2^23, transformed and packed limb by limb in every use. That is a twelfth (a sixteenth)
// of the bytes of eight limbs, for a transform a limb and use.
class PackedPlaintexts {
 public:
  // plaintext(k) makes number k; count >= 1. Throws kMismatch where bases or scales differ.
  PackedPlaintexts(std::size_t count, const std::function<Plaintext(std::size_t)>& plaintext);
  // Kept small, for use over `basis`. Throws kMismatch where scales differ, kInvalidArgument where
  // a coefficient reaches kSmallLimit.
  PackedPlaintexts(const Ring& ring, Basis basis, std::size_t count,
                   const std::function<IntegerPlaintext(std::size_t)>& plaintext);
  static constexpr double kSmallLimit = 0x1p31, kNarrowLimit = 0x1p23;

  std::size_t count() const { return max_abs_.size(); }
  double scale() const { return scale_; }
  double max_abs(std::size_t k) const { return max_abs_[k]; }
  const Basis& basis() const { return basis_; }
  bool is_small() const { return bytes_.empty(); }
  std::size_t bytes() const {
    return bytes_.size() + wide_.size() * sizeof(std::int32_t) +
           high_.size() * sizeof(std::int16_t) + low_.size();
  }

  // Limb i of all plaintexts, of those not kept small: the words from `begin`, a multiple of
  // kPackedRun, of plaintext k stand at offset(k, begin).
  const std::uint8_t* limb(std::size_t i) const;
  std::size_t offset(std::size_t k, std::size_t begin) const {
    return begin / kPackedRun * stride() + k * kRunBytes;
  }
  std::size_t stride() const { return count() * kRunBytes; }

  // The same limb made of small ones, into dst, which is made anew where its size is another.
  void expand(std::size_t i, AlignedBuffer<std::uint8_t>& dst) const;

 private:
  // Sees to it that all scales are the first one's.
  void add(double scale, double max_abs);
  // Limb i of plaintext k, of `count`, into the limb of all at dst.
  void pack(std::uint8_t* dst, std::size_t k, std::size_t count, const Word* src,
            std::size_t i) const;
  // The coefficients of small plaintext k.
  void widen(std::size_t k, std::int64_t* dst) const;

  const Ring* ring_ = nullptr;
  Basis basis_;
  double scale_ = 0.0;
  std::vector<double> max_abs_;
  std::size_t limb_bytes_ = 0;         // of all plaintexts together
  AlignedBuffer<std::uint8_t> bytes_;  // packed, limb after limb; empty where kept small
  // Coefficients, plaintext after plaintext: of 4 bytes, or 2^8 high + low of 3.
  AlignedBuffer<std::int32_t> wide_;
  AlignedBuffer<std::int16_t> high_;
  AlignedBuffer<std::uint8_t> low_;
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

// For the inputs of one image or of several, one image's after the other's: its outputs then, in
// the same order. Images share what is read of weights and keys, and what is made of weights kept
// small. Not rescaled: the result's scale is the ciphertexts' times the plaintexts'. Throws as
// evaluator.h; kInvalidArgument where groups are not in order or an output has none.
PoolVector<Ciphertext> linear_transform(std::span<const Ciphertext* const> inputs,
                                        const LinearTransform& transform,
                                        const EvaluationKeys& keys);

}  // namespace ffconv
