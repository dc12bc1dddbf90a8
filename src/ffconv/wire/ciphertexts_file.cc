#include "ffconv/wire/ciphertexts_file.h"

#include <algorithm>
#include <utility>

#include "ffconv/base/error.h"
#include "ffconv/base/posix_file.h"
#include "ffconv/ckks/public_encryptor.h"
#include "ffconv/wire/residues.h"

namespace ffconv::wire {
namespace {

constexpr std::size_t kHeadBytes = 1 + 1 + 1 + 8;  // level, polynomials, seeded, scale

void write_ciphertext(ByteWriter& writer, const Ciphertext& ciphertext) {
  writer.u8(static_cast<std::uint8_t>(ciphertext.level));
  writer.u8(static_cast<std::uint8_t>(ciphertext.polys.size()));
  writer.u8(ciphertext.seed ? 1 : 0);
  writer.f64(ciphertext.scale);
  if (ciphertext.seed) {
    writer.bytes(*ciphertext.seed);
    write_poly(writer, ciphertext.polys[0]);
    return;
  }
  for (const Poly<Eval>& poly : ciphertext.polys) {
    write_poly(writer, poly);
  }
}

Ciphertext read_ciphertext(ByteReader& reader, const ContextPtr& context) {
  Ciphertext ciphertext;
  ciphertext.context = context;
  ciphertext.level = reader.u8();
  if (ciphertext.level > context->params().max_level()) {
    reader.reject(fmt::format("expected a ciphertext of level {} at most, got {}",
                              context->params().max_level(), ciphertext.level));
  }
  const int polynomials = reader.u8();
  const int seeded = reader.u8();
  if (polynomials < 2 || polynomials > 3 || seeded > 1 || (seeded == 1 && polynomials != 2)) {
    reader.reject(
        fmt::format("expected 2 or 3 polynomials, or 2 of which one is a seed, got {} "
                    "with seed mark {}",
                    polynomials, seeded));
  }
  ciphertext.scale = reader.f64();
  if (!(ciphertext.scale > 0.0)) {
    reader.reject(fmt::format("expected a positive scale, got {}", ciphertext.scale));
  }
  const Basis basis = context->q_basis(ciphertext.level);
  if (seeded == 1) {
    std::ranges::copy(reader.bytes(sizeof(Seed)), ciphertext.seed.emplace().begin());
    ciphertext.polys.push_back(read_poly(reader, context->ring(), basis));
    ciphertext.polys.push_back(
        expand_ciphertext_seed(*context, *ciphertext.seed, ciphertext.level));
    return ciphertext;
  }
  for (int i = 0; i < polynomials; ++i) {
    ciphertext.polys.push_back(read_poly(reader, context->ring(), basis));
  }
  return ciphertext;
}

}  // namespace

std::vector<std::uint8_t> to_bytes(std::span<const Ciphertext> ciphertexts,
                                   const Fingerprint& bundle) {
  if (ciphertexts.empty()) {
    fail(ErrorCode::kInvalidArgument, "ciphertexts: expected at least one, got none");
  }
  const ContextPtr& context = ciphertexts.front().context;
  ByteWriter writer = begin_file();
  writer.u32(static_cast<std::uint32_t>(ciphertexts.size()));
  for (const Ciphertext& ciphertext : ciphertexts) {
    if (ciphertext.context != context) {
      fail(ErrorCode::kMismatch, "ciphertexts: expected one set of parameters, got several");
    }
    write_ciphertext(writer, ciphertext);
  }
  return end_file(std::move(writer), {Kind::kCiphertexts, context->params().fingerprint(), bundle});
}

std::vector<Ciphertext> parse_ciphertexts(std::span<const std::uint8_t> file,
                                          const ContextPtr& context, const Fingerprint& bundle,
                                          const std::string& what) {
  const Opened opened = open(file, Kind::kCiphertexts, what);
  expect_params(opened.header, context->params().fingerprint(), what);
  expect_bundle(opened.header, bundle, what);
  ByteReader reader(opened.payload, what);
  std::vector<Ciphertext> ciphertexts;
  for (std::size_t left = reader.count(kHeadBytes); left > 0; --left) {
    ciphertexts.push_back(read_ciphertext(reader, context));
  }
  reader.expect_end();
  return ciphertexts;
}

void save(const std::filesystem::path& path, std::span<const Ciphertext> ciphertexts,
          const Fingerprint& bundle) {
  write_file(path, to_bytes(ciphertexts, bundle));
}

std::vector<Ciphertext> load_ciphertexts(const std::filesystem::path& path,
                                         const ContextPtr& context, const Fingerprint& bundle) {
  return parse_ciphertexts(read_file(path), context, bundle, path.string());
}

std::uint64_t upload_bytes(const Params& params, const plan::Program& program) {
  std::uint64_t bytes = kFrameBytes + 4;
  for (std::size_t i = 0; i < static_cast<std::size_t>(program.input_count); ++i) {
    bytes += kHeadBytes + sizeof(Seed) + poly_bytes(params, program.values[i].level, false);
  }
  return bytes;
}

std::uint64_t download_bytes(const Params& params, const plan::Program& program) {
  std::uint64_t bytes = kFrameBytes + 4;
  for (const std::int32_t output : program.outputs) {
    const plan::ValueInfo& value = program.values[static_cast<std::size_t>(output)];
    bytes += kHeadBytes +
             static_cast<std::size_t>(value.polynomials) * poly_bytes(params, value.level, false);
  }
  return bytes;
}

}  // namespace ffconv::wire
