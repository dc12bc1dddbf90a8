#include "demo_sheet.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "evaluation.h"
#include "ffconv/base/parallel.h"
#include "format.h"
#include "picture.h"

namespace ffconv::cli {
namespace {

constexpr std::size_t kCellColumns = 18;
constexpr std::size_t kPictureColumns = 16;
constexpr std::size_t kNameColumns = 10;
constexpr std::size_t kGap = 2;
constexpr std::size_t kMaxCellsInRow = 5;
constexpr std::size_t kTopScores = 3;

// The picture, then lines of text, each of kCellColumns characters on the screen.
std::vector<std::string> cell_lines(const DemoCell& cell, Colours colours) {
  const std::size_t columns = std::min(kPictureColumns, (cell.shape.width() + 3) / 4 * 2);
  std::vector<std::string> lines = draw(cell.image, cell.shape, columns, colours);
  for (std::string& line : lines) {
    line += std::string(kCellColumns - columns, ' ');
  }
  const auto add = [&](const std::string& text) {
    lines.push_back(fmt::format("{:<{}}", printable(text, kCellColumns), kCellColumns));
  };
  const auto name = [&](std::size_t index) {
    return printable(cell.class_names[index], kNameColumns);
  };
  add("true  " + name(cell.true_class));
  add((cell.predicted_class == cell.true_class ? "found " : "wrong ") + name(cell.predicted_class));
  std::vector<std::size_t> order(cell.scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t k) { return cell.scores[k]; });
  order.resize(std::min(order.size(), kTopScores));
  for (const std::size_t k : order) {
    add(fmt::format("{:>{}}{:7.1f}", name(k), kNameColumns, cell.scores[k]));
  }
  add(ms_text(cell.us));
  return lines;
}

}  // namespace

std::string sheet_text(const std::vector<DemoCell>& cells, std::size_t columns, Colours colours) {
  const std::size_t in_row =
      std::clamp((columns + kGap) / (kCellColumns + kGap), std::size_t{1}, kMaxCellsInRow);
  std::string text;
  for (std::size_t first = 0; first < cells.size(); first += in_row) {
    std::vector<std::string> rows;
    for (std::size_t i = first; i < std::min(first + in_row, cells.size()); ++i) {
      const std::vector<std::string> lines = cell_lines(cells[i], colours);
      rows.resize(lines.size());
      for (std::size_t l = 0; l < lines.size(); ++l) {
        rows[l] += (i == first ? "" : std::string(kGap, ' ')) + lines[l];
      }
    }
    for (const std::string& row : rows) {
      text += row + "\n";
    }
    text += "\n";
  }
  return text;
}

std::string demo_summary(const PlanReport& report, const std::vector<DemoCell>& cells,
                         const std::vector<double>& times_us) {
  const Params& params = report.params;
  const auto as_float = std::ranges::count_if(
      cells, [](const DemoCell& c) { return c.predicted_class == c.float_class; });
  const auto right = std::ranges::count_if(
      cells, [](const DemoCell& c) { return c.predicted_class == c.true_class; });
  std::string text =
      fmt::format("network     {}, packing {}: N = 2^{}, {} levels\n", printable(report.model),
                  to_string(report.compilation->packing), params.log_n(), params.max_level());
  text += fmt::format("security    {} bits: log2 QP = {:.1f} of at most {:.0f}\n",
                      params.security_bits(), params.log_qp(), max_log_qp(params.log_n()));
  text += fmt::format("rotations   {}\nproducts    {}\n", rotations_text(report.totals),
                      products_text(report.totals));
  text += fmt::format("sizes       keys {}, once; upload {}, download {} an image\n",
                      size_text(report.key_bytes), size_text(report.upload_bytes),
                      size_text(report.download_bytes));
  text += fmt::format("latency     {} median, {} best, on {}; {} predicted on one\n",
                      ms_text(median(times_us)), ms_text(std::ranges::min(times_us)),
                      threads_text(thread_count()), ms_text(report.totals.predicted_us));
  text += fmt::format("result      {} of {} as the network says unencrypted; {} of {} right\n",
                      as_float, cells.size(), right, cells.size());
  return text;
}

}  // namespace ffconv::cli
