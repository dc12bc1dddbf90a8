// The interpreter: executes a program on any backend, one instruction after the other.
//
// A register is freed after its last use, so that memory holds only what is still needed.
// Parallelism is inside the backend's operations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ffconv/backend/backend.h"
#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"
#include "ffconv/base/pool_vector.h"
#include "ffconv/base/progress.h"
#include "ffconv/plan/program.h"

namespace ffconv::backend {

// Registers of one run: written once, moved out at the last use.
template <typename Ciphertext>
class Registers {
 public:
  explicit Registers(const plan::Program& program)
      : values_(program.values.size()), last_use_(plan::last_uses(program)) {}

  void set(std::int32_t r, Ciphertext value) { values_[index(r)].emplace(std::move(value)); }
  const Ciphertext& get(std::int32_t r) const {
    FFCONV_ASSERT(values_[index(r)].has_value());
    return *values_[index(r)];
  }
  // The register's value for a consumer at instruction `at`: moved if nobody reads it later.
  Ciphertext take(std::int32_t r, std::size_t at) {
    FFCONV_ASSERT(values_[index(r)].has_value());
    return last_use_[index(r)] == at ? std::move(*values_[index(r)]) : *values_[index(r)];
  }
  // Frees what instruction `at` was the last to need, its own results included.
  void release(const plan::Instruction& op, std::size_t at) {
    for (const auto* list : {&op.in, &op.out}) {
      for (const std::int32_t r : *list) {
        if (last_use_[index(r)] == at) {
          values_[index(r)].reset();
        }
      }
    }
  }

 private:
  static std::size_t index(std::int32_t r) { return static_cast<std::size_t>(r); }
  PoolVector<std::optional<Ciphertext>> values_;
  PoolVector<std::size_t> last_use_;
};

// Executes instruction number `at` of a checked program.
template <Backend B>
void execute(const plan::Program& program, std::size_t at, B& backend,
             Registers<typename B::Ciphertext>& registers) {
  using plan::OpCode;
  const plan::Instruction& op = program.instructions[at];
  const auto read = [&](std::size_t i) -> const auto& {
    return registers.get(op.in[i]);
  };
  const auto take = [&] { return registers.take(op.in[0], at); };
  const auto write = [&](typename B::Ciphertext value) {
    registers.set(op.out[0], std::move(value));
  };
  switch (op.op) {
    case OpCode::kLinear: {
      PoolVector<const typename B::Ciphertext*> inputs;
      for (std::size_t i = 0; i < op.in.size(); ++i) {
        inputs.push_back(&read(i));
      }
      auto outputs = backend.linear(op, std::span(inputs));
      FFCONV_ASSERT(outputs.size() == op.out.size());
      for (std::size_t o = 0; o < op.out.size(); ++o) {
        registers.set(op.out[o], std::move(outputs[o]));
      }
      return;
    }
    case OpCode::kRotate:
      return write(backend.rotate(read(0), op.rotations[0]));
    case OpCode::kRotateSum:
      return write(backend.rotate_sum(read(0), std::span(op.rotations)));
    case OpCode::kAdd:
      // x + x must not move x before it is read again.
      return write(op.in[0] == op.in[1] ? backend.add(read(0), read(0))
                                        : backend.add(take(), read(1)));
    case OpCode::kAddPlain:
      return write(backend.add_plain(take(), op.vector));
    case OpCode::kMultiplyPlain:
      return write(backend.multiply_plain(take(), op.vector, op.plain_scale));
    case OpCode::kSquare:
      return write(backend.square(read(0)));
    case OpCode::kMultiply:
      return write(backend.multiply(read(0), read(1)));
    case OpCode::kRelinearize:
      return write(backend.relinearize(take()));
    case OpCode::kRescale:
      return write(backend.rescale(take()));
    case OpCode::kRelinearizeRescale:
      return write(backend.relinearize_rescale(take()));
    case OpCode::kDropLevel:
      return write(
          backend.drop_level(take(), program.values[static_cast<std::size_t>(op.out[0])].level));
  }
}

// Sees every register as it is written.
template <typename Ciphertext>
using Observer = std::function<void(std::int32_t reg, const Ciphertext& value)>;

// Executes `program`, which must have passed check_program(), on `inputs`, one for each of its
// inputs, and returns its outputs in order. `progress` hears, after each instruction, the name of
// its layer and how many instructions are done. Throws kMismatch on a wrong number of inputs, and
// what the backend throws.
template <Backend B>
std::vector<typename B::Ciphertext> run(const plan::Program& program, B& backend,
                                        std::vector<typename B::Ciphertext> inputs,
                                        const Progress& progress = {},
                                        const Observer<typename B::Ciphertext>& observer = {}) {
  if (inputs.size() != static_cast<std::size_t>(program.input_count)) {
    fail(ErrorCode::kMismatch, "program inputs: expected {} ciphertexts, got {}",
         program.input_count, inputs.size());
  }
  Registers<typename B::Ciphertext> registers(program);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    registers.set(static_cast<std::int32_t>(i), std::move(inputs[i]));
  }
  const std::size_t total = program.instructions.size();
  for (std::size_t at = 0; at < total; ++at) {
    const plan::Instruction& op = program.instructions[at];
    if constexpr (InstructionAware<B>) {
      backend.begin_instruction(op);
    }
    execute(program, at, backend, registers);
    for (std::size_t o = 0; observer && o < op.out.size(); ++o) {
      observer(op.out[o], registers.get(op.out[o]));
    }
    registers.release(op, at);
    if (progress) {
      progress(program.layers[static_cast<std::size_t>(op.layer)], at + 1, total);
    }
  }
  std::vector<typename B::Ciphertext> outputs = std::move(inputs);  // their storage serves again
  outputs.clear();
  for (const std::int32_t r : program.outputs) {
    outputs.push_back(registers.get(r));
  }
  return outputs;
}

}  // namespace ffconv::backend
