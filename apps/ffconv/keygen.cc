// ffconv keygen: the data owner's secret key, and the keys that the server gets.

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "ffconv/base/error.h"
#include "ffconv/runtime/secret/client.h"
#include "ffconv/wire/bundle_file.h"
#include "ffconv/wire/keys_file.h"
#include "ffconv/wire/secret/secret_key_file.h"
#include "format.h"
#include "progress_bar.h"

namespace ffconv::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string bundle;
  std::string secret = "secret.key";
  std::string keys = "eval.keys";
  bool force = false;
  OutputFlags output;
};

void refuse_to_overwrite(const Options& options) {
  for (const std::string& path : {options.secret, options.keys}) {
    if (fs::exists(path)) {
      fail(ErrorCode::kIo,
           "{}: exists already: name another file, or replace the keys with --force: what was "
           "encrypted for the old ones can then not be decrypted any more",
           path);
    }
  }
}

// Both files or none: an old secret key goes only once both new files are complete.
void save(const Options& options, const runtime::Client& client, const SecretKey& secret,
          const EvaluationKeys& keys) {
  const std::string staged = options.secret + ".new";
  const std::string& first = options.force ? staged : options.secret;
  wire::save(first, secret);
  try {
    wire::save(options.keys, keys, client.context(), client.bundle().fingerprint);
    if (options.force) {
      fs::rename(staged, options.secret);
    }
  } catch (...) {
    fs::remove(first);
    throw;
  }
}

void print(const Options& options) {
  const std::uint64_t secret_bytes = fs::file_size(options.secret);
  const std::uint64_t key_bytes = fs::file_size(options.keys);
  if (options.output.json) {
    fmt::print("{}", json_text({{"secret", options.secret},
                                {"secret_bytes", secret_bytes},
                                {"keys", options.keys},
                                {"key_bytes", key_bytes}}));
  } else if (!options.output.quiet) {
    fmt::print("wrote {}, {}: stays with you, never send it\n", options.secret,
               exact_size_text(secret_bytes));
    fmt::print("wrote {}, {}: for the server, once\n", options.keys, exact_size_text(key_bytes));
  }
}

void run(const Options& options) {
  if (!options.force) {
    refuse_to_overwrite(options);
  }
  const runtime::Client client(wire::load_client_bundle(options.bundle));
  const SecretKey secret = client.generate_secret();
  EvaluationKeys keys;
  {
    ProgressBar bar(options.output.quiet);
    keys = client.generate_evaluation_keys(secret, bar.callback());
  }
  save(options, client, secret, keys);
  print(options);
}

}  // namespace

void add_keygen(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = add_command(
      app, "keygen", "Make a data owner's secret key, and evaluation keys for the server",
      "  ffconv keygen mnist.client --secret secret.key --keys eval.keys", options->output);
  command.add_option("BUNDLE", options->bundle, "The client's bundle, NAME.client")
      ->type_name("")
      ->required();
  command.add_option("--secret", options->secret, "The secret key to write: never leaves you")
      ->type_name("FILE")
      ->capture_default_str();
  command.add_option("--keys", options->keys, "The evaluation keys to write: for the server")
      ->type_name("FILE")
      ->capture_default_str();
  command.add_flag("--force", options->force, "Replace key files that exist");
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
