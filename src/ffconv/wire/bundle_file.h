// Server and client bundles as files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "ffconv/runtime/bundle.h"

namespace ffconv::wire {

// The bundle of a compiled network, checked, with its fingerprint. runtime::client_bundle() gives
// the client's part. Throws what runtime::check() throws; kInsecure for parameters for testing.
runtime::ServerBundle make_bundle(plan::Program program, std::string model_name,
                                  model::Shape input_shape, std::vector<std::string> class_names);

std::vector<std::uint8_t> to_bytes(const runtime::ServerBundle& bundle);
std::vector<std::uint8_t> to_bytes(const runtime::ClientBundle& bundle);

// Throw kFormat, kInsecure and kInvalidArgument, naming `what`, for anything that is not a bundle
// that check() accepts.
runtime::ServerBundle parse_server_bundle(std::span<const std::uint8_t> file,
                                          const std::string& what);
runtime::ClientBundle parse_client_bundle(std::span<const std::uint8_t> file,
                                          const std::string& what);

void save(const std::filesystem::path& path, const runtime::ServerBundle& bundle);
void save(const std::filesystem::path& path, const runtime::ClientBundle& bundle);
runtime::ServerBundle load_server_bundle(const std::filesystem::path& path);
runtime::ClientBundle load_client_bundle(const std::filesystem::path& path);

}  // namespace ffconv::wire
