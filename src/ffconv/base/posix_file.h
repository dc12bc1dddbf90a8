// File descriptors, and files that appear whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace ffconv {

// An open regular file. Everything throws kIo, naming the file and the system's reason.
class File {
 public:
  // As open(2); `name` stands for the file in errors.
  File(const std::filesystem::path& path, std::string name, int flags, ::mode_t mode = 0);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  ::mode_t mode() const { return status().st_mode; }
  std::size_t size() const { return static_cast<std::size_t>(status().st_size); }
  void read(std::span<std::uint8_t> bytes);
  // To the disk, not only to the system.
  void write(std::span<const std::uint8_t> bytes);

 private:
  struct ::stat status() const;

  std::string name_;
  int descriptor_;
};

// A file that is written under a temporary name beside `path`; destroyed without replace() or
// create(), it leaves nothing.
class NewFile {
 public:
  NewFile(const std::filesystem::path& path, ::mode_t mode);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::span<const std::uint8_t> bytes) { file_.write(bytes); }
  // Moves the file to its path, over what stands there.
  void replace();
  // The same, but throws kIo where something stands there.
  void create();

 private:
  std::filesystem::path path_, temporary_;
  File file_;
};

// The whole file. Throws kIo.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path);
// Writes beside `path` and renames, so that no partial file is ever seen. Throws kIo.
void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);

}  // namespace ffconv
