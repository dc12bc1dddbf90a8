// Public evaluation keys as a file: what the data owner sends to the server, once.
//
// Seeded: of each key the seed and the b halves over the primes of its own level.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "ffconv/ckks/keys.h"
#include "ffconv/plan/program.h"
#include "ffconv/wire/file.h"

namespace ffconv::wire {

// All keys belong to `context`; `bundle` is the fingerprint of the bundle that they were made for.
std::vector<std::uint8_t> to_bytes(const EvaluationKeys& keys, const ContextPtr& context,
                                   const Fingerprint& bundle);
// Expands the seeds. Throws kFormat for anything malformed, kMismatch for keys of other parameters
// or of another bundle, naming `what`.
EvaluationKeys parse_evaluation_keys(std::span<const std::uint8_t> file, const ContextPtr& context,
                                     const Fingerprint& bundle, const std::string& what);

void save(const std::filesystem::path& path, const EvaluationKeys& keys, const ContextPtr& context,
          const Fingerprint& bundle);
EvaluationKeys load_evaluation_keys(const std::filesystem::path& path, const ContextPtr& context,
                                    const Fingerprint& bundle);

// The exact size of the file with the keys of `request`.
std::uint64_t key_bytes(const Params& params, const plan::KeyRequest& request);

}  // namespace ffconv::wire
