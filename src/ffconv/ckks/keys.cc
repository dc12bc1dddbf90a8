#include "ffconv/ckks/keys.h"

#include <cstring>
#include <utility>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ring/samplers.h"

namespace ffconv {

KeyPairs::KeyPairs(const Ring& ring, Basis basis, int digits)
    : ring_(&ring),
      basis_(std::move(basis)),
      digits_(static_cast<std::size_t>(digits)),
      bytes_(basis_.size() * ring.n() / kPackedRun * stride()) {}

void KeyPairs::set(std::size_t digit, Half half, const Poly<Eval>& x) {
  FFCONV_ASSERT(&x.ring() == ring_ && x.basis() == basis_ && digit < digits_);
  parallel_for(basis_.size(), [&](std::size_t i) {
    std::uint8_t* dst = bytes_.data() + i * ring_->n() / kPackedRun * stride();
    ring_->kernels().pack48(dst + offset(digit, half), stride(), x.limb(i), ring_->n(),
                            x.tables(i));
  });
}

Poly<Eval> KeyPairs::get(std::size_t digit, Half half) const {
  FFCONV_ASSERT(digit < digits_);
  Poly<Eval> x(*ring_, basis_);
  parallel_for(basis_.size(), [&](std::size_t i) {
    AlignedBuffer<std::uint64_t> residues(ring_->n());
    for (std::size_t k = 0; k < residues.size(); ++k) {
      const std::uint8_t* const residue =
          at(i, k) + offset(digit, half) + k % kPackedRun * kPackedBytes;
      residues[k] = 0;
      std::memcpy(&residues[k], residue, kPackedBytes);  // lowest byte first, as this machine's
    }
    ring_->kernels().import_limb(x.limb(i), residues.data(), ring_->n(), x.tables(i));
  });
  return x;
}

const RotationKey& EvaluationKeys::rotation(int step, int level, const Params& params) const {
  const auto first = rotations.lower_bound({step, level});
  const auto last = rotations.upper_bound({step, params.max_level()});
  for (auto key = first; key != last; ++key) {
    if (params.serves(key->first.second, level)) {
      return key->second;
    }
  }
  fail(ErrorCode::kMissingKey, "no key for rotations by {} serves level {}: make it at that level",
       step, level);
}

const SwitchingKey& EvaluationKeys::relinearization_for(int level, const Params& params) const {
  for (auto key = relinearization.lower_bound(level); key != relinearization.end(); ++key) {
    if (params.serves(key->first, level)) {
      return key->second;
    }
  }
  fail(ErrorCode::kMissingKey, "no relinearization key serves level {}: make it at that level",
       level);
}

void expand(PublicKey& key, const Context& context) {
  Basis basis = context.q_basis(key.level);
  if (context.params().has_keys(key.level)) {
    basis.push_back(context.qp_basis(key.level)[basis.size()]);
  }
  key.a = sample_uniform_vartime(context.ring(), basis, key.seed, 0);
}

Poly<Eval> expand(const Seed& seed, int level, std::size_t digit, const Context& context) {
  return sample_uniform_vartime(context.ring(), context.qp_basis(level), seed, digit);
}

}  // namespace ffconv
