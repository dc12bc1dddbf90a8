#include "ffconv/base/posix_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "ffconv/base/error.h"
#include "ffconv/base/random.h"

namespace ffconv {
namespace {

[[noreturn]] void fail_errno(const std::string& path) {
  fail(ErrorCode::kIo, "{}: {}", path, std::strerror(errno));
}

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  std::array<std::uint8_t, 8> suffix;
  random_bytes(suffix);
  std::string name = path.string() + ".tmp-";
  for (const std::uint8_t byte : suffix) {
    name += fmt::format("{:02x}", byte);
  }
  return name;
}

}  // namespace

File::File(const std::filesystem::path& path, std::string name, int flags, ::mode_t mode)
    // O_NONBLOCK: a pipe without a writer is refused by status(), not waited for.
    : name_(std::move(name)),
      descriptor_(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, mode)) {
  if (descriptor_ < 0) {
    fail_errno(name_);
  }
}

File::~File() {
  ::close(descriptor_);
}

struct ::stat File::status() const {
  struct ::stat status;
  if (::fstat(descriptor_, &status) != 0) {
    fail_errno(name_);
  }
  if (!S_ISREG(status.st_mode)) {
    fail(ErrorCode::kIo, "{}: expected a regular file, got a directory or a device", name_);
  }
  return status;
}

void File::read(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto count = ::read(descriptor_, bytes.data(), bytes.size());
    if (count == 0) {
      fail(ErrorCode::kIo, "{}: shrank while it was read", name_);
    }
    if (count < 0 && errno != EINTR) {
      fail_errno(name_);
    }
    bytes = bytes.subspan(count < 0 ? 0 : static_cast<std::size_t>(count));
  }
}

void File::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) {
      fail_errno(name_);
    }
    bytes = bytes.subspan(count < 0 ? 0 : static_cast<std::size_t>(count));
  }
  if (::fsync(descriptor_) != 0) {
    fail_errno(name_);
  }
}

NewFile::NewFile(const std::filesystem::path& path, ::mode_t mode)
    : path_(path),
      temporary_(temporary_beside(path)),
      file_(temporary_, path.string(), O_WRONLY | O_CREAT | O_EXCL, mode) {}

NewFile::~NewFile() {
  ::unlink(temporary_.c_str());
}

void NewFile::replace() {
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail_errno(path_.string());
  }
}

// A hard link, unlike a rename, never takes the place of another file.
void NewFile::create() {
  if (::link(temporary_.c_str(), path_.c_str()) != 0) {
    if (errno == EEXIST) {
      fail(ErrorCode::kIo, "{}: exists already and is not overwritten", path_.string());
    }
    fail_errno(path_.string());
  }
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  File file(path, path.string(), O_RDONLY);
  std::vector<std::uint8_t> bytes(file.size());
  file.read(bytes);
  return bytes;
}

void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  NewFile file(path, 0644);
  file.write(bytes);
  file.replace();
}

}  // namespace ffconv
