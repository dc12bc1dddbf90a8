// ffconv evaluate: accuracy over a data set, in floating point, on the clear backend or encrypted.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "compiling.h"
#include "evaluation.h"
#include "ffconv/backend/clear.h"
#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/model/float_executor.h"
#include "ffconv/runtime/secret/client.h"
#include "ffconv/runtime/server.h"
#include "ffconv/wire/bundle_file.h"
#include "ffconv/wire/ciphertexts_file.h"
#include "ffconv/wire/keys_file.h"
#include "images.h"
#include "machine.h"
#include "progress_bar.h"
#include "stopwatch.h"
#include "terminal.h"

namespace ffconv::cli {
namespace {

constexpr std::size_t kEncryptedImages = 1000;

struct Options {
  std::string model, data, bundle;
  std::optional<std::size_t> images;
  bool clear = false;
  bool noise = false;
  bool encrypted = false;
  std::optional<std::uint64_t> memory;  // of the server
  const CLI::App* command = nullptr;
  CompileFlags compile;
  OutputFlags output;
};

// A run beside the float network.
struct Run {
  std::vector<Scores> scores;
  std::string packing;  // empty where a bundle does not say
  double predicted_us = 0;
  // Of images_at_once; empty unless encrypted. Evaluation alone, and the client's part.
  std::vector<double> times_us, encrypt_us, decrypt_us;
  std::size_t images_at_once = 1;
};

std::string mode(const Options& options) {
  return options.encrypted ? "encrypted" : options.clear ? "clear" : "float";
}

std::size_t image_count(const Options& options, const model::Dataset& data) {
  const std::size_t wanted =
      options.images.value_or(options.encrypted ? kEncryptedImages : data.size());
  return std::min(wanted, data.size());
}

std::vector<Scores> run_float_network(const Model& model, const model::Dataset& data,
                                      std::size_t images, bool quiet) {
  ProgressBar bar(quiet);
  return score_all(
      data, images, [&](const auto& pixels, std::size_t) { return run_float(model.graph, pixels); },
      bar.callback());
}

// Image i gets the noise of seed i: results do not depend on threads.
Run run_on_clear(const runtime::ServerBundle& bundle, const Options& options,
                 const model::Dataset& data, std::size_t images) {
  const plan::Program& program = bundle.program;
  const std::size_t classes = bundle.class_names.size();
  ProgressBar bar(options.output.quiet);
  auto scores = score_all(
      data, images,
      [&](const auto& pixels, std::size_t i) {
        return backend::run_clear(program, pixels, classes,
                                  options.noise ? std::optional<std::uint64_t>(i) : std::nullopt);
      },
      bar.callback());
  Run result;
  result.scores = std::move(scores);
  return result;
}

// Client and server in one process, what they exchange as bytes; exact scores never leave it.
Run run_encrypted(runtime::ServerBundle bundle, const Options& options, const model::Dataset& data,
                  std::size_t images) {
  Run result;
  const runtime::Client client(runtime::client_bundle(bundle));
  ProgressBar bar(options.output.quiet);
  const Progress progress = bar.callback();
  const plan::Program& program = bundle.program;
  const auto small = plan::fit_memory(program, Params(program.params), options.memory,
                                      cost_table(options.compile), thread_count());
  const runtime::Server server(std::move(bundle), progress, small);
  const runtime::Fingerprint& fingerprint = server.bundle().fingerprint;
  const SecretKey secret = client.generate_secret();
  const EvaluationKeys keys = wire::parse_evaluation_keys(
      wire::to_bytes(client.generate_evaluation_keys(secret), client.context(), fingerprint),
      server.context(), fingerprint, "keys");
  result.images_at_once = std::min(images, client.images_at_once());
  for (std::size_t first = 0; first < images; first += result.images_at_once) {
    const std::size_t count = std::min(images - first, result.images_at_once);
    std::vector<std::vector<double>> batch;
    for (std::size_t i = first; i < first + count; ++i) {
      batch.push_back(data.image(i));
    }
    Stopwatch watch;
    const auto sent = wire::to_bytes(client.encrypt_batch(secret, batch), fingerprint);
    result.encrypt_us.push_back(watch.lap_us());
    auto inputs = wire::parse_ciphertexts(sent, server.context(), fingerprint, "image");
    watch.lap_us();
    const auto outputs = server.infer(keys, std::move(inputs));
    result.times_us.push_back(watch.lap_us());
    const auto answer = wire::parse_ciphertexts(wire::to_bytes(outputs, fingerprint),
                                                client.context(), fingerprint, "scores");
    watch.lap_us();
    for (runtime::Prediction& prediction : client.decrypt_batch_raw(secret, answer, count)) {
      result.scores.push_back(std::move(prediction.scores));
    }
    result.decrypt_us.push_back(watch.lap_us());
    if (progress) {
      progress("encrypted images", first + count, images);
    }
  }
  return result;
}

Json accuracy_json(const Options& options, const Model& model, std::size_t images,
                   std::size_t correct) {
  return {{"model", model.network.name},
          {"data", options.data},
          {"mode", mode(options)},
          {"images", images},
          {"correct", correct},
          {"accuracy", static_cast<double>(correct) / static_cast<double>(images)}};
}

void add_run(Json& json, const Run& run, const Comparison& comparison, const Model& model) {
  json["agree"] = comparison.agree;
  json["max_score_error"] = comparison.max_score_error;
  json["differences"] = Json::array();
  for (const Difference& difference : comparison.differences) {
    json["differences"].push_back(to_json(difference, model.network.class_names));
  }
  json["packing"] = run.packing.empty() ? Json() : Json(run.packing);
  json["predicted_ms"] = run.predicted_us / 1000;
  if (!run.times_us.empty()) {
    json["threads"] = thread_count();
    json["images_at_once"] = run.images_at_once;
    json["min_ms"] = std::ranges::min(run.times_us) / 1000;
    json["median_ms"] = median(run.times_us) / 1000;
    json["encrypt_ms"] = median(run.encrypt_us) / 1000;
    json["decrypt_ms"] = median(run.decrypt_us) / 1000;
    json["peak_bytes"] = peak_memory_bytes();
  }
}

std::size_t images_an_hour(const Run& run) {
  constexpr double kHourUs = 3.6e9;
  return static_cast<std::size_t>(kHourUs / median(run.times_us) *
                                  static_cast<double>(run.images_at_once));
}

std::string run_text(const Run& run, const Comparison& comparison, const Model& model,
                     std::size_t images) {
  std::string text = differences_text(comparison, model.network.class_names);
  text += fmt::format("agrees with float on {} of {}; largest score error {:.3g}\n",
                      grouped(comparison.agree), grouped(images), comparison.max_score_error);
  if (!run.times_us.empty()) {
    text += fmt::format("evaluation {} median, {} best, on {}; {} predicted on one; packing {}\n",
                        ms_text(median(run.times_us)), ms_text(std::ranges::min(run.times_us)),
                        threads_text(thread_count()), ms_text(run.predicted_us),
                        run.packing.empty() ? "as in the bundle" : run.packing);
    if (run.images_at_once > 1) {
      text += fmt::format("{} images at once: {} images an hour, evaluation only\n",
                          grouped(run.images_at_once), grouped(images_an_hour(run)));
    }
    text += fmt::format("peak memory of client and server together {}\n",
                        size_text(peak_memory_bytes()));
  }
  return text;
}

void print(const Options& options, const Model& model, std::size_t images, std::size_t correct,
           const std::optional<Run>& run, const Comparison& comparison) {
  if (options.output.json) {
    Json json = accuracy_json(options, model, images, correct);
    if (run) {
      add_run(json, *run, comparison, model);
    }
    fmt::print("{}", json_text(json));
    return;
  }
  fmt::print("{} on {}, {}: {} of {} correct, {:.2f} %\n", printable(model.network.name),
             options.data, mode(options), grouped(correct), grouped(images),
             100.0 * static_cast<double>(correct) / static_cast<double>(images));
  if (run) {
    fmt::print("{}", run_text(*run, comparison, model, images));
  }
}

// From the model, or read from the file that --bundle names.
CompiledModel compiled_model(const Model& model, const Options& options) {
  if (options.bundle.empty()) {
    return compile_model(model, options.model, options.compile, options.output.quiet);
  }
  if (any_compile_flag(*options.command)) {
    fail(ErrorCode::kInvalidArgument,
         "{}: is compiled already: of the options of compile only --cost applies", options.bundle);
  }
  CompiledModel compiled{wire::load_server_bundle(options.bundle), {}};
  if (compiled.bundle.input_shape != model.network.input ||
      compiled.bundle.class_names != model.network.class_names) {
    fail(ErrorCode::kMismatch, "{}: its input or classes are not those of {}", options.bundle,
         options.model);
  }
  return compiled;
}

void run(const Options& options) {
  const Model model = load_model(options.model);
  const model::Dataset data = load_images(options.data, model::Split::kTest, model.network.input);
  if (static_cast<std::size_t>(data.classes) > model.network.classes) {
    fail(ErrorCode::kMismatch, "{}: has {} classes, the network {} only", options.data,
         data.classes, model.network.classes);
  }
  const std::size_t images = image_count(options, data);
  std::optional<Run> other;
  std::optional<CompiledModel> compiled;
  if (options.clear || options.encrypted) {
    compiled = compiled_model(model, options);
  }
  const std::vector<Scores> reference =
      run_float_network(model, data, images, options.output.quiet);
  if (compiled) {
    const double predicted_us =
        plan::count(compiled->bundle.program, cost_table(options.compile)).total.predicted_us;
    other = options.encrypted ? run_encrypted(std::move(compiled->bundle), options, data, images)
                              : run_on_clear(compiled->bundle, options, data, images);
    other->packing = options.bundle.empty() ? to_string(compiled->report.packing) : "";
    other->predicted_us = predicted_us;
  }
  const std::vector<Scores>& judged = other ? other->scores : reference;
  print(options, model, images, count_correct(judged, data), other, compare(reference, judged));
}

}  // namespace

void add_evaluate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = add_command(
      app, "evaluate", "Accuracy over a data set: in floating point, in the clear or encrypted",
      "  ffconv evaluate models/mnist-lola.onnx --data mnist\n"
      "  ffconv evaluate models/mnist-lola.onnx --data samples/mnist --encrypted --threads 1",
      options->output);
  command.add_option("MODEL", options->model, "The network, an ONNX file")
      ->type_name("")
      ->required();
  command
      .add_option("--data", options->data,
                  "'mnist', 'cifar10' (their test images) or a directory\n"
                  "with labels.json")
      ->type_name("IMAGES")
      ->required();
  command
      .add_option("--images", options->images,
                  "The first so many images (default: all; with --encrypted 1000)")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  CLI::Option* clear =
      command.add_flag("--clear", options->clear, "Run the compiled program on unencrypted slots");
  command
      .add_flag("--noise", options->noise, "With --clear: with the noise of encryption simulated")
      ->needs(clear);
  command.add_flag("--encrypted", options->encrypted, "Run the compiled program encrypted")
      ->excludes(clear);
  command
      .add_option("--bundle", options->bundle,
                  "Run this, NAME.server, which compile made of the network,\n"
                  "instead of compiling")
      ->type_name("FILE");
  add_memory_flag(command, options->memory);
  add_compile_flags(command, options->compile);
  options->command = &command;
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
