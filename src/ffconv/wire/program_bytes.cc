#include "ffconv/wire/program_bytes.h"

#include "ffconv/wire/lists.h"
#include "ffconv/wire/parameters_file.h"

namespace ffconv::wire {
namespace {

using plan::Instruction;
using plan::LinearTerm;
using plan::OpCode;
using plan::SlotLabels;
using plan::SlotVector;
using plan::ValueInfo;

// The least that an element takes in a file, lists in it being empty.
constexpr std::size_t kCountBytes = 4;
constexpr std::size_t kValueBytes = 1 + 1 + 8 + 8;
constexpr std::size_t kTermBytes = 5 * 4;
constexpr std::size_t kInstructionBytes = 1 + 4 * kCountBytes + 4 + 8 + 4;

void write_numbers(ByteWriter& writer, const std::vector<std::int32_t>& numbers) {
  write_list(writer, numbers, [&](std::int32_t x) { writer.i32(x); });
}

std::vector<std::int32_t> read_numbers(ByteReader& reader) {
  return read_list(reader, 4, [&] { return reader.i32(); });
}

void write_value(ByteWriter& writer, const ValueInfo& value) {
  writer.u8(static_cast<std::uint8_t>(value.level));
  writer.u8(static_cast<std::uint8_t>(value.polynomials));
  writer.f64(value.scale);
  writer.f64(value.max_abs);
}

ValueInfo read_value(ByteReader& reader) {
  ValueInfo value;
  value.level = reader.u8();
  value.polynomials = reader.u8();
  value.scale = reader.f64();
  value.max_abs = reader.f64();
  return value;
}

void write_term(ByteWriter& writer, const LinearTerm& term) {
  for (const std::int32_t x : {term.input, term.output, term.baby, term.giant, term.vector}) {
    writer.i32(x);
  }
}

LinearTerm read_term(ByteReader& reader) {
  LinearTerm term;
  for (std::int32_t* x : {&term.input, &term.output, &term.baby, &term.giant, &term.vector}) {
    *x = reader.i32();
  }
  return term;
}

void write_instruction(ByteWriter& writer, const Instruction& op) {
  writer.u8(static_cast<std::uint8_t>(op.op));
  write_numbers(writer, op.in);
  write_numbers(writer, op.out);
  write_list(writer, op.terms, [&](const LinearTerm& term) { write_term(writer, term); });
  write_numbers(writer, op.rotations);
  writer.i32(op.vector);
  writer.f64(op.plain_scale);
  writer.i32(op.layer);
}

Instruction read_instruction(ByteReader& reader) {
  Instruction op;
  op.op = static_cast<OpCode>(reader.u8());
  op.in = read_numbers(reader);
  op.out = read_numbers(reader);
  op.terms = read_list(reader, kTermBytes, [&] { return read_term(reader); });
  op.rotations = read_numbers(reader);
  op.vector = reader.i32();
  op.plain_scale = reader.f64();
  op.layer = reader.i32();
  return op;
}

}  // namespace

void write_labels(ByteWriter& writer, const SlotLabels& labels) {
  write_numbers(writer, labels.elements);
}

SlotLabels read_labels(ByteReader& reader) {
  return {read_numbers(reader)};
}

void write_program(ByteWriter& writer, const plan::Program& program) {
  write_spec(writer, program.params);
  writer.i32(program.input_count);
  write_list(writer, program.values, [&](const ValueInfo& value) { write_value(writer, value); });
  write_list(writer, program.instructions,
             [&](const Instruction& op) { write_instruction(writer, op); });
  write_list(writer, program.vectors, [&](const SlotVector& vector) {
    write_list(writer, vector.values, [&](double x) { writer.f64(x); });
  });
  write_numbers(writer, program.outputs);
  write_list(writer, program.layers, [&](const std::string& name) { writer.string(name); });
  for (const auto* labels : {&program.input_labels, &program.output_labels}) {
    write_list(writer, *labels, [&](const SlotLabels& x) { write_labels(writer, x); });
  }
  writer.f64(program.output_noise_std);
}

plan::Program read_program(ByteReader& reader) {
  plan::Program program;
  program.params = read_spec(reader);
  program.input_count = reader.i32();
  program.values = read_list(reader, kValueBytes, [&] { return read_value(reader); });
  program.instructions =
      read_list(reader, kInstructionBytes, [&] { return read_instruction(reader); });
  program.vectors = read_list(reader, kCountBytes, [&] {
    return SlotVector{read_list(reader, sizeof(double), [&] { return reader.f64(); })};
  });
  program.outputs = read_numbers(reader);
  program.layers = read_list(reader, kCountBytes, [&] { return reader.string(); });
  for (auto* labels : {&program.input_labels, &program.output_labels}) {
    *labels = read_list(reader, kCountBytes, [&] { return read_labels(reader); });
  }
  program.output_noise_std = reader.f64();
  return program;
}

}  // namespace ffconv::wire
