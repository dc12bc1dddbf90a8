// Canonical residues, to compare ciphertexts bit for bit.
#pragma once

#include <cstdint>
#include <vector>

#include "ffconv/ckks/ciphertext.h"

namespace ffconv::testing {

// Of every limb of every polynomial.
template <typename Ciphertexts>
std::vector<std::vector<std::uint64_t>> residues(const Ciphertexts& ciphertexts) {
  std::vector<std::vector<std::uint64_t>> all;
  for (const Ciphertext& x : ciphertexts) {
    for (const Poly<Eval>& poly : x.polys) {
      for (std::size_t limb = 0; limb < poly.limb_count(); ++limb) {
        export_limb(all.emplace_back(x.context->n()), poly, limb);
      }
    }
  }
  return all;
}

}  // namespace ffconv::testing
