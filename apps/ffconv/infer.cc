// ffconv infer: the server's part, encrypted images -> encrypted scores. No secret key.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "ffconv/base/error.h"
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
  std::string bundle, result;
  std::vector<std::string> inputs;
  std::string keys = "eval.keys";
  std::size_t together = 4;
  std::optional<std::uint64_t> memory;
  OutputFlags output;
};

struct Times {
  double encode_us = 0;  // weights, once for all images
  double load_us = 0;    // keys and images
  double infer_us = 0;   // of all images
};

// Where the scores of each input go: the result itself for one, a file of the input's name in the
// folder of the result for several.
std::vector<std::string> result_paths(const Options& options) {
  if (options.inputs.size() == 1) {
    return {options.result};
  }
  std::vector<std::string> paths;
  std::map<std::filesystem::path, std::string> input_of;
  for (const std::string& input : options.inputs) {
    const std::filesystem::path name = std::filesystem::path(input).filename();
    if (const auto [other, is_new] = input_of.try_emplace(name, input); !is_new) {
      fail(ErrorCode::kInvalidArgument,
           "{} and {}: results are named as their inputs; give inputs of different names",
           other->second, input);
    }
    paths.push_back((std::filesystem::path(options.result) / name).string());
  }
  std::error_code error;
  std::filesystem::create_directories(options.result, error);
  if (error || !std::filesystem::is_directory(options.result)) {
    fail(ErrorCode::kIo, "{}: expected a folder for the scores of {} images", options.result,
         options.inputs.size());
  }
  return paths;
}

void print(const Options& options, const std::vector<std::string>& results,
           const plan::OpCounts& counts, const Times& times) {
  const std::size_t images = results.size();
  const std::uint64_t bytes = std::filesystem::file_size(results.front());
  if (options.output.json) {
    fmt::print("{}", json_text({{"output", options.result},
                                {"images", images},
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
    const auto shared = std::min(images, options.together);
    fmt::print("prepared   weights in {}, keys and images in {}\n", ms_text(times.encode_us),
               ms_text(times.load_us));
    fmt::print("evaluated  in {} on {}{}\n", ms_text(times.infer_us), threads_text(thread_count()),
               images == 1
                   ? ""
                   : fmt::format(", {} an image, {} at once",
                                 ms_text(times.infer_us / static_cast<double>(images)), shared));
    fmt::print("memory     {} at the peak\n", size_text(peak_memory_bytes()));
    fmt::print("rotations  {}{}\nproducts   {}\n", rotations_text(counts),
               images == 1 ? "" : ", each image", products_text(counts));
    fmt::print("wrote      {}, {}{}: for the data owner\n",
               images == 1 ? options.result : fmt::format("{} files in {}", images, options.result),
               exact_size_text(bytes), images == 1 ? "" : " each");
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
  const runtime::Fingerprint& fingerprint = server.bundle().fingerprint;
  const EvaluationKeys keys =
      wire::load_evaluation_keys(options.keys, server.context(), fingerprint);
  server.check_keys(keys);
  const auto load = [&](std::size_t i) {
    const std::string& path = options.inputs[i];
    std::vector<Ciphertext> inputs = wire::load_ciphertexts(path, server.context(), fingerprint);
    server.check_inputs(inputs, path + ": input");
    return inputs;
  };
  const std::size_t images = options.inputs.size();
  for (std::size_t i = 0; images > 1 && i < images; ++i) {
    load(i);  // a bad one is found before hours are spent on the others
  }
  const std::vector<std::string> results = result_paths(options);
  for (std::size_t first = 0; first < images; first += options.together) {
    const std::size_t end = std::min(images, first + options.together);
    std::vector<std::vector<Ciphertext>> inputs;
    for (std::size_t i = first; i < end; ++i) {
      inputs.push_back(load(i));
    }
    times.load_us += watch.lap_us();
    const Progress progress = bar.callback();
    const auto of_all = [&](std::string_view what, std::size_t done, std::size_t total) {
      progress(what, first * total + done * (end - first), images * total);
    };
    const auto scores =
        server.infer_together(keys, std::move(inputs), progress ? Progress(of_all) : Progress());
    times.infer_us += watch.lap_us();
    for (std::size_t i = first; i < end; ++i) {
      wire::save(results[i], scores[i - first], fingerprint);
    }
  }
  print(options, results, counts, times);
}

}  // namespace

void add_infer(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = add_command(
      app, "infer", "Evaluate the network on encrypted images, on the server",
      "  ffconv infer mnist.server --keys eval.keys digit.ct -o scores.ct\n"
      "  ffconv infer cifar.server photos/*.ct -o scores      # scores/NAME.ct for photos/NAME.ct",
      options->output);
  command.add_option("BUNDLE", options->bundle, "The server's bundle, NAME.server")
      ->type_name("")
      ->required();
  command
      .add_option("INPUTS", options->inputs,
                  "Encrypted images of one data owner, a file each, or a batch")
      ->type_name("")
      ->required();
  command
      .add_option("-o,--output", options->result,
                  "The encrypted scores to write; for several inputs a folder, where\nthey are "
                  "named as these")
      ->type_name("FILE")
      ->required();
  command
      .add_option("--together", options->together,
                  "How many images are evaluated at once: they share the reading\nof weights and "
                  "keys, and take memory each")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{64}))
      ->capture_default_str();
  command.add_option("--keys", options->keys, "The data owner's evaluation keys")
      ->type_name("FILE")
      ->capture_default_str();
  add_memory_flag(command, options->memory);
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
