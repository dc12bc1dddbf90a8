// ffconv demo: sample images, classified encrypted, with every step of client and server visible.

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "compiling.h"
#include "demo_sheet.h"
#include "evaluation.h"
#include "exit_code.h"
#include "ffconv/base/error.h"
#include "ffconv/base/parallel.h"
#include "ffconv/model/float_executor.h"
#include "ffconv/runtime/secret/client.h"
#include "ffconv/runtime/server.h"
#include "ffconv/wire/bundle_file.h"
#include "ffconv/wire/ciphertexts_file.h"
#include "ffconv/wire/keys_file.h"
#include "ffconv/wire/secret/secret_key_file.h"
#include "images.h"
#include "plan_report.h"
#include "progress_bar.h"
#include "stopwatch.h"
#include "temporary_directory.h"
#include "terminal.h"

namespace ffconv::cli {
namespace {

namespace fs = std::filesystem;

// Digits, and photographs.
constexpr std::array<std::string_view, 2> kNetworks = {"mnist-lola.onnx",
                                                       "cifar-ffconv-quarter.onnx"};

struct Options {
  std::size_t images = 10;
  std::string model;
  std::string root;
  OutputFlags output;
};

// The folder that holds models/ and samples/.
fs::path find_root(const std::string& given) {
  const std::vector<fs::path> places =
      given.empty() ? std::vector<fs::path>{".", FFCONV_SOURCE_DIR} : std::vector<fs::path>{given};
  for (const fs::path& place : places) {
    if (fs::is_directory(place / "models") && fs::is_directory(place / "samples")) {
      return place;
    }
  }
  fail(ErrorCode::kIo, "models/ and samples/ are not in {}: name the source tree with --root",
       places.front() == "." ? "this directory" : places.front().string());
}

// Numbers of images that show every class before one comes again.
std::vector<std::size_t> one_of_each_class(const model::Dataset& data, std::size_t count) {
  std::vector<std::size_t> seen(static_cast<std::size_t>(data.classes));
  std::vector<std::pair<std::size_t, std::size_t>> order;  // round, image
  for (std::size_t i = 0; i < data.size(); ++i) {
    order.emplace_back(seen[data.labels[i]]++, i);
  }
  std::ranges::stable_sort(order, {}, &std::pair<std::size_t, std::size_t>::first);
  std::vector<std::size_t> chosen;
  for (const auto& [round, image] : order) {
    if (chosen.size() < count) {
      chosen.push_back(image);
    }
  }
  return chosen;
}

// Two parties that exchange files only: `owner` holds the data and the secret key, `server` has a
// directory of its own.
class Demo {
 public:
  Demo(const Options& options, const model::Dataset& data, Model model, std::string model_path)
      : options_(options),
        data_(data),
        images_(one_of_each_class(data, options.images)),
        model_(std::move(model)),
        model_path_(std::move(model_path)),
        owner_(directory_.path() / "owner"),
        server_(directory_.path() / "server") {
    fs::create_directory(owner_);
    fs::create_directory(server_);
  }

  // Whether every prediction is the float network's.
  bool run() {
    const PlanReport report = compile();
    make_keys();
    encrypt();
    infer();
    const std::vector<DemoCell> cells = decrypt();
    fmt::print("\n{}{}", sheet_text(cells, terminal_columns(stdout), terminal_colours(stdout)),
               demo_summary(report, cells, times_us_));
    return std::ranges::all_of(
        cells, [](const DemoCell& cell) { return cell.predicted_class == cell.float_class; });
  }

 private:
  std::string image_file(std::size_t i) const { return fmt::format("image-{:02}.ct", i); }
  std::string scores_file(std::size_t i) const { return fmt::format("scores-{:02}.ct", i); }

  static std::string sized(const fs::path& path) {
    return fmt::format("{} {}", path.filename().string(), size_text(fs::file_size(path)));
  }
  void print_step(int number, const std::string& title, const std::string& files) {
    fmt::print("{} {:<60} {:>8.2f} s\n    {}\n", number, title, watch_.lap_us() / 1e6, files);
    std::fflush(stdout);
  }

  PlanReport compile() {
    const CompileFlags flags;
    CompiledModel compiled = compile_model(model_, model_path_, flags, options_.output.quiet);
    wire::save(server_ / "network.server", compiled.bundle);
    wire::save(owner_ / "network.client", runtime::client_bundle(compiled.bundle));
    PlanReport report(compiled.bundle, cost_table(flags));
    report.compilation = std::move(compiled.report);
    print_step(1, "compile, by the model's owner",
               fmt::format("{} -> {}, {}", sized(model_path_), sized(server_ / "network.server"),
                           sized(owner_ / "network.client")));
    return report;
  }

  runtime::Client client() const {
    return runtime::Client(wire::load_client_bundle(owner_ / "network.client"));
  }

  void make_keys() {
    const runtime::Client client = this->client();
    const SecretKey secret = client.generate_secret();
    wire::save(owner_ / "secret.key", secret);
    wire::save(server_ / "eval.keys", client.generate_evaluation_keys(secret), client.context(),
               client.bundle().fingerprint);
    print_step(2, "make keys, by the data's owner",
               fmt::format("{}, never leaves; {} -> server", sized(owner_ / "secret.key"),
                           sized(server_ / "eval.keys")));
  }

  void encrypt() {
    const runtime::Client client = this->client();
    const SecretKey secret = wire::load_secret_key(owner_ / "secret.key", client.context());
    for (std::size_t i = 0; i < images_.size(); ++i) {
      wire::save(server_ / image_file(i), client.encrypt(secret, data_.image(images_[i])),
                 client.bundle().fingerprint);
    }
    print_step(3, "encrypt, by the data's owner",
               fmt::format("{} images, each {} -> server", images_.size(),
                           sized(server_ / image_file(0))));
  }

  // Reads and writes in the server's directory alone.
  void infer() {
    const runtime::Server server(wire::load_server_bundle(server_ / "network.server"));
    const runtime::Fingerprint& fingerprint = server.bundle().fingerprint;
    const EvaluationKeys keys =
        wire::load_evaluation_keys(server_ / "eval.keys", server.context(), fingerprint);
    auto bar = std::make_unique<ProgressBar>(options_.output.quiet);
    const Progress progress = bar->callback();
    for (std::size_t i = 0; i < images_.size(); ++i) {
      auto inputs = wire::load_ciphertexts(server_ / image_file(i), server.context(), fingerprint);
      Stopwatch watch;
      const auto outputs = server.infer(keys, std::move(inputs));
      times_us_.push_back(watch.lap_us());
      wire::save(server_ / scores_file(i), outputs, fingerprint);
      if (progress) {
        progress("images", i + 1, images_.size());
      }
    }
    bar.reset();
    print_step(4, "infer, by the server, which has no secret key",
               fmt::format("{} results, each {} -> data's owner", images_.size(),
                           sized(server_ / scores_file(0))));
  }

  std::vector<DemoCell> decrypt() {
    const runtime::Client client = this->client();
    const SecretKey secret = wire::load_secret_key(owner_ / "secret.key", client.context());
    std::vector<DemoCell> cells;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      const auto result = wire::load_ciphertexts(server_ / scores_file(i), client.context(),
                                                 client.bundle().fingerprint);
      const std::vector<double> image = data_.image(images_[i]);
      cells.push_back({.image = image,
                       .shape = data_.shape,
                       .class_names = client.bundle().class_names,
                       .scores = client.decrypt(secret, result).scores,
                       .true_class = data_.labels[images_[i]],
                       .predicted_class = client.decrypt_class(secret, result),
                       .float_class = best_class(run_float(model_.graph, image)),
                       .us = times_us_[i]});
    }
    print_step(5, "decrypt, by the data's owner", fmt::format("{} predictions", cells.size()));
    return cells;
  }

  const Options& options_;
  const model::Dataset& data_;
  std::vector<std::size_t> images_;
  Model model_;
  std::string model_path_;
  TemporaryDirectory directory_;
  fs::path owner_, server_;
  std::vector<double> times_us_;
  Stopwatch watch_;
};

// The sample images that a network can take.
model::Dataset samples_for(const model::Network& network, const fs::path& root) {
  for (const std::string_view name : {"mnist", "cifar10"}) {
    const fs::path folder = root / "samples" / name;
    if (model::Dataset data = model::load_samples(folder); data.shape == network.input) {
      return data;
    }
  }
  fail(ErrorCode::kMismatch, "{}: no sample images have its input shape, {}; see ffconv evaluate",
       network.name, model::to_string(network.input));
}

void run(const Options& options) {
  const fs::path root = find_root(options.root);
  std::vector<std::string> paths;
  if (options.model.empty()) {
    for (const std::string_view name : kNetworks) {
      paths.push_back((root / "models" / name).string());
    }
  } else {
    paths.push_back(options.model);
  }
  bool as_in_float = true;
  for (const std::string& path : paths) {
    Model model = load_model(path);
    const model::Dataset data = samples_for(model.network, root);
    fmt::print("{}{}\n", path == paths.front() ? "" : "\n", printable(model.network.name));
    as_in_float = Demo(options, data, std::move(model), path).run() && as_in_float;
  }
  if (!as_in_float) {
    throw ExitCode{ExitCode::kFailure};
  }
}

}  // namespace

void add_demo(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      add_command(app, "demo", "Classify sample images encrypted, step by step",
                  "  ffconv demo\n  ffconv demo --images 20", options->output, false);
  command.add_option("--images", options->images, "How many images to classify")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  command
      .add_option("--model", options->model,
                  "The network, an ONNX file for digits or photographs as in\nsamples/ "
                  "(default: mnist-lola.onnx and\ncifar-ffconv-quarter.onnx in models/)")
      ->type_name("FILE");
  command
      .add_option("--root", options->root,
                  "Folder with models/ and samples/ (default: this one, or the\nsource tree)")
      ->type_name("FOLDER");
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
