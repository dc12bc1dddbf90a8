#include "format.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "ffconv/base/posix_file.h"

namespace ffconv::cli {

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 4> kUnits{"kB", "MB", "GB", "TB"};
  if (bytes < 1000) {
    return fmt::format("{} bytes", bytes);
  }
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, kUnits[unit]);
}

std::string exact_size_text(std::uint64_t bytes) {
  const std::string exact = grouped(bytes) + " bytes";
  return bytes < 1000 ? exact : exact + " (" + size_text(bytes) + ")";
}

std::string ms_text(double us) {
  return fmt::format("{:.1f} ms", us / 1000);
}

std::string threads_text(int threads) {
  return fmt::format("{} thread{}", threads, threads == 1 ? "" : "s");
}

std::string rotations_text(const plan::OpCounts& counts) {
  return fmt::format("{}, and {} hoisted; {} rescales", grouped(counts.rotations),
                     grouped(counts.hoisted_rotations), grouped(counts.rescales));
}

std::string products_text(const plan::OpCounts& counts) {
  return fmt::format("{} by vectors, {} by scalars, {} of ciphertexts",
                     grouped(counts.plain_products), grouped(counts.scalar_products),
                     grouped(counts.ciphertext_products));
}

std::string Table::text(bool total) const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < widths.size(); ++c) {
      widths[c] = std::max(widths[c], row[c].size());
    }
  }
  std::string rule;
  for (std::size_t c = 0; c < widths.size(); ++c) {
    rule += (c == 0 ? "" : "  ") + std::string(widths[c], '-');
  }
  std::string text;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    if (r == 1 || (total && r + 1 == rows_.size())) {
      text += rule + "\n";
    }
    for (std::size_t c = 0; c < widths.size(); ++c) {
      text += c == 0 ? fmt::format("{:<{}}", rows_[r][c], widths[c])
                     : fmt::format("  {:>{}}", rows_[r][c], widths[c]);
    }
    text += "\n";
  }
  return text;
}

std::string json_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  ffconv::write_file(path,
                     std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

}  // namespace ffconv::cli
