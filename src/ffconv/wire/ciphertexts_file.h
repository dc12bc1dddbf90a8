// Sets of ciphertexts as a file: an encrypted image, or its encrypted scores.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "ffconv/ckks/ciphertext.h"
#include "ffconv/plan/program.h"
#include "ffconv/wire/file.h"

namespace ffconv::wire {

// A ciphertext with a seed is stored without its c_1. Noise estimates are not stored.
// Throws kMismatch unless all belong to one context.
std::vector<std::uint8_t> to_bytes(std::span<const Ciphertext> ciphertexts,
                                   const Fingerprint& bundle);
// Noise estimates are left at 0: whoever knows the program sets them (runtime/). Throws kFormat for
// anything malformed, kMismatch for ciphertexts of other parameters or of another bundle, naming
// `what`.
std::vector<Ciphertext> parse_ciphertexts(std::span<const std::uint8_t> file,
                                          const ContextPtr& context, const Fingerprint& bundle,
                                          const std::string& what);

void save(const std::filesystem::path& path, std::span<const Ciphertext> ciphertexts,
          const Fingerprint& bundle);
std::vector<Ciphertext> load_ciphertexts(const std::filesystem::path& path,
                                         const ContextPtr& context, const Fingerprint& bundle);

// The exact sizes of the files with the fresh inputs of `program`, and with its outputs.
std::uint64_t upload_bytes(const Params& params, const plan::Program& program);
std::uint64_t download_bytes(const Params& params, const plan::Program& program);

}  // namespace ffconv::wire
