// Everything that depends on the parameters alone: ring, bases and the tables of every level.
//
// Immutable; shared by all objects made from it. Two objects belong together when their parameters
// have the same fingerprint.
#pragma once

#include <memory>
#include <vector>

#include "ffconv/ckks/embedding.h"
#include "ffconv/ckks/params.h"
#include "ffconv/ring/basis_extension.h"
#include "ffconv/ring/ring.h"

namespace ffconv {

class Context {
 public:
  static std::shared_ptr<const Context> make(const Params& params,
                                             const Kernels& kernels = active_kernels());

  const Params& params() const { return params_; }
  const Ring& ring() const { return ring_; }
  std::size_t n() const { return ring_.n(); }

  // q_0 .. q_level.
  Basis q_basis(int level) const;
  // q_0 .. q_level, then the special primes.
  Basis qp_basis(int level) const;

  // x over q_0 .. q_level -> round(x / q_level); level in [1, max_level].
  const DivideByPrimes& rescale(int level) const {
    return rescale_[static_cast<std::size_t>(level) - 1];
  }
  // x over QP of the level -> round(x / P); level in [0, max_key_level].
  const DivideByPrimes& mod_down(int level) const {
    return mod_down_[static_cast<std::size_t>(level)];
  }
  // x over QP of the level -> round(x / (P q_level)); level in [1, max_key_level].
  const DivideByPrimes& mod_down_rescale(int level) const {
    return mod_down_rescale_[static_cast<std::size_t>(level) - 1];
  }
  // The primes of one digit -> the other primes of QP of the level.
  const BasisExtension& mod_up(int level, int digit) const {
    return mod_up_[static_cast<std::size_t>(level)][static_cast<std::size_t>(digit)];
  }
  // P modulo q_i.
  const std::vector<std::uint64_t>& p_residues() const { return p_residues_; }

  const Embedding& embedding() const { return embedding_; }

 private:
  Context(const Params& params, const Kernels& kernels);

  Params params_;
  Ring ring_;
  std::vector<DivideByPrimes> rescale_, mod_down_, mod_down_rescale_;
  std::vector<std::vector<BasisExtension>> mod_up_;
  std::vector<std::uint64_t> p_residues_;
  Embedding embedding_;
};

using ContextPtr = std::shared_ptr<const Context>;

}  // namespace ffconv
