#include "ffconv/plan/packings.h"

#include "ffconv/base/error.h"

namespace ffconv::plan {

std::string_view to_string(Packing packing) {
  switch (packing) {
    case Packing::kDense:
      return "dense";
    case Packing::kLola:
      return "lola";
    case Packing::kAuto:
      return "auto";
  }
  return "";
}

Packing packing_from_string(std::string_view name) {
  for (const Packing packing : {Packing::kDense, Packing::kLola, Packing::kAuto}) {
    if (name == to_string(packing)) {
      return packing;
    }
  }
  fail(ErrorCode::kInvalidArgument, "packing: expected dense, lola or auto, got {}", name);
}

}  // namespace ffconv::plan
