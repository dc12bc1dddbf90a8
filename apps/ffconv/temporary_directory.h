// A directory that is gone with the object.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include <stdlib.h>

#include "ffconv/base/error.h"

namespace ffconv::cli {

class TemporaryDirectory {
 public:
  // Readable by its owner only. Throws kIo.
  TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "ffconv-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      fail(ErrorCode::kIo, "{}: {}", name, std::strerror(errno));
    }
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace ffconv::cli
