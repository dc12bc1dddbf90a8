#include "ffconv/ckks/packed_plaintexts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"

namespace ffconv {

PackedPlaintexts::PackedPlaintexts(std::size_t count,
                                   const std::function<Plaintext(std::size_t)>& plaintext) {
  for (std::size_t k = 0; k < count; ++k) {
    const Plaintext next = plaintext(k);
    if (k == 0) {
      ring_ = &next.poly.ring();
      basis_ = next.poly.basis();
      limb_bytes_ = count * kPackedBytes * ring_->n();
      bytes_ = AlignedBuffer<std::uint8_t>(basis_.size() * limb_bytes_);
    }
    if (next.poly.basis() != basis_) {
      fail(ErrorCode::kMismatch,
           "packed plaintexts: expected {} primes as of the first, got {}, or others",
           basis_.size(), next.poly.basis().size());
    }
    add(next.scale, next.max_abs);
    for (std::size_t i = 0; i < basis_.size(); ++i) {
      pack(bytes_.data() + i * limb_bytes_, k, count, next.poly.limb(i), i);
    }
  }
}

PackedPlaintexts::PackedPlaintexts(const Ring& ring, Basis basis, std::size_t count,
                                   const std::function<IntegerPlaintext(std::size_t)>& plaintext)
    : ring_(&ring), basis_(std::move(basis)), limb_bytes_(count * kPackedBytes * ring.n()) {
  wide_ = AlignedBuffer<std::int32_t>(count * ring.n());
  double largest = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const IntegerPlaintext next = plaintext(k);
    largest = std::max(largest, next.largest_coefficient);
    if (!(largest < kSmallLimit)) {
      fail(ErrorCode::kInvalidArgument,
           "packed plaintexts: a coefficient of 2^{:.1f} is not small: expected less than 2^31",
           std::log2(largest));
    }
    add(next.scale, next.max_abs);
    std::ranges::transform(next.coefficients, wide_.data() + k * ring.n(),
                           [](std::int64_t x) { return static_cast<std::int32_t>(x); });
  }
  if (largest < kNarrowLimit) {
    high_ = AlignedBuffer<std::int16_t>(wide_.size());
    low_ = AlignedBuffer<std::uint8_t>(wide_.size());
    for (std::size_t c = 0; c < wide_.size(); ++c) {
      high_.data()[c] = static_cast<std::int16_t>(wide_.data()[c] >> 8);
      low_.data()[c] = static_cast<std::uint8_t>(wide_.data()[c] & 0xff);
    }
    wide_ = {};
  }
}

void PackedPlaintexts::add(double scale, double max_abs) {
  if (max_abs_.empty()) {
    scale_ = scale;
  } else if (scale != scale_) {
    fail(ErrorCode::kMismatch, "packed plaintexts: expected scale {} as of the first, got {}",
         scale_, scale);
  }
  max_abs_.push_back(max_abs);
}

void PackedPlaintexts::pack(std::uint8_t* dst, std::size_t k, std::size_t count, const Word* src,
                            std::size_t i) const {
  ring_->kernels().pack48(dst + k * kRunBytes, count * kRunBytes, src, ring_->n(),
                          ring_->tables(basis_[i]));
}

const std::uint8_t* PackedPlaintexts::limb(std::size_t i) const {
  FFCONV_ASSERT(!is_small());
  return bytes_.data() + i * limb_bytes_;
}

void PackedPlaintexts::expand(std::size_t i, AlignedBuffer<std::uint8_t>& dst) const {
  FFCONV_ASSERT(is_small());
  const std::size_t n = ring_->n();
  const Kernels& kernels = ring_->kernels();
  const LimbTables& tables = ring_->tables(basis_[i]);
  if (dst.size() != limb_bytes_) {
    dst = AlignedBuffer<std::uint8_t>(limb_bytes_);
  }
  AlignedBuffer<std::int64_t> integers(n);
  AlignedBuffer<Word> words(n);
  for (std::size_t k = 0; k < count(); ++k) {
    widen(k, integers.data());
    kernels.import_signed(words.data(), integers.data(), n, tables);
    kernels.ntt_forward(words.data(), tables);
    pack(dst.data(), k, count(), words.data(), i);
  }
}

void PackedPlaintexts::widen(std::size_t k, std::int64_t* dst) const {
  const std::size_t n = ring_->n();
  if (!wide_.empty()) {
    std::copy_n(wide_.data() + k * n, n, dst);
    return;
  }
  const std::int16_t* const high = high_.data() + k * n;
  const std::uint8_t* const low = low_.data() + k * n;
  for (std::size_t c = 0; c < n; ++c) {
    dst[c] = std::int64_t{high[c]} * 256 + low[c];
  }
}

}  // namespace ffconv
