// Parameters as a file, and as a part of other files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "ffconv/base/bytes.h"
#include "ffconv/ckks/params.h"

namespace ffconv::wire {

// The primes are not stored: they follow from the description, and the fingerprint proves that they
// did. Parameters for testing are refused in both directions: kInsecure when written, and a file
// has no way to say so.
std::vector<std::uint8_t> to_bytes(const Params& params);
// Throws kFormat, and what Params throws, naming `what`.
Params parse_parameters(std::span<const std::uint8_t> file, const std::string& what);

void save(const std::filesystem::path& path, const Params& params);
Params load_parameters(const std::filesystem::path& path);

void write_spec(ByteWriter& writer, const ParamsSpec& spec);
ParamsSpec read_spec(ByteReader& reader);
// Params(spec); errors name `what`.
Params checked_params(const ParamsSpec& spec, const std::string& what);

}  // namespace ffconv::wire
