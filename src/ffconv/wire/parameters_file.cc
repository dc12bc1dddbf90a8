#include "ffconv/wire/parameters_file.h"

#include "ffconv/base/error.h"
#include "ffconv/base/posix_file.h"
#include "ffconv/wire/file.h"
#include "ffconv/wire/lists.h"

namespace ffconv::wire {
namespace {

constexpr std::size_t kLevelBytes = 12;  // two empty lists and the digit primes

}  // namespace

void write_spec(ByteWriter& writer, const ParamsSpec& spec) {
  if (spec.security != Security::k128) {
    fail(ErrorCode::kInsecure,
         "parameters: expected 128 bits of security, got parameters for testing: they are never "
         "written to a file");
  }
  writer.i32(spec.log_n);
  writer.i32(spec.prime_log_n);
  write_list(writer, spec.q_bits, [&](double bits) { writer.f64(bits); });
  write_list(writer, spec.p_bits, [&](double bits) { writer.f64(bits); });
  const auto write_numbers = [&](const std::vector<std::uint16_t>& numbers) {
    write_list(writer, numbers, [&](std::uint16_t k) { writer.u8(static_cast<std::uint8_t>(k)); });
  };
  write_list(writer, spec.levels, [&](const LevelSpec& level) {
    write_numbers(level.primes);
    write_numbers(level.special);
    writer.i32(level.digit_primes);
  });
}

ParamsSpec read_spec(ByteReader& reader) {
  const auto read_bits = [&] { return reader.f64(); };
  ParamsSpec spec;
  spec.log_n = reader.i32();
  spec.prime_log_n = reader.i32();
  spec.q_bits = read_list(reader, sizeof(double), read_bits);
  spec.p_bits = read_list(reader, sizeof(double), read_bits);
  const auto read_number = [&] { return static_cast<std::uint16_t>(reader.u8()); };
  spec.levels = read_list(reader, kLevelBytes, [&] {
    LevelSpec level;
    level.primes = read_list(reader, 1, read_number);
    level.special = read_list(reader, 1, read_number);
    level.digit_primes = reader.i32();
    return level;
  });
  return spec;
}

Params checked_params(const ParamsSpec& spec, const std::string& what) {
  try {
    return Params(spec);
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", what, error.what());
  }
}

std::vector<std::uint8_t> to_bytes(const Params& params) {
  ByteWriter writer = begin_file();
  write_spec(writer, params.spec());
  return end_file(std::move(writer), {Kind::kParameters, params.fingerprint()});
}

Params parse_parameters(std::span<const std::uint8_t> file, const std::string& what) {
  const Opened opened = open(file, Kind::kParameters, what);
  expect_bundle(opened.header, kNoBundle, what);
  ByteReader reader(opened.payload, what);
  Params params = checked_params(read_spec(reader), what);
  reader.expect_end();
  expect_params(opened.header, params.fingerprint(), what);
  return params;
}

void save(const std::filesystem::path& path, const Params& params) {
  write_file(path, to_bytes(params));
}

Params load_parameters(const std::filesystem::path& path) {
  return parse_parameters(read_file(path), path.string());
}

}  // namespace ffconv::wire
