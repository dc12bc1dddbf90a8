#include "factorize_report.h"

#include <fmt/format.h>

#include "terminal.h"

namespace ffconv::cli {
namespace {

double part(std::size_t count, std::size_t of) {
  return static_cast<double>(count) / static_cast<double>(of);
}

std::size_t agreeing(const lowrank::Measurement& measurement) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < measurement.before.size(); ++i) {
    count += measurement.before[i] == measurement.after[i] ? 1 : 0;
  }
  return count;
}

double accuracy(const std::vector<std::size_t>& classes, const std::vector<std::uint8_t>& labels) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    right += classes[i] == labels[i] ? 1 : 0;
  }
  return part(right, labels.size());
}

std::string change_text(std::string_view unit, std::size_t before, std::size_t after) {
  return fmt::format("{} {} -> {} ({:.1f} %)", unit, grouped(before), grouped(after),
                     100 * part(after, before));
}

std::string layers_table(const FactorizeReport& report) {
  Table table({"layer", "rank", "full", "energy kept", "output error", "HMA before", "HMA after"});
  for (std::size_t l = 0; l < report.layers.size(); ++l) {
    const LayerReport& row = report.layers[l];
    const std::string error =
        report.measurement ? fmt::format("{:.4f}", report.measurement->output_errors[l]) : "-";
    table.add_row({printable(row.name, 30),
                   row.rank == lowrank::kWhole ? "whole" : std::to_string(row.rank),
                   std::to_string(row.full_rank), fmt::format("{:.3f} %", 100 * row.energy), error,
                   grouped(row.hma_before), grouped(row.hma_after)});
  }
  const std::string score_error =
      report.measurement ? fmt::format("{:.4f}", report.measurement->score_error) : "-";
  table.add_row(
      {"network", "", "", "", score_error, grouped(report.before.hma), grouped(report.after.hma)});
  return table.text(true);
}

std::string measurement_text(const FactorizeReport& report) {
  if (!report.measurement) {
    return "no value ranges in the file: give images here or to compile, with --calibration\n";
  }
  const lowrank::Measurement& measurement = *report.measurement;
  const std::size_t images = measurement.before.size();
  std::string text = fmt::format("{} of {} images of {} keep their class",
                                 grouped(agreeing(measurement)), grouped(images), report.images);
  if (!report.labels.empty()) {
    text += fmt::format("; accuracy {:.2f} % before, {:.2f} % after",
                        100 * accuracy(measurement.before, report.labels),
                        100 * accuracy(measurement.after, report.labels));
  }
  return text + "\n";
}

}  // namespace

std::string report_text(const FactorizeReport& report) {
  std::string text = layers_table(report);
  for (const LayerReport& row : report.layers) {
    if (row.too_costly) {
      text += fmt::format("{} stays whole: at rank {} it would take {} HMA, as it is {}\n",
                          printable(row.name), row.too_costly->rank, grouped(row.too_costly->hma),
                          grouped(row.hma_before));
    }
  }
  text += fmt::format("{}, {}\n", change_text("HMA", report.before.hma, report.after.hma),
                      change_text("MAC", report.before.mac, report.after.mac));
  return text + measurement_text(report) + fmt::format("wrote {}\n", report.result);
}

Json to_json(const FactorizeReport& report) {
  Json json{{"model", report.model},
            {"method", report.method},
            {"hma_before", report.before.hma},
            {"hma_after", report.after.hma},
            {"multiply_accumulates_before", report.before.mac},
            {"multiply_accumulates_after", report.after.mac},
            {"layers", Json::array()},
            {"output", report.result}};
  for (std::size_t l = 0; l < report.layers.size(); ++l) {
    const LayerReport& row = report.layers[l];
    json["layers"].push_back(
        {{"name", row.name},
         {"rank", row.rank == lowrank::kWhole ? Json() : Json(row.rank)},
         {"full_rank", row.full_rank},
         {"energy", row.energy},
         {"output_error", report.measurement ? Json(report.measurement->output_errors[l]) : Json()},
         {"hma_before", row.hma_before},
         {"hma_after", row.hma_after}});
  }
  if (report.measurement) {
    const lowrank::Measurement& measurement = *report.measurement;
    json["images"] = measurement.before.size();
    json["score_error"] = measurement.score_error;
    json["agree"] = agreeing(measurement);
    if (!report.labels.empty()) {
      json["accuracy_before"] = accuracy(measurement.before, report.labels);
      json["accuracy_after"] = accuracy(measurement.after, report.labels);
    }
  }
  return json;
}

}  // namespace ffconv::cli
