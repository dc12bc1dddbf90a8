// The evaluation keys that a program asks for.
#pragma once

#include <cstdint>
#include <utility>

#include "ffconv/ckks/keys.h"
#include "ffconv/ckks/secret/key_generator.h"
#include "ffconv/plan/program.h"

namespace ffconv::testing {

inline EvaluationKeys make_keys(const SecretKey& secret, const plan::KeyRequest& request) {
  const KeyGenerator generator(secret);
  EvaluationKeys keys;
  for (const std::int32_t level : request.relinearization) {
    keys.relinearization.emplace(level, generator.relinearization_key(level));
  }
  for (const auto& [step, level] : request.rotations) {
    keys.rotations.emplace(std::pair(step, level), generator.rotation_key(step, level));
  }
  return keys;
}

}  // namespace ffconv::testing
