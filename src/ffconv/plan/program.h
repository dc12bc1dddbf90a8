// The program: a flat list of homomorphic instructions over numbered ciphertexts.
//
// Conventions. Slot vectors are cyclic of length slot_count = 2^log_n, real. Rotation by k brings
// slot j + k to slot j. A level is the number of primes that rescaling has not consumed yet, minus
// one: inputs stand at the highest level in use, level 0 has one prime left. Every ciphertext has a
// level and a scale that are known when the program is made (ValueInfo), so no scale or level can
// go wrong when it runs. A register is written once.
//
// The same program runs on the clear, count and ckks backends (src/ffconv/backend/), so the counts
// that are printed are those of what runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ffconv/base/pool_vector.h"
#include "ffconv/ckks/params.h"

namespace ffconv::plan {

// Real slot values of period values.size(), a power of two that divides slot_count: slot s holds
// values[s % values.size()].
struct SlotVector {
  std::vector<double> values;

  bool is_constant() const { return values.size() == 1; }
};

// Tensor elements in slots, of period elements.size(): slot s holds element elements[s % period],
// or nothing (the slot is zero) where that is kEmpty.
struct SlotLabels {
  static constexpr std::int32_t kEmpty = -1;
  std::vector<std::int32_t> elements;

  bool operator==(const SlotLabels&) const = default;
};

// out = sum over terms of rotate(vector * rotate(input, baby), giant): a linear map given by
// generalized diagonals, grouped into baby and giant steps (docs/packing.md). `vector` is already
// rotated by -giant.
struct LinearTerm {
  std::int32_t input;   // position in Instruction::in
  std::int32_t output;  // position in Instruction::out
  std::int32_t baby;    // in [0, slot_count)
  std::int32_t giant;   // in [0, slot_count)
  std::int32_t vector;  // index into Program::vectors

  bool rotates() const { return baby != 0 || giant != 0; }
};

enum class OpCode : std::uint8_t {
  kLinear,  // out[o] = the sum of `terms`, plaintexts at plain_scale; level unchanged, not rescaled
  kRotate,  // out = rotate(in, rotations[0])
  kRotateSum,           // out = sum of rotate(in, k) over k in rotations, decomposed once
  kAdd,                 // out = in[0] + in[1]
  kAddPlain,            // out = in + vectors[vector], encoded at the ciphertext's scale
  kMultiplyPlain,       // out = in * vectors[vector], encoded at plain_scale; not rescaled
  kSquare,              // out = in^2, three polynomials, not relinearized, not rescaled
  kMultiply,            // out = in[0] * in[1], three polynomials
  kRelinearize,         // three polynomials -> two
  kRescale,             // divide by the level's last prime: level - 1
  kDropLevel,           // forget primes down to out's level; scale unchanged
  kRelinearizeRescale,  // three polynomials -> two and level - 1, with one division and rounding
};

struct Instruction {
  OpCode op = OpCode::kLinear;
  std::vector<std::int32_t> in{};   // registers read
  std::vector<std::int32_t> out{};  // registers written; one except for kLinear
  std::vector<LinearTerm> terms{};
  std::vector<std::int32_t> rotations{};
  std::int32_t vector = -1;
  double plain_scale = 0.0;
  std::int32_t layer = 0;  // index into Program::layers, for reports
};

struct ValueInfo {
  std::int32_t level = 0;
  std::int32_t polynomials = 2;
  double scale = 0.0;
  double max_abs = 0.0;  // bound on |slot|, from the value ranges with their margin
  // Root mean square of the slots in use, without margin, by which precision is predicted; programs
  // in files do not have it.
  double rms = 0.0;
};

// Which keys a program needs, each at the levels at which it is used; not at a level that a key of
// a higher one serves.
struct KeyRequest {
  std::vector<std::int32_t> relinearization;  // levels, ascending
  struct Rotation {
    std::int32_t step;  // in [1, slot_count)
    std::int32_t level;
  };
  std::vector<Rotation> rotations;  // by step, then level, ascending

  std::size_t count() const { return relinearization.size() + rotations.size(); }
};

// The levels at which a program uses keys.
struct UsedKeys {
  std::set<std::int32_t> relinearization;
  std::map<std::int32_t, std::set<std::int32_t>> rotations;  // by step
};

struct Program {
  ParamsSpec params;
  std::int32_t input_count = 0;           // registers 0 .. input_count - 1
  std::vector<ValueInfo> values;          // one per register
  std::vector<Instruction> instructions;  // in execution order
  std::vector<SlotVector> vectors;        // weights and biases
  std::vector<std::int32_t> outputs;      // registers
  std::vector<std::string> layers;        // names, for reports

  std::vector<SlotLabels> input_labels;   // one per input: elements of the image, flattened c, h, w
  std::vector<SlotLabels> output_labels;  // one per output: class indices
  double output_noise_std = 0.0;          // predicted standard deviation of an output slot's error
};

// Whether any term rotates: a kLinear then needs keys, and its weights the special primes.
bool rotates(const Instruction& op);
// Whether a kLinear is a matrix of scalars: without rotations, every vector a constant.
bool is_scalar(const Program& program, const Instruction& op);

UsedKeys used_keys(const Program& program);

// The keys that `program` needs; program.params must be valid.
KeyRequest key_request(const Program& program);

// Lets go of the weights: the program still runs on what was encoded from it, but can not be
// encoded, counted or stored any more. Constants stay.
void forget_weights(Program& program);

// For each register the index of the instruction after which it is not needed any more: the last
// that reads it or, where none does, the one that writes it (0 for an input); instructions.size()
// for an output.
PoolVector<std::size_t> last_uses(const Program& program);

// Throws kFormat, naming `what`, unless every index, level, scale, period and rotation of `program`
// is consistent: what a program read from a file must pass before it runs. Parameters that are
// malformed or insecure throw what Params throws. Time and memory are linear in the program's own
// size.
void check_program(const Program& program, const std::string& what);

}  // namespace ffconv::plan
