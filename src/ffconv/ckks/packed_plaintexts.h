// The weights of a linear map (linear_transform.h) as they are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "ffconv/base/aligned_buffer.h"
#include "ffconv/ckks/encoder.h"
#include "ffconv/ring/kernels/kernels.h"
#include "ffconv/ring/ring.h"

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

}  // namespace ffconv
