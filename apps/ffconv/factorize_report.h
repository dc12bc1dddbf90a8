// What factorization did, as text and JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ffconv/lowrank/measure.h"
#include "ffconv/model/work.h"
#include "format.h"

namespace ffconv::cli {

// A rank that was asked for and would have made the layer no cheaper.
struct TooCostly {
  std::size_t rank = 0;
  std::size_t hma = 0;
};

struct LayerReport {
  std::string name;
  std::size_t rank = 0;  // lowrank::kWhole: as it was
  std::size_t full_rank = 0;
  double energy = 1;  // the part that is kept
  std::size_t hma_before = 0, hma_after = 0;
  std::optional<TooCostly> too_costly;
};

struct FactorizeReport {
  std::string model, method, result;
  std::vector<LayerReport> layers;
  model::Work before, after;  // of the network
  std::string images;         // their name; empty where there are none
  std::optional<lowrank::Measurement> measurement;
  std::vector<std::uint8_t> labels;  // of the images, if they have any
};

std::string report_text(const FactorizeReport& report);
Json to_json(const FactorizeReport& report);

}  // namespace ffconv::cli
