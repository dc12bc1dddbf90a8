// The ckks backend: a program on real ciphertexts.
//
// Weights are encoded once, beforehand, at the level and scale where the program uses them; a run
// then only reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ffconv/base/progress.h"
#include "ffconv/ckks/ciphertext.h"
#include "ffconv/ckks/keys.h"
#include "ffconv/ckks/linear_transform.h"
#include "ffconv/ckks/scalar_transform.h"
#include "ffconv/plan/program.h"

namespace ffconv::backend {

// Every plaintext of a program. `program` must have passed check_program() and outlive this.
class EncodedProgram {
 public:
  // small[i]: the weights of instruction i, a kLinear, are kept small (PackedPlaintexts); empty:
  // none. Throws kMismatch where `context` is not made from the program's parameters, and what
  // encode() throws for a weight that is too large for its scale. `progress` hears how many
  // plaintexts are done.
  EncodedProgram(const plan::Program& program, ContextPtr context, const Progress& progress = {},
                 const std::vector<bool>& small = {});
  EncodedProgram(const EncodedProgram&) = delete;
  EncodedProgram& operator=(const EncodedProgram&) = delete;

  const plan::Program& program() const { return program_; }
  const ContextPtr& context() const { return context_; }
  // Memory held by the plaintexts.
  std::size_t bytes() const { return bytes_; }

  // What the instruction, one of program()'s, multiplies by or adds: the weights of a kLinear, as
  // scalars (else nullptr) where it has no rotation and every vector is a constant; the vector of a
  // kAddPlain or kMultiplyPlain, nullptr where it is a constant that multiplies.
  const LinearTransform& transform(const plan::Instruction& op) const;
  const ScalarTransform* scalars(const plan::Instruction& op) const;
  const Plaintext* plaintext(const plan::Instruction& op) const;

 private:
  // Vectors as they are needed somewhere: those of a group of a kLinear, packed together, or one of
  // another instruction. Each is encoded once.
  struct Use {
    std::vector<std::int32_t> vectors;
    int level;
    bool packed;
    bool small;
    bool extended;
    double scale;
    auto operator<=>(const Use&) const = default;
  };
  struct Encoded {  // one of the two
    std::shared_ptr<const PackedPlaintexts> packed;
    std::shared_ptr<const Plaintext> plaintext;
  };
  using EncodedUses = std::map<Use, Encoded>;

  EncodedUses encode_all(const Progress& progress) const;
  Encoded encode_use(const Use& use) const;
  // Of a kAddPlain or kMultiplyPlain; nothing for a constant that multiplies.
  std::optional<Use> use_of(const plan::Instruction& op) const;
  // Of a kLinear, without weights; and what each group needs.
  LinearTransform transform_of(const plan::Instruction& op, std::vector<Use>& uses) const;
  ScalarTransform scalars_of(const plan::Instruction& op) const;
  std::size_t index(const plan::Instruction& op) const;

  const plan::Program& program_;
  ContextPtr context_;
  std::vector<bool> small_;                  // one per instruction
  std::vector<LinearTransform> transforms_;  // one per instruction, empty for most
  std::vector<std::optional<ScalarTransform>> scalars_;
  std::vector<std::shared_ptr<const Plaintext>> plaintexts_;
  std::size_t bytes_ = 0;
};

// A Backend (backend.h) for one run of run(). Every result is held against what the program says of
// it; throws kMismatch where they differ, kMissingKey where `keys` are incomplete.
class CkksBackend {
 public:
  using Ciphertext = ffconv::Ciphertext;

  // Both must outlive the backend.
  CkksBackend(const EncodedProgram& encoded, const EvaluationKeys& keys)
      : encoded_(encoded), keys_(keys) {}

  void begin_instruction(const plan::Instruction& op) { op_ = &op; }

  // Of one image or of several, one image's inputs and outputs after the other's.
  PoolVector<Ciphertext> linear(const plan::Instruction& op,
                                std::span<const Ciphertext* const> inputs);
  Ciphertext rotate(const Ciphertext& x, std::int32_t step);
  Ciphertext rotate_sum(const Ciphertext& x, std::span<const std::int32_t> steps);
  Ciphertext add(const Ciphertext& x, const Ciphertext& y);
  Ciphertext add_plain(const Ciphertext& x, std::int32_t vector);
  Ciphertext multiply_plain(const Ciphertext& x, std::int32_t vector, double plain_scale);
  Ciphertext square(const Ciphertext& x);
  Ciphertext multiply(const Ciphertext& x, const Ciphertext& y);
  Ciphertext relinearize(const Ciphertext& x);
  Ciphertext rescale(const Ciphertext& x);
  Ciphertext relinearize_rescale(const Ciphertext& x);
  Ciphertext drop_level(const Ciphertext& x, std::int32_t level);

 private:
  // `result` as output number `output` of the instruction at hand, with the program's bound on it.
  Ciphertext checked(Ciphertext result, std::size_t output = 0) const;

  const EncodedProgram& encoded_;
  const EvaluationKeys& keys_;
  const plan::Instruction* op_ = nullptr;
};

}  // namespace ffconv::backend
