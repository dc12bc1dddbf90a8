#include "ffconv/wire/file.h"

#include <algorithm>
#include <utility>

#include <sodium.h>

#include "ffconv/base/assert.h"
#include "ffconv/base/error.h"
#include "ffconv/base/random.h"

namespace ffconv::wire {
namespace {

// A carriage return and a line feed: a transfer that rewrites line ends shows at once.
constexpr std::array<std::uint8_t, 8> kMagic = {'F', 'F', 'C', 'o', 'n', 'v', '\r', '\n'};

std::string name_of(std::uint16_t kind) {
  switch (static_cast<Kind>(kind)) {
    case Kind::kParameters:
      return "parameters";
    case Kind::kEvaluationKeys:
      return "evaluation keys";
    case Kind::kCiphertexts:
      return "ciphertexts";
    case Kind::kServerBundle:
      return "a server bundle";
    case Kind::kClientBundle:
      return "a client bundle";
    case Kind::kSecretKey:
      return "a secret key";
  }
  return fmt::format("a file of unknown kind {}", kind);
}

// Enough to tell two apart.
std::string abbreviated(const Fingerprint& fingerprint) {
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    text += fmt::format("{:02x}", fingerprint[i]);
  }
  return text;
}

Fingerprint read_fingerprint(ByteReader& reader) {
  Fingerprint fingerprint;
  std::ranges::copy(reader.bytes(fingerprint.size()), fingerprint.begin());
  return fingerprint;
}

void check_magic(ByteReader& reader, Kind kind, const std::string& what) {
  if (!std::ranges::equal(reader.bytes(kMagic.size()), kMagic)) {
    fail(ErrorCode::kFormat, "{}: expected {} written by FFConv, got something else", what,
         name_of(static_cast<std::uint16_t>(kind)));
  }
}

}  // namespace

Fingerprint blake2b(std::span<const std::uint8_t> bytes) {
  ensure_sodium();
  Fingerprint hash;
  crypto_generichash(hash.data(), hash.size(), bytes.data(), bytes.size(), nullptr, 0);
  return hash;
}

ByteWriter begin_file() {
  ByteWriter writer;
  writer.bytes(std::array<std::uint8_t, kHeaderBytes>{});
  return writer;
}

std::vector<std::uint8_t> end_file(ByteWriter writer, const Header& header) {
  writer.bytes(std::array<std::uint8_t, kChecksumBytes>{});
  std::vector<std::uint8_t> file = writer.take();
  seal(file, header);
  return file;
}

void seal(std::span<std::uint8_t> file, const Header& header) {
  FFCONV_ASSERT(file.size() >= kFrameBytes);
  ByteWriter writer;
  writer.bytes(kMagic);
  writer.u16(static_cast<std::uint16_t>(header.kind));
  writer.u16(kFormatVersion);
  writer.bytes(header.params);
  writer.bytes(header.bundle);
  writer.u64(file.size() - kFrameBytes);
  FFCONV_ASSERT(writer.size() == kHeaderBytes);
  std::ranges::copy(writer.view(), file.begin());
  const Fingerprint checksum = blake2b(file.first(file.size() - kChecksumBytes));
  std::ranges::copy(checksum, file.last(kChecksumBytes).begin());
}

Opened open(std::span<const std::uint8_t> file, Kind kind, const std::string& what) {
  ByteReader reader(file, what);
  check_magic(reader, kind, what);
  const std::uint16_t found = reader.u16();
  if (found != static_cast<std::uint16_t>(kind)) {
    fail(ErrorCode::kFormat, "{}: expected {}, got {}", what,
         name_of(static_cast<std::uint16_t>(kind)), name_of(found));
  }
  if (const std::uint16_t version = reader.u16(); version != kFormatVersion) {
    fail(ErrorCode::kFormat,
         "{}: expected format version {}, got {}: write the file again with this version of FFConv",
         what, kFormatVersion, version);
  }
  Opened opened;
  opened.header.kind = kind;
  opened.header.params = read_fingerprint(reader);
  opened.header.bundle = read_fingerprint(reader);
  const std::uint64_t length = reader.u64();
  if (reader.remaining() < kChecksumBytes || length != reader.remaining() - kChecksumBytes) {
    fail(ErrorCode::kFormat,
         "{}: truncated or extended: a payload of {} bytes and a checksum of {} declared, {} bytes "
         "left",
         what, length, kChecksumBytes, reader.remaining());
  }
  opened.payload = reader.bytes(static_cast<std::size_t>(length));
  const Fingerprint checksum = blake2b(file.first(file.size() - kChecksumBytes));
  if (!std::ranges::equal(reader.bytes(kChecksumBytes), checksum)) {
    fail(ErrorCode::kFormat, "{}: damaged: the checksum does not fit the content", what);
  }
  return opened;
}

void expect_params(const Header& header, const Fingerprint& params, const std::string& what) {
  if (header.params != params) {
    fail(ErrorCode::kMismatch, "{}: made for parameters {}, expected {}", what,
         abbreviated(header.params), abbreviated(params));
  }
}

void expect_bundle(const Header& header, const Fingerprint& bundle, const std::string& what) {
  if (header.bundle != bundle) {
    fail(ErrorCode::kMismatch, "{}: made for bundle {}, expected {}", what,
         abbreviated(header.bundle), abbreviated(bundle));
  }
}

}  // namespace ffconv::wire
