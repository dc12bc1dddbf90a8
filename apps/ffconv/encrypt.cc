// ffconv encrypt: an image, or a batch of them -> ciphertexts.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "ffconv/runtime/secret/client.h"
#include "ffconv/wire/bundle_file.h"
#include "ffconv/wire/ciphertexts_file.h"
#include "ffconv/wire/secret/secret_key_file.h"
#include "format.h"
#include "images.h"

namespace ffconv::cli {
namespace {

struct Options {
  std::string bundle, result;
  std::vector<std::string> images;
  std::string secret = "secret.key";
  OutputFlags output;
};

void run(const Options& options) {
  const runtime::Client client(wire::load_client_bundle(options.bundle));
  const SecretKey secret = wire::load_secret_key(options.secret, client.context());
  std::vector<std::vector<double>> pixels;
  for (const std::string& image : options.images) {
    pixels.push_back(load_pixels(image, client.bundle().input_shape));
  }
  const std::vector<Ciphertext> ciphertexts = client.encrypt_batch(secret, pixels);
  wire::save(options.result, ciphertexts, client.bundle().fingerprint);
  const std::uint64_t bytes = std::filesystem::file_size(options.result);
  if (options.output.json) {
    fmt::print("{}", json_text({{"images", options.images},
                                {"output", options.result},
                                {"ciphertexts", ciphertexts.size()},
                                {"upload_bytes", bytes}}));
  } else if (!options.output.quiet) {
    fmt::print("wrote {}, {}{} ciphertexts, {}: for the server\n", options.result,
               pixels.size() > 1 ? fmt::format("{} images, ", pixels.size()) : "",
               ciphertexts.size(), exact_size_text(bytes));
  }
}

}  // namespace

void add_encrypt(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      add_command(app, "encrypt", "Encrypt an image, or many, for the server",
                  "  ffconv encrypt mnist.client --secret secret.key digit.png -o digit.ct\n"
                  "  ffconv encrypt mnist.client mnist:17 -o digit.ct     # MNIST's test image 17\n"
                  "  ffconv encrypt batch.client samples/mnist/*.png -o digits.ct  # packing batch",
                  options->output);
  command.add_option("BUNDLE", options->bundle, "The client's bundle, NAME.client")
      ->type_name("")
      ->required();
  command
      .add_option("IMAGES", options->images,
                  "A PNG, PGM, PPM or JPEG file of exactly the network's\nsize, or a test image, "
                  "mnist:NUMBER or cifar10:NUMBER; several for packing batch")
      ->type_name("")
      ->required();
  command.add_option("-o,--output", options->result, "The ciphertexts to write")
      ->type_name("FILE")
      ->required();
  command.add_option("--secret", options->secret, "The secret key")
      ->type_name("FILE")
      ->capture_default_str();
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
