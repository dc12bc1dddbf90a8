// ffconv decrypt: encrypted scores -> scores that may be shared, or exact ones that may not.

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
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
#include "terminal.h"

namespace ffconv::cli {
namespace {

struct Options {
  std::string bundle, input;
  std::string secret = "secret.key";
  std::size_t images = 1;
  bool raw = false;
  bool class_only = false;
  double flood_bits = DecryptOptions{}.flood_bits;
  OutputFlags output;
};

void print_class(const std::string& name, std::size_t index, bool json) {
  if (json) {
    fmt::print("{}", json_text({{"class", name}, {"class_index", index}}));
  } else {
    fmt::print("class {}\n", printable(name));
  }
}

// As many decimals as a multiple of `step`, a power of two, needs to be told from its neighbours.
std::string score_text(double score, double step) {
  constexpr int kExactDecimals = 9;
  const int decimals =
      step > 0.0 ? std::max(0, static_cast<int>(std::ceil(-std::log10(step)))) : kExactDecimals;
  return fmt::format("{:.{}f}", score, decimals);
}

void print_scores(const runtime::Prediction& prediction, const std::vector<std::string>& names,
                  bool json) {
  if (json) {
    fmt::print("{}", json_text({{"class", prediction.class_name},
                                {"class_index", prediction.class_index},
                                {"scores", prediction.scores},
                                {"step", prediction.step}}));
    return;
  }
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t i) { return prediction.scores[i]; });
  Table table({"class", "score"});
  for (const std::size_t i : order) {
    table.add_row({printable(names[i]), score_text(prediction.scores[i], prediction.step)});
  }
  print_class(prediction.class_name, prediction.class_index, false);
  fmt::print("\n{}", table.text());
  if (prediction.step > 0.0) {
    fmt::print("\nscores are multiples of {:.3g}, and may be shared\n", prediction.step);
  }
}

// Of a batch: a line an image.
void print_batch(const std::vector<runtime::Prediction>& predictions, bool json, bool scores) {
  Json list = Json::array();
  Table table({"image", "class", "score"});
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const runtime::Prediction& prediction = predictions[i];
    Json entry = {{"class", prediction.class_name}, {"class_index", prediction.class_index}};
    if (scores) {
      entry["scores"] = prediction.scores;
      entry["step"] = prediction.step;
    }
    list.push_back(std::move(entry));
    table.add_row(
        {std::to_string(i), printable(prediction.class_name),
         scores ? score_text(prediction.scores[prediction.class_index], prediction.step) : ""});
  }
  fmt::print("{}", json ? json_text({{"images", std::move(list)}}) : table.text());
}

void run(const Options& options) {
  const runtime::Client client(wire::load_client_bundle(options.bundle));
  const SecretKey secret = wire::load_secret_key(options.secret, client.context());
  const std::vector<Ciphertext> result =
      wire::load_ciphertexts(options.input, client.context(), client.bundle().fingerprint);
  const std::vector<std::string>& names = client.bundle().class_names;
  if (options.raw) {
    fmt::print(stderr,
               "warning: exact scores. Whoever knows them beside the ciphertext learns about the "
               "secret key: never share them\n");
  }
  if (options.images != 1) {
    const bool exact = options.raw || options.class_only;
    print_batch(exact ? client.decrypt_batch_raw(secret, result, options.images)
                      : client.decrypt_batch(secret, result, options.images,
                                             {.flood_bits = options.flood_bits}),
                options.output.json, !options.class_only);
  } else if (options.class_only) {
    const std::size_t index = client.decrypt_class(secret, result);
    print_class(names[index], index, options.output.json);
  } else if (options.raw) {
    print_scores(client.decrypt_raw(secret, result), names, options.output.json);
  } else {
    print_scores(client.decrypt(secret, result, {.flood_bits = options.flood_bits}), names,
                 options.output.json);
  }
}

}  // namespace

void add_decrypt(CLI::App& app) {
  constexpr double kMaxFloodBits = 60;
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      add_command(app, "decrypt", "Decrypt the server's answer; all but --raw may be shared",
                  "  ffconv decrypt mnist.client --secret secret.key scores.ct", options->output);
  command.add_option("BUNDLE", options->bundle, "The client's bundle, NAME.client")
      ->type_name("")
      ->required();
  command.add_option("INPUT", options->input, "The encrypted scores")->type_name("")->required();
  command.add_option("--secret", options->secret, "The secret key")
      ->type_name("FILE")
      ->capture_default_str();
  command.add_option("--images", options->images, "How many images were encrypted at once")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  CLI::Option* raw = command.add_flag("--raw", options->raw, "Exact scores: never share them");
  CLI::Option* class_only =
      command.add_flag("--class-only", options->class_only, "The class alone: says least");
  command
      .add_option("--flood-bits", options->flood_bits,
                  "Bits of noise above the error that hide it: more hide it better")
      ->capture_default_str()
      ->type_name("BITS")
      ->check(CLI::Range(0.0, kMaxFloodBits).description(""))
      ->excludes(raw)
      ->excludes(class_only);
  raw->excludes(class_only);
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
