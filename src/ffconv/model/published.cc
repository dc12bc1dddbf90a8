#include "ffconv/model/published.h"

#include <array>
#include <memory>
#include <span>

#include <fmt/format.h>
#include <lzma.h>
#include <sodium.h>
#include <zlib.h>

#include "ffconv/base/error.h"
#include "ffconv/base/random.h"
#include "ffconv/model/read_file.h"

namespace ffconv::model {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::string sha256(std::span<const std::uint8_t> bytes) {
  ensure_sodium();
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> sum;
  crypto_hash_sha256(sum.data(), bytes.data(), bytes.size());
  std::string text;
  for (const std::uint8_t byte : sum) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

// Unpackers fill `bytes`; false unless the file holds exactly as many.

bool read_gz(const std::filesystem::path& path, Bytes& bytes) {
  // gzread hands unpacked files through.
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> stream(gzopen(path.c_str(), "rb"), gzclose);
  if (stream == nullptr) {
    fail(ErrorCode::kIo, "{}: cannot be read", path.string());
  }
  const auto wanted = static_cast<unsigned>(bytes.size());
  char beyond = 0;
  return gzread(stream.get(), bytes.data(), wanted) == static_cast<int>(wanted) &&
         gzread(stream.get(), &beyond, 1) == 0;
}

bool read_xz(const std::filesystem::path& path, Bytes& bytes) {
  constexpr std::size_t kOverhead = std::size_t{1} << 20;  // of packing what cannot be packed
  std::uint64_t memory_limit = std::uint64_t{1} << 28;     // xz -9 needs a quarter of it
  const Bytes packed = read_file(path, bytes.size() + kOverhead);
  std::size_t consumed = 0, written = 0;
  const lzma_ret result =
      lzma_stream_buffer_decode(&memory_limit, 0, nullptr, packed.data(), &consumed, packed.size(),
                                bytes.data(), &written, bytes.size());
  return result == LZMA_OK && consumed == packed.size() && written == bytes.size();
}

}  // namespace

std::vector<std::uint8_t> read_published(const std::filesystem::path& directory,
                                         const PublishedFile& file,
                                         const std::string& where_to_get_it) {
  std::filesystem::path path = directory / file.name;
  for (const char* suffix : {".gz", ".xz"}) {
    std::filesystem::path packed = path;
    packed += suffix;
    if (std::filesystem::exists(packed)) {
      path = packed;
      break;
    }
  }
  if (!std::filesystem::is_regular_file(path)) {
    fail(ErrorCode::kIo, "{}: not there, nor as .gz or .xz. {}", path.string(), where_to_get_it);
  }
  Bytes bytes(file.bytes);
  const bool complete = path.extension() == ".xz" ? read_xz(path, bytes) : read_gz(path, bytes);
  if (!complete || sha256(bytes) != file.sha256) {
    fail(ErrorCode::kFormat, "{}: not the published file (expected {} bytes, sha256 {} unpacked)",
         path.string(), file.bytes, file.sha256);
  }
  return bytes;
}

}  // namespace ffconv::model
