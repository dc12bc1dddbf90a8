#include "ffconv/wire/secret/secret_key_file.h"

#include <string>

#include <fcntl.h>

#include "ffconv/base/error.h"
#include "ffconv/base/posix_file.h"
#include "ffconv/base/secure.h"
#include "ffconv/wire/file.h"

namespace ffconv::wire {
namespace {

constexpr ::mode_t kOwnerOnly = 0600;
constexpr ::mode_t kOthers = 0077;

// Four coefficients a byte, lowest bits first: 0, 1, and 2 for -1.
std::size_t file_bytes(std::size_t n) {
  return kFrameBytes + n / 4;
}

}  // namespace

void save(const std::filesystem::path& path, const SecretKey& secret) {
  const auto coefficients = secret.coefficients();
  SecureBuffer<std::uint8_t> file(file_bytes(coefficients.size()));
  for (std::size_t i = 0; i < coefficients.size() / 4; ++i) {
    unsigned byte = 0;
    for (std::size_t j = 4; j-- > 0;) {
      // 3 & -1 is 3; its lower bit goes where it is negative.
      const auto x = static_cast<unsigned>(coefficients[4 * i + j]);
      byte = byte << 2 | ((x & 3u) ^ (x >> 31));
    }
    file[kHeaderBytes + i] = static_cast<std::uint8_t>(byte);
  }
  seal(file.span(), {Kind::kSecretKey, secret.context()->params().fingerprint()});
  NewFile target(path, kOwnerOnly);
  target.write(file.span());
  target.create();
}

SecretKey load_secret_key(const std::filesystem::path& path, const ContextPtr& context) {
  const std::string what = path.string();
  File source(path, what, O_RDONLY);
  if (const ::mode_t mode = source.mode() & 07777; (mode & kOthers) != 0) {
    fail(ErrorCode::kPermission,
         "{}: expected a secret key that its owner alone can read, got mode {:04o}: if nobody has "
         "read it yet, run chmod 600 on it; otherwise make new keys",
         what, mode);
  }
  const std::size_t largest = file_bytes(std::size_t{1} << kMaxLogN);
  if (source.size() > largest) {
    fail(ErrorCode::kFormat, "{}: expected a secret key of at most {} bytes, got {}", what, largest,
         source.size());
  }
  SecureBuffer<std::uint8_t> file(source.size());
  source.read(file.span());
  return parse_secret_key(file.span(), context, what);
}

SecretKey parse_secret_key(std::span<const std::uint8_t> file, const ContextPtr& context,
                           const std::string& what) {
  const Opened opened = open(file, Kind::kSecretKey, what);
  expect_bundle(opened.header, kNoBundle, what);
  expect_params(opened.header, context->params().fingerprint(), what);
  const std::size_t n = context->n();
  if (file.size() != file_bytes(n)) {
    fail(ErrorCode::kFormat, "{}: expected {} bytes, got {}", what, file_bytes(n), file.size());
  }
  SecureBuffer<std::int8_t> coefficients(n);
  for (std::size_t i = 0; i < n; ++i) {
    const int code = opened.payload[i / 4] >> (2 * (i % 4)) & 3;
    // 2 becomes -1; 3 stays, and is refused with everything else out of range.
    coefficients[i] = static_cast<std::int8_t>(code - 3 * ((code >> 1) & ~code & 1));
  }
  return SecretKey::from_coefficients(context, coefficients.span());
}

}  // namespace ffconv::wire
