// Cost tables as JSON: what `ffconv doctor -o` writes and `ffconv compile --cost` reads.
#pragma once

#include <filesystem>

#include "ffconv/ckks/cost.h"
#include "format.h"

namespace ffconv::cli {

Json to_json(const CostTable& table);

// Throws kIo, and kFormat for anything but an object with exactly the fields of CostTable, the
// times finite and positive.
CostTable load_cost_table(const std::filesystem::path& path);

}  // namespace ffconv::cli
