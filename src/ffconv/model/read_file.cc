#include "ffconv/model/read_file.h"

#include <fstream>

#include "ffconv/base/error.h"

namespace ffconv::model {

std::vector<std::uint8_t> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  std::error_code error;
  const bool is_regular = std::filesystem::is_regular_file(path, error);
  const std::uintmax_t size = is_regular ? std::filesystem::file_size(path, error) : 0;
  std::ifstream file(path, std::ios::binary);
  if (!is_regular || error || !file) {
    fail(ErrorCode::kIo, "{}: {}", path.string(),
         std::filesystem::exists(path, error) ? "cannot be read" : "no such file");
  }
  if (size > max_bytes) {
    fail(ErrorCode::kFormat, "{}: expected at most {} bytes, got {}", path.string(), max_bytes,
         size);
  }
  std::vector<std::uint8_t> bytes(size);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
    fail(ErrorCode::kIo, "{}: cannot be read to its end", path.string());
  }
  return bytes;
}

}  // namespace ffconv::model
