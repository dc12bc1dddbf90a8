// What `ffconv bench` measured, as Markdown.
#pragma once

#include <string>

#include "format.h"

namespace ffconv::cli {

// `document`: {"machine", "rows": [{"network", "asked" (packing), "plan" (of compile --json),
// "float_accuracy", "deployed", "runs" (of evaluate --json)}]}; rows that were not run lack the
// last two, those of packings that do not fit have "refused" instead of all.
std::string bench_report(const Json& document);

}  // namespace ffconv::cli
