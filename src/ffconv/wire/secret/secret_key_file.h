// The secret key as a file: written with mode 0600, refused when group or others can read it.
//
// Only the data owner's side links this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "ffconv/ckks/secret/secret_key.h"

namespace ffconv::wire {

// An existing file is never overwritten. Throws kIo.
void save(const std::filesystem::path& path, const SecretKey& secret);

// Throws kIo, kPermission where anybody but its owner can read or write the file, and what
// parse_secret_key() throws.
SecretKey load_secret_key(const std::filesystem::path& path, const ContextPtr& context);

// A file's content, which the caller keeps secret. Throws kFormat for anything malformed, kMismatch
// for a key of other parameters, naming `what`.
SecretKey parse_secret_key(std::span<const std::uint8_t> file, const ContextPtr& context,
                           const std::string& what);

}  // namespace ffconv::wire
