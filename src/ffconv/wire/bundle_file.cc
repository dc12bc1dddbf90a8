#include "ffconv/wire/bundle_file.h"

#include <utility>

#include "ffconv/base/error.h"
#include "ffconv/base/posix_file.h"
#include "ffconv/wire/file.h"
#include "ffconv/wire/lists.h"
#include "ffconv/wire/parameters_file.h"
#include "ffconv/wire/program_bytes.h"

namespace ffconv::wire {
namespace {

using runtime::ClientBundle;
using runtime::ExchangedValue;
using runtime::ServerBundle;

constexpr std::size_t kExchangedBytes = 4 + 1 + 8 + 8;
constexpr std::size_t kRotationBytes = 4 + 4;

void write_shape(ByteWriter& writer, const model::Shape& shape) {
  write_list(writer, shape.dims, [&](std::size_t dim) { writer.u64(dim); });
}

model::Shape read_shape(ByteReader& reader) {
  return {read_list(reader, 8, [&] { return static_cast<std::size_t>(reader.u64()); })};
}

void write_strings(ByteWriter& writer, const std::vector<std::string>& strings) {
  write_list(writer, strings, [&](const std::string& text) { writer.string(text); });
}

std::vector<std::string> read_strings(ByteReader& reader) {
  return read_list(reader, 4, [&] { return reader.string(); });
}

void write_exchanged(ByteWriter& writer, const ExchangedValue& value) {
  write_labels(writer, value.labels);
  writer.u8(static_cast<std::uint8_t>(value.level));
  writer.f64(value.scale);
  writer.f64(value.max_abs);
}

ExchangedValue read_exchanged(ByteReader& reader) {
  ExchangedValue value;
  value.labels = read_labels(reader);
  value.level = reader.u8();
  value.scale = reader.f64();
  value.max_abs = reader.f64();
  return value;
}

void write_keys(ByteWriter& writer, const plan::KeyRequest& keys) {
  write_list(writer, keys.relinearization, [&](std::int32_t level) { writer.i32(level); });
  write_list(writer, keys.rotations, [&](const plan::KeyRequest::Rotation& rotation) {
    writer.i32(rotation.step);
    writer.i32(rotation.level);
  });
}

plan::KeyRequest read_keys(ByteReader& reader) {
  plan::KeyRequest keys;
  keys.relinearization = read_list(reader, sizeof(std::int32_t), [&] { return reader.i32(); });
  keys.rotations = read_list(reader, kRotationBytes, [&] {
    plan::KeyRequest::Rotation rotation;
    rotation.step = reader.i32();
    rotation.level = reader.i32();
    return rotation;
  });
  return keys;
}

void write_payload(ByteWriter& writer, const ServerBundle& bundle) {
  writer.string(bundle.model_name);
  write_shape(writer, bundle.input_shape);
  write_strings(writer, bundle.class_names);
  write_program(writer, bundle.program);
}

Fingerprint payload_fingerprint(const ServerBundle& bundle) {
  ByteWriter writer;
  write_payload(writer, bundle);
  return blake2b(writer.view());
}

}  // namespace

ServerBundle make_bundle(plan::Program program, std::string model_name, model::Shape input_shape,
                         std::vector<std::string> class_names) {
  ServerBundle bundle{std::move(model_name),
                      std::move(input_shape),
                      std::move(class_names),
                      std::move(program),
                      {}};
  check(bundle, "bundle");
  bundle.fingerprint = payload_fingerprint(bundle);
  return bundle;
}

std::vector<std::uint8_t> to_bytes(const ServerBundle& bundle) {
  ByteWriter writer = begin_file();
  write_payload(writer, bundle);
  return end_file(
      std::move(writer),
      {Kind::kServerBundle, Params(bundle.program.params).fingerprint(), bundle.fingerprint});
}

std::vector<std::uint8_t> to_bytes(const ClientBundle& bundle) {
  ByteWriter writer = begin_file();
  writer.string(bundle.model_name);
  write_spec(writer, bundle.params);
  write_shape(writer, bundle.input_shape);
  for (const auto* values : {&bundle.inputs, &bundle.outputs}) {
    write_list(writer, *values, [&](const ExchangedValue& x) { write_exchanged(writer, x); });
  }
  write_keys(writer, bundle.keys);
  write_strings(writer, bundle.class_names);
  writer.f64(bundle.output_noise_std);
  return end_file(std::move(writer),
                  {Kind::kClientBundle, Params(bundle.params).fingerprint(), bundle.fingerprint});
}

ServerBundle parse_server_bundle(std::span<const std::uint8_t> file, const std::string& what) {
  const Opened opened = open(file, Kind::kServerBundle, what);
  expect_bundle(opened.header, blake2b(opened.payload), what);
  ByteReader reader(opened.payload, what);
  ServerBundle bundle;
  bundle.model_name = reader.string();
  bundle.input_shape = read_shape(reader);
  bundle.class_names = read_strings(reader);
  bundle.program = read_program(reader);
  reader.expect_end();
  bundle.fingerprint = opened.header.bundle;
  const Params params = checked_params(bundle.program.params, what);
  expect_params(opened.header, params.fingerprint(), what);
  check(bundle, what);
  return bundle;
}

ClientBundle parse_client_bundle(std::span<const std::uint8_t> file, const std::string& what) {
  const Opened opened = open(file, Kind::kClientBundle, what);
  ByteReader reader(opened.payload, what);
  ClientBundle bundle;
  bundle.model_name = reader.string();
  bundle.params = read_spec(reader);
  bundle.input_shape = read_shape(reader);
  for (auto* values : {&bundle.inputs, &bundle.outputs}) {
    *values = read_list(reader, kExchangedBytes, [&] { return read_exchanged(reader); });
  }
  bundle.keys = read_keys(reader);
  bundle.class_names = read_strings(reader);
  bundle.output_noise_std = reader.f64();
  reader.expect_end();
  bundle.fingerprint = opened.header.bundle;
  const Params params = checked_params(bundle.params, what);
  expect_params(opened.header, params.fingerprint(), what);
  check(bundle, what);
  return bundle;
}

void save(const std::filesystem::path& path, const ServerBundle& bundle) {
  write_file(path, to_bytes(bundle));
}

void save(const std::filesystem::path& path, const ClientBundle& bundle) {
  write_file(path, to_bytes(bundle));
}

ServerBundle load_server_bundle(const std::filesystem::path& path) {
  return parse_server_bundle(read_file(path), path.string());
}

ClientBundle load_client_bundle(const std::filesystem::path& path) {
  return parse_client_bundle(read_file(path), path.string());
}

}  // namespace ffconv::wire
