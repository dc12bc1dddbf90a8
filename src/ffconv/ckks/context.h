// Everything that depends on the parameters alone: ring, bases and the tables of every level.
//
// Immutable; shared by all objects made from it. Two objects belong together when their parameters
// have the same fingerprint.
#pragma once

#include <memory>
#include <optional>
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

  // The level's ciphertext primes.
  const Basis& q_basis(int level) const { return at(level).q; }
  // These, then the level's special primes.
  const Basis& qp_basis(int level) const { return at(level).qp; }

  // x over Q_level -> round(x Q_(level-1) / Q_level); level in [1, max_level].
  const ModulusChange& rescale(int level) const { return *at(level).rescale; }

  // The ends of key switching (key_switching.h), from extended polynomials of a level with keys.
  // x over QP -> round(x / P) over Q.
  const ModulusChange& switch_down(int level) const { return *at(level).switch_down; }
  // x over QP -> round(x Q_(level-1) / (P Q_level)); level at least 1.
  const ModulusChange& switch_down_rescale(int level) const {
    return *at(level).switch_down_rescale;
  }
  // The primes of one digit -> the other primes of QP of the level.
  const BasisExtension& mod_up(int level, int digit) const {
    return at(level).mod_up[static_cast<std::size_t>(digit)];
  }
  // 1 / P modulo the level's ciphertext primes; the level has keys.
  const std::vector<std::uint64_t>& inverse_p(int level) const { return at(level).inverse_p; }

  const Embedding& embedding() const { return embedding_; }

 private:
  struct Level {
    Basis q, qp;
    std::vector<std::uint64_t> inverse_p;
    std::optional<ModulusChange> rescale, switch_down, switch_down_rescale;
    std::vector<BasisExtension> mod_up;
  };

  Context(const Params& params, const Kernels& kernels);
  Level make_level(int level) const;
  void add_key_tables(Level& level, int number) const;
  const Level& at(int level) const { return levels_[static_cast<std::size_t>(level)]; }

  Params params_;
  Ring ring_;
  std::vector<Level> levels_;
  Embedding embedding_;
};

using ContextPtr = std::shared_ptr<const Context>;

}  // namespace ffconv
