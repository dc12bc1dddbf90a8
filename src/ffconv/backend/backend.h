// What executes a program's instructions: the Backend concept.
//
// A backend is made for one plan::Program and refers to it: `vector` below is an index into its
// vectors. It is handed ciphertexts whose levels, scales and sizes are those of the program's
// ValueInfo, since check_program() proved them consistent; it checks what it needs beside that
// (keys). Parameters taken by value are consumed: run() moves a register in at its last use and
// copies it otherwise, so that an operation may work in place.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "ffconv/base/pool_vector.h"
#include "ffconv/plan/program.h"

namespace ffconv::backend {

template <typename B>
concept Backend = std::copyable<typename B::Ciphertext> &&
    requires(B backend, const plan::Instruction& op, typename B::Ciphertext x,
             const typename B::Ciphertext& y, std::span<const typename B::Ciphertext* const> inputs,
             std::int32_t number, std::span<const std::int32_t> steps, double scale) {
  // kLinear: one ciphertext for each of op.out; inputs[i] is register op.in[i].
  { backend.linear(op, inputs) } -> std::same_as<PoolVector<typename B::Ciphertext>>;
  // kRotate by `number`, and kRotateSum over `steps` (each in [0, slot_count)).
  { backend.rotate(y, number) } -> std::same_as<typename B::Ciphertext>;
  { backend.rotate_sum(y, steps) } -> std::same_as<typename B::Ciphertext>;
  // kAdd, kAddPlain (number: the vector), kMultiplyPlain (the vector, its scale).
  { backend.add(std::move(x), y) } -> std::same_as<typename B::Ciphertext>;
  { backend.add_plain(std::move(x), number) } -> std::same_as<typename B::Ciphertext>;
  { backend.multiply_plain(std::move(x), number, scale) } -> std::same_as<typename B::Ciphertext>;
  // kSquare, kMultiply, kRelinearize, kRescale, kRelinearizeRescale, kDropLevel (number: the level
  // to keep).
  { backend.square(y) } -> std::same_as<typename B::Ciphertext>;
  { backend.multiply(y, y) } -> std::same_as<typename B::Ciphertext>;
  { backend.relinearize(std::move(x)) } -> std::same_as<typename B::Ciphertext>;
  { backend.rescale(std::move(x)) } -> std::same_as<typename B::Ciphertext>;
  { backend.relinearize_rescale(std::move(x)) } -> std::same_as<typename B::Ciphertext>;
  { backend.drop_level(std::move(x), number) } -> std::same_as<typename B::Ciphertext>;
};

// A backend that wants to know which instruction its next operation carries out has
// void begin_instruction(const plan::Instruction&), called before each.
template <typename B>
concept InstructionAware = requires(B backend, const plan::Instruction& op) {
  backend.begin_instruction(op);
};

}  // namespace ffconv::backend
