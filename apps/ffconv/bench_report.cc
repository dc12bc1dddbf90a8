#include "bench_report.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace ffconv::cli {
namespace {

using Cells = std::vector<std::string>;

std::string line(const Cells& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

std::string table(const Cells& header, const std::vector<Cells>& rows) {
  std::string text = line(header) + line(Cells(header.size(), "---"));
  for (const Cells& row : rows) {
    text += line(row);
  }
  return text;
}

std::string number(const Json& value) {
  return grouped(value.get<std::int64_t>());
}
std::string megabytes(const Json& bytes) {
  const double mb = bytes.get<double>() / 1e6;
  return mb < 10 ? fmt::format("{:.2f}", mb) : fmt::format("{:.0f}", mb);
}
std::string milliseconds(double ms) {
  return ms < 100 ? fmt::format("{:.1f}", ms) : fmt::format("{:.0f}", ms);
}
std::string percent(double part) {
  return fmt::format("{:+.0f} %", 100 * part);
}

// The run on so many threads; nullptr where there is none.
const Json* run_on(const Json& row, int threads) {
  if (row.contains("runs")) {
    for (const Json& run : row["runs"]) {
      if (run["threads"] == threads) {
        return &run;
      }
    }
  }
  return nullptr;
}

std::string best_ms(const Json& row, int threads) {
  const Json* run = run_on(row, threads);
  return run != nullptr ? milliseconds((*run)["min_ms"].get<double>()) : "";
}

// Rows that were planned at least.
std::vector<const Json*> planned(const Json& document) {
  std::vector<const Json*> rows;
  for (const Json& row : document["rows"]) {
    if (row.contains("plan")) {
      rows.push_back(&row);
    }
  }
  return rows;
}

std::string operations(const std::vector<const Json*>& rows) {
  std::vector<Cells> cells;
  for (const Json* row : rows) {
    const Json &plan = (*row)["plan"], &totals = plan["totals"];
    cells.push_back({(*row)["network"], (*row)["asked"], number(totals["rotations"]),
                     number(totals["hoisted_rotations"]),
                     grouped(totals["plain_products"].get<std::int64_t>() +
                             totals["scalar_products"].get<std::int64_t>()),
                     number(totals["ciphertext_products"]), number(totals["key_switches"]),
                     number(plan["levels"]), fmt::format("2^{}", plan["log_n"].get<int>()),
                     fmt::format("{:.0f}", plan["log_qp"].get<double>())});
  }
  return table({"network", "packing", "rotations", "hoisted", "HMA", "ciphertext products",
                "key switches", "levels", "N", "log2 QP"},
               cells);
}

std::string latencies(const std::vector<const Json*>& rows) {
  std::vector<Cells> cells;
  for (const Json* row : rows) {
    const Json& plan = (*row)["plan"];
    Cells line{(*row)["network"],
               (*row)["asked"],
               best_ms(*row, 1),
               "",
               best_ms(*row, 2),
               "",
               "",
               "",
               megabytes(plan["key_bytes"]),
               megabytes(plan["upload_bytes"]),
               fmt::format("{:.0f}", plan["download_bytes"].get<double>() / 1e3),
               "",
               ""};
    if (const Json* one = run_on(*row, 1)) {
      line[3] = milliseconds((*one)["median_ms"].get<double>());
      line[5] = milliseconds((*one)["encrypt_ms"].get<double>());
      line[6] = milliseconds((*one)["decrypt_ms"].get<double>());
      line[7] = megabytes((*row)["deployed"]["peak_bytes"]);
      line[12] = fmt::format("{} of {}", number((*one)["agree"]), number((*one)["images"]));
    } else {
      line[2] = fmt::format("{} planned", milliseconds(plan["predicted_ms"].get<double>()));
    }
    line[11] = fmt::format("{:.2f}", 100 * (*row)["float_accuracy"].get<double>());
    cells.push_back(std::move(line));
  }
  return table(
      {"network", "packing", "ms, 1 thread", "median", "ms, 2 threads", "encrypt ms", "decrypt ms",
       "server MB", "keys MB", "upload MB", "download kB", "accuracy, %", "as in float"},
      cells);
}

std::string predictions(const std::vector<const Json*>& rows) {
  std::vector<Cells> cells;
  for (const Json* row : rows) {
    const Json* one = run_on(*row, 1);
    if (one == nullptr) {
      continue;
    }
    const Json& plan = (*row)["plan"];
    const Json& deployed = (*row)["deployed"];
    const auto predicted = plan["predicted_ms"].get<double>();
    const auto measured = (*one)["min_ms"].get<double>();
    const auto memory = plan["memory_bytes"]["total"].get<double>();
    const auto peak = deployed["peak_bytes"].get<double>();
    cells.push_back({(*row)["network"], (*row)["asked"], milliseconds(predicted),
                     milliseconds(measured), percent(predicted / measured - 1),
                     megabytes(plan["memory_bytes"]["total"]), megabytes(deployed["peak_bytes"]),
                     percent(memory / peak - 1),
                     plan["key_bytes"] == deployed["key_bytes"] ? "exact" : "differ",
                     fmt::format("{:.2g}", plan["score_error_std"].get<double>()),
                     fmt::format("{:.2g}", (*one)["max_score_error"].get<double>())});
  }
  return table({"network", "packing", "predicted ms", "measured", "", "predicted MB", "measured",
                "", "key bytes", "predicted std of a score", "largest error"},
               cells);
}

std::string differences(const std::vector<const Json*>& rows) {
  std::int64_t images = 0, agree = 0;
  std::vector<Cells> cells;
  for (const Json* row : rows) {
    if (const Json* one = run_on(*row, 1)) {
      images += (*one)["images"].get<std::int64_t>();
      agree += (*one)["agree"].get<std::int64_t>();
      for (const Json& d : (*one)["differences"]) {
        cells.push_back({(*row)["network"], (*row)["asked"], number(d["image"]), d["float_class"],
                         d["class"], fmt::format("{:.3g}", d["margin"].get<double>())});
      }
    }
  }
  const std::string summary =
      fmt::format("{} of {} encrypted images are classified as in floating point.\n",
                  grouped(agree), grouped(images));
  return cells.empty()
             ? summary
             : summary + "\n" +
                   table({"network", "packing", "image", "float", "encrypted", "float margin"},
                         cells);
}

std::string refusals(const Json& document) {
  std::string text;
  for (const Json& row : document["rows"]) {
    if (row.contains("refused")) {
      std::string reason = row["refused"];
      std::ranges::replace(reason, '\n', ' ');
      text += fmt::format("- {}, `{}`: {}\n", row["network"].get<std::string>(),
                          row["asked"].get<std::string>(), reason);
    }
  }
  return text.empty() ? text : "\n## Refused\n\n" + text;
}

}  // namespace

std::string bench_report(const Json& document) {
  const std::vector<const Json*> rows = planned(document);
  return fmt::format(
      "# Results\n\nMachine: {}. Made by `ffconv bench`; times are the best of all images, of "
      "evaluation alone, with\nweights and keys in memory. Files in megabytes of 10^6 bytes.\n\n"
      "## Operations\n\n{}\n## Time, memory and files\n\n{}\n## Predicted and measured\n\n{}\n"
      "## Agreement\n\n{}{}",
      document["machine"].get<std::string>(), operations(rows), latencies(rows), predictions(rows),
      differences(rows), refusals(document));
}

}  // namespace ffconv::cli
