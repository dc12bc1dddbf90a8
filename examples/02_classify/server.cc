// The server: evaluates the network on an encrypted image. Holds no secret key and links nothing
// that could read one.
//
//   02_server DIRECTORY                    digits.server, eval.keys, in.ct -> out.ct

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "ffconv/runtime/server.h"
#include "ffconv/wire/bundle_file.h"
#include "ffconv/wire/ciphertexts_file.h"
#include "ffconv/wire/keys_file.h"

int main(int argc, char** argv) {
  using namespace ffconv;
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  const std::filesystem::path directory = argv[1];
  try {
    // Once per network: encodes the weights.
    const runtime::Server server(wire::load_server_bundle(directory / "digits.server"));
    const runtime::Fingerprint& fingerprint = server.bundle().fingerprint;
    // Once per data owner.
    const auto keys =
        wire::load_evaluation_keys(directory / "eval.keys", server.context(), fingerprint);
    // Once per image.
    auto inputs = wire::load_ciphertexts(directory / "in.ct", server.context(), fingerprint);
    const auto start = std::chrono::steady_clock::now();
    const auto outputs = server.infer(keys, std::move(inputs));
    const std::chrono::duration<double, std::milli> elapsed =
        std::chrono::steady_clock::now() - start;
    wire::save(directory / "out.ct", outputs, fingerprint);
    std::printf("%s: one encrypted image in %.0f ms\n", server.bundle().model_name.c_str(),
                elapsed.count());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
