#include "cost_file.h"

#include <array>
#include <cmath>
#include <string>

#include "ffconv/base/error.h"
#include "ffconv/model/read_file.h"

namespace ffconv::cli {
namespace {

constexpr const char* kMachine = "machine";

struct Field {
  const char* name;
  double CostTable::*us;
};
constexpr std::array<Field, 8> kFields{{
    {"ntt_forward_us", &CostTable::ntt_forward_us},
    {"ntt_inverse_us", &CostTable::ntt_inverse_us},
    {"multiply_accumulate_us", &CostTable::multiply_accumulate_us},
    {"plain_product_us", &CostTable::plain_product_us},
    {"base_extend_us", &CostTable::base_extend_us},
    {"automorphism_us", &CostTable::automorphism_us},
    {"add_us", &CostTable::add_us},
    {"multiply_us", &CostTable::multiply_us},
}};

}  // namespace

Json to_json(const CostTable& table) {
  Json json{{kMachine, table.machine}};
  for (const Field& field : kFields) {
    json[field.name] = table.*field.us;
  }
  return json;
}

CostTable load_cost_table(const std::filesystem::path& path) {
  constexpr std::size_t kMaxBytes = 1 << 16;
  const Json json = Json::parse(model::read_file(path, kMaxBytes), nullptr, false);
  const bool complete = json.is_object() && json.size() == kFields.size() + 1 &&
                        json.contains(kMachine) && json[kMachine].is_string();
  if (!complete) {
    fail(ErrorCode::kFormat, "{}: expected a cost table as written by 'ffconv doctor -o'",
         path.string());
  }
  CostTable table;
  table.machine = json[kMachine].get<std::string>();
  for (const Field& field : kFields) {
    const auto found = json.find(field.name);
    const double us = found != json.end() && found->is_number() ? found->get<double>() : 0.0;
    if (!(us > 0.0) || !std::isfinite(us)) {
      fail(ErrorCode::kFormat, "{}: field '{}': expected a positive number of microseconds",
           path.string(), field.name);
    }
    table.*field.us = us;
  }
  return table;
}

}  // namespace ffconv::cli
