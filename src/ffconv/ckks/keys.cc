#include "ffconv/ckks/keys.h"

#include "ffconv/base/error.h"
#include "ffconv/ring/samplers.h"

namespace ffconv {

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

void expand(SwitchingKey& key, const Context& context) {
  key.a.clear();
  const Basis basis = context.qp_basis(key.level);
  for (int digit = 0; digit < context.params().digit_count(key.level); ++digit) {
    key.a.push_back(
        sample_uniform_vartime(context.ring(), basis, key.seed, static_cast<std::uint64_t>(digit)));
  }
}

}  // namespace ffconv
