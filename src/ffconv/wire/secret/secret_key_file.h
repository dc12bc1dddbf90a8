// The secret key as a file: written with mode 0600, refused when group or others can read it.
//
// Only the data owner's side links this.
#pragma once

#include <filesystem>

#include "ffconv/ckks/secret/secret_key.h"

namespace ffconv::wire {

// An existing file is never overwritten. Throws kIo.
void save(const std::filesystem::path& path, const SecretKey& secret);

// Throws kIo, kPermission where anybody but its owner can read or write the file, kFormat for
// anything malformed, kMismatch for a key of other parameters.
SecretKey load_secret_key(const std::filesystem::path& path, const ContextPtr& context);

}  // namespace ffconv::wire
