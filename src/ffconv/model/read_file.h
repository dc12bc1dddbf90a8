// Whole files of foreign bytes, within a limit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace ffconv::model {

// Throws kIo if the file cannot be read, kFormat if it has more than `max_bytes`.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace ffconv::model
