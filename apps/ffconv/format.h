// Numbers, tables and JSON as they are printed.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ffconv/plan/counts.h"

namespace ffconv::cli {

// Keys keep the order in which they were added.
using Json = nlohmann::ordered_json;

// 1,234,567
std::string grouped(std::integral auto number) {
  return fmt::format("{}", fmt::group_digits(number));
}
std::string size_text(std::uint64_t bytes);                // 1.23 MB, by powers of 1000
std::string exact_size_text(std::uint64_t bytes);          // 1,234,567 bytes (1.23 MB)
std::string ms_text(double us);                            // 48.3 ms
std::string threads_text(int threads);                     // 1 thread, 2 threads
std::string rotations_text(const plan::OpCounts& counts);  // 2, and 35 hoisted; 5 rescales
// 57 by vectors, 0 by scalars, 2 of ciphertexts
std::string products_text(const plan::OpCounts& counts);

// Left-aligned first column, the others right-aligned.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  // As many cells as the header has.
  void add_row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // With a rule under the header and, if `total`, one above the last row.
  std::string text(bool total = false) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Text of foreign files need not be UTF-8: wrong bytes are replaced.
std::string json_text(const Json& json);

// Writes `text` to the file `path`, whole or not at all. Throws kIo.
void write_text(const std::filesystem::path& path, const std::string& text);

}  // namespace ffconv::cli
