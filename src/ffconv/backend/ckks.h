// The ckks backend: a program on real ciphertexts.
//
// Weights are encoded once, beforehand, at the level and scale where the program uses them; a run
// then only reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "ffconv/base/progress.h"
#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"
#include "ffconv/ckks/linear_transform.h"
#include "ffconv/plan/program.h"

namespace ffconv::backend {

// Every plaintext of a program. `program` must have passed check_program() and outlive this.
class EncodedProgram {
 public:
  // Throws kMismatch where `context` is not made from the program's parameters, and what encode()
  // throws for a weight that is too large for its scale. `progress` hears how many plaintexts are
  // done.
  EncodedProgram(const plan::Program& program, ContextPtr context, const Progress& progress = {});
  EncodedProgram(const EncodedProgram&) = delete;
  EncodedProgram& operator=(const EncodedProgram&) = delete;

  const plan::Program& program() const { return program_; }
  const ContextPtr& context() const { return context_; }
  // Memory held by the plaintexts.
  std::size_t bytes() const { return bytes_; }

  // The weights of a kLinear, by its place in Program::instructions.
  const LinearTransform& transform(std::size_t instruction) const;
  // The vector of a kAddPlain or kMultiplyPlain.
  const Plaintext& plaintext(std::size_t instruction) const;

 private:
  const plan::Program& program_;
  ContextPtr context_;
  std::map<std::size_t, LinearTransform> transforms_;
  std::vector<Plaintext> plaintexts_;
  std::map<std::size_t, std::size_t> plaintext_of_;  // instruction -> index
  std::size_t bytes_ = 0;
};

}  // namespace ffconv::backend
