// What is known of a compiled network before it runs, as text and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ffconv/ckks/cost.h"
#include "ffconv/ckks/params.h"
#include "ffconv/plan/compile.h"
#include "ffconv/plan/memory.h"
#include "ffconv/runtime/bundle.h"
#include "format.h"

namespace ffconv::cli {

struct LayerRegisters {
  std::set<std::int32_t> read;          // of other layers, or inputs
  std::vector<std::int32_t> handed_on;  // to other layers, or out; ascending
};
std::vector<LayerRegisters> layer_registers(const plan::Program& program);

struct LayerReport {
  std::string name;
  std::int32_t level = 0;  // highest that it reads
  std::size_t inputs = 0;  // ciphertexts that it reads from other layers, and writes for others
  std::size_t outputs = 0;
  plan::OpCounts counts;
};

struct PlanReport {
  // `budget`: of the server's memory, bytes; nullopt: as much as it takes. Throws what
  // plan::fit_memory() throws.
  PlanReport(const runtime::ServerBundle& bundle, const CostTable& table,
             std::optional<std::uint64_t> budget = std::nullopt);

  std::string model;
  std::string machine;  // of the cost table
  Params params;
  plan::OpCounts totals;
  std::vector<LayerReport> layers;
  double score_error_std = 0;
  std::size_t keys = 0;
  std::size_t images = 1;                                             // of a run
  std::uint64_t key_bytes = 0, upload_bytes = 0, download_bytes = 0;  // files, exactly
  std::uint64_t server_bytes = 0, client_bytes = 0;                   // bundles, exactly
  plan::Memory memory;
  std::vector<std::string> small_layers;           // that keep their weights small
  double expansion_us = 0;                         // for them, part of the predicted time
  std::optional<plan::CompileReport> compilation;  // not known of a bundle that was read
};

Json to_json(const PlanReport& report);

// Parameters, time, memory and sizes.
std::string summary_text(const PlanReport& report);
// The table of layers with its totals, then the alternatives that were considered.
std::string layers_text(const PlanReport& report);

}  // namespace ffconv::cli
