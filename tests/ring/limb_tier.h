// One tier at one prime, with functions that take and give canonical residues.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "ffconv/ring/kernels/kernels.h"
#include "ffconv/ring/primes.h"

namespace ffconv {

// Of the forms of a word that are not canonical (kernels.h), the one of the double tiers.
inline bool holds_doubles(const Kernels& kernels) {
  return kernels.name != "scalar" && !kernels.name.ends_with("ifma");
}

struct LimbTier {
  const Kernels& kernels;
  LimbTables tables;
  std::size_t n;

  LimbTier(const Kernels& k, std::uint64_t q, int log_n) : kernels(k), n(std::size_t{1} << log_n) {
    tables.q = q;
    tables.log_n = log_n;
    tables.root = primitive_root(q, log_n);
    kernels.prepare(tables);
  }

  AlignedBuffer<Word> import(const std::vector<std::uint64_t>& x) const {
    AlignedBuffer<Word> limb(n);
    kernels.import_limb(limb.data(), x.data(), n, tables);
    return limb;
  }

  // The same residues, each as the word of largest magnitude that the contract allows.
  AlignedBuffer<Word> import_extreme(const std::vector<std::uint64_t>& x) const {
    AlignedBuffer<Word> limb = import(x);
    for (std::size_t i = 0; i < n; ++i) {
      if (holds_doubles(kernels)) {
        const auto q = static_cast<double>(tables.q), residue = static_cast<double>(x[i]);
        limb[i] = std::bit_cast<Word>(residue <= 0.4 * q   ? residue + q
                                      : residue >= 0.6 * q ? residue - 2 * q
                                                           : residue);
      } else if (kernels.name != "scalar") {
        limb[i] += 3 * tables.q;
      }
    }
    return limb;
  }

  std::vector<std::uint64_t> exported(const AlignedBuffer<Word>& limb) const {
    std::vector<std::uint64_t> x(n);
    kernels.export_limb(x.data(), limb.data(), n, tables);
    return x;
  }

  // The largest word, as a multiple of q, and what the form allows.
  double largest(const AlignedBuffer<Word>& limb) const {
    double largest = 0;
    for (const Word word : limb) {
      largest = std::max(largest, holds_doubles(kernels) ? std::abs(std::bit_cast<double>(word))
                                                         : static_cast<double>(word));
    }
    return largest / static_cast<double>(tables.q);
  }
  double bound() const {
    return holds_doubles(kernels) ? 1.4 : kernels.name == "scalar" ? 1.0 : 4.0;
  }
};

}  // namespace ffconv
