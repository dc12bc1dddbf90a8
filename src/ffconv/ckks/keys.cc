#include "ffconv/ckks/keys.h"

#include "ffconv/base/error.h"
#include "ffconv/ring/samplers.h"

namespace ffconv {

const RotationKey& EvaluationKeys::rotation(int step, int level) const {
  const auto found = rotations.find(step);
  if (found == rotations.end()) {
    fail(ErrorCode::kMissingKey, "no key for rotations by {}: make it at level {} or above", step,
         level);
  }
  if (found->second.key.level < level) {
    fail(
        ErrorCode::kMissingKey,
        "the key for rotations by {} was made at level {}, the ciphertext stands at level {}: make "
        "the key at that level",
        step, found->second.key.level, level);
  }
  return found->second;
}

const SwitchingKey& EvaluationKeys::relinearization_for(int level) const {
  if (!relinearization || relinearization->level < level) {
    fail(ErrorCode::kMissingKey, "no relinearization key for level {} ({})", level,
         relinearization
             ? "the one at hand was made at level " + std::to_string(relinearization->level)
             : std::string("none was made"));
  }
  return *relinearization;
}

void expand(PublicKey& key, const Context& context) {
  Basis basis = context.q_basis(key.level);
  if (key.extended) {
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
