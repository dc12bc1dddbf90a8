// ffconv infer: the server's part, an encrypted image -> encrypted scores. No secret key.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "ffconv/base/parallel.h"
#include "ffconv/plan/counts.h"
#include "ffconv/runtime/server.h"
#include "ffconv/wire/bundle_file.h"
#include "ffconv/wire/ciphertexts_file.h"
#include "ffconv/wire/keys_file.h"
#include "format.h"
#include "machine.h"
#include "progress_bar.h"
#include "stopwatch.h"

namespace ffconv::cli {
namespace {

struct Options {
  std::string bundle, input, result;
  std::string keys = "eval.keys";
  std::optional<std::uint64_t> memory;
  OutputFlags output;
};

struct Times {
  double encode_us = 0;  // weights, once for all images
  double load_us = 0;    // keys and image
  double infer_us = 0;
};

void print(const Options& options, const plan::OpCounts& counts, const Times& times) {
  const std::uint64_t bytes = std::filesystem::file_size(options.result);
  if (options.output.json) {
    fmt::print("{}", json_text({{"output", options.result},
                                {"download_bytes", bytes},
                                {"threads", thread_count()},
                                {"encode_ms", times.encode_us / 1000},
                                {"load_ms", times.load_us / 1000},
                                {"infer_ms", times.infer_us / 1000},
                                {"peak_bytes", peak_memory_bytes()},
                                {"rotations", counts.rotations},
                                {"hoisted_rotations", counts.hoisted_rotations},
                                {"plain_products", counts.plain_products},
                                {"scalar_products", counts.scalar_products},
                                {"ciphertext_products", counts.ciphertext_products},
                                {"rescales", counts.rescales}}));
  } else if (!options.output.quiet) {
    fmt::print("prepared   weights in {}, keys and image in {}\n", ms_text(times.encode_us),
               ms_text(times.load_us));
    fmt::print("evaluated  in {} on {}\n", ms_text(times.infer_us), threads_text(thread_count()));
    fmt::print("memory     {} at the peak\n", size_text(peak_memory_bytes()));
    fmt::print("rotations  {}\nproducts   {}\n", rotations_text(counts), products_text(counts));
    fmt::print("wrote      {}, {}: for the data owner\n", options.result, exact_size_text(bytes));
  }
}

void run(const Options& options) {
  runtime::ServerBundle bundle = wire::load_server_bundle(options.bundle);
  const plan::OpCounts counts = plan::count(bundle.program, default_cost_table()).total;
  Times times;
  Stopwatch watch;
  ProgressBar bar(options.output.quiet);
  const Params params(bundle.program.params);
  const auto small = plan::fit_memory(bundle.program, params, options.memory, default_cost_table(),
                                      thread_count());
  const runtime::Server server(std::move(bundle), bar.callback(), small);
  times.encode_us = watch.lap_us();
  const EvaluationKeys keys =
      wire::load_evaluation_keys(options.keys, server.context(), server.bundle().fingerprint);
  std::vector<Ciphertext> inputs =
      wire::load_ciphertexts(options.input, server.context(), server.bundle().fingerprint);
  times.load_us = watch.lap_us();
  const std::vector<Ciphertext> outputs = server.infer(keys, std::move(inputs), bar.callback());
  times.infer_us = watch.lap_us();
  wire::save(options.result, outputs, server.bundle().fingerprint);
  print(options, counts, times);
}

}  // namespace

void add_infer(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = add_command(
      app, "infer", "Evaluate the network on an encrypted image, on the server",
      "  ffconv infer mnist.server --keys eval.keys digit.ct -o scores.ct", options->output);
  command.add_option("BUNDLE", options->bundle, "The server's bundle, NAME.server")
      ->type_name("")
      ->required();
  command.add_option("INPUT", options->input, "The encrypted image")->type_name("")->required();
  command.add_option("-o,--output", options->result, "The encrypted scores to write")
      ->type_name("FILE")
      ->required();
  command.add_option("--keys", options->keys, "The data owner's evaluation keys")
      ->type_name("FILE")
      ->capture_default_str();
  add_memory_flag(command, options->memory);
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
