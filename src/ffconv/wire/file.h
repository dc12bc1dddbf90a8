// The frame that every file of FFConv shares (docs/wire-format.md): header, payload, checksum.
//
//   8 magic "FFConv\r\n" | 2 kind | 2 version | 32 fingerprint of the parameters | 32 fingerprint
//   of the bundle, zeros where there is none | 8 payload length | payload | 32 BLAKE2b-256 of all
//   before
//
// Little-endian. Nothing of a payload is looked at before the frame has been checked. A checksum
// finds accidents; it is no signature.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ffconv/base/bytes.h"
#include "ffconv/runtime/bundle.h"

namespace ffconv::wire {

using runtime::Fingerprint;

enum class Kind : std::uint16_t {
  kParameters = 1,
  kEvaluationKeys = 2,
  kCiphertexts = 3,
  kServerBundle = 4,
  kClientBundle = 5,
  kSecretKey = 6,
};

inline constexpr std::uint16_t kFormatVersion = 2;
inline constexpr std::size_t kHeaderBytes = 84;
inline constexpr std::size_t kChecksumBytes = 32;
inline constexpr std::size_t kFrameBytes = kHeaderBytes + kChecksumBytes;
inline constexpr Fingerprint kNoBundle{};

struct Header {
  Kind kind;
  Fingerprint params;
  Fingerprint bundle = kNoBundle;
};

// A file under construction: the payload is written between begin_file() and end_file().
ByteWriter begin_file();
std::vector<std::uint8_t> end_file(ByteWriter writer, const Header& header);

// Fills in header and checksum around the payload that stands in `file` already.
void seal(std::span<std::uint8_t> file, const Header& header);

// The header and the payload of `file`, not copied, once magic, kind, version, length and checksum
// have been found right; kFormat otherwise. `what` names the file in errors.
struct Opened {
  Header header;
  std::span<const std::uint8_t> payload;
};
Opened open(std::span<const std::uint8_t> file, Kind kind, const std::string& what);

// Throw kMismatch, naming both sides, where a file belongs to other parameters or another bundle.
void expect_params(const Header& header, const Fingerprint& params, const std::string& what);
void expect_bundle(const Header& header, const Fingerprint& bundle, const std::string& what);

Fingerprint blake2b(std::span<const std::uint8_t> bytes);

}  // namespace ffconv::wire
