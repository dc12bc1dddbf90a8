#include "ffconv/plan/packings.h"

#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "ffconv/base/error.h"

namespace ffconv::plan {

namespace {

constexpr std::array<std::pair<Packing, std::string_view>, 7> kNames = {{
    {Packing::kDense, "dense"},
    {Packing::kConv, "conv"},
    {Packing::kFfconv, "ffconv"},
    {Packing::kFalcon, "falcon"},
    {Packing::kLola, "lola"},
    {Packing::kBatch, "batch"},
    {Packing::kAuto, "auto"},
}};

}  // namespace

std::string_view to_string(Packing packing) {
  for (const auto& [known, name] : kNames) {
    if (known == packing) {
      return name;
    }
  }
  return "";
}

Packing packing_from_string(std::string_view name) {
  std::string names;
  for (const auto& [packing, known] : kNames) {
    if (name == known) {
      return packing;
    }
    names += names.empty() ? known : fmt::format(", {}", known);
  }
  fail(ErrorCode::kInvalidArgument, "packing: expected one of {}; got {}", names, name);
}

}  // namespace ffconv::plan
