// The files of published data sets, whole or compressed, known by length and checksum.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ffconv::model {

struct PublishedFile {
  std::string_view name;
  std::size_t bytes;        // unpacked, as is the sum
  std::string_view sha256;  // in hexadecimal
};

// The unpacked contents of NAME.gz, NAME.xz or NAME in `directory`, the first of them that is
// there. Nothing beyond file.bytes is unpacked. Throws kIo where there is none or it cannot be
// read, with `where_to_get_it`, and kFormat for one that is not the published.
std::vector<std::uint8_t> read_published(const std::filesystem::path& directory,
                                         const PublishedFile& file,
                                         const std::string& where_to_get_it);

}  // namespace ffconv::model
