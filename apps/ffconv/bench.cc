// ffconv bench: networks, packings and threads, each measured as it would be deployed; the rows of
// docs/results.md.
//
// Every step runs in a process of its own, so that peak memory is the server's alone. Rows are kept
// in results.json as they come: the same command goes on where it was interrupted.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench_report.h"
#include "child_process.h"
#include "command_line.h"
#include "commands.h"
#include "compiling.h"
#include "ffconv/base/error.h"
#include "format.h"
#include "machine.h"
#include "progress_bar.h"
#include "temporary_directory.h"

namespace ffconv::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> models;
  std::vector<std::string> packings;
  std::vector<double> bandwidths = {std::numeric_limits<double>::infinity(), 100};
  std::vector<int> threads = {1, 2};
  std::size_t images = 20;
  double max_ms = 60'000;
  std::string output = "results", cost, data, bundles;
  std::optional<std::uint64_t> memory;
  bool force = false;
  OutputFlags flags;
};

// What a row is about.
struct Task {
  std::string model;  // file
  std::string packing;
  double bandwidth = std::numeric_limits<double>::infinity();  // Mbit/s

  std::string network() const { return fs::path(model).stem().string(); }
  std::string asked() const {
    return std::isinf(bandwidth) ? packing : fmt::format("{}, {} Mbit/s", packing, bandwidth);
  }
};

Json run_json(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  return Json::parse(run_self(arguments));
}

// mnist or cifar10, by what the network takes.
std::string data_of(const model::Network& network, const std::string& model) {
  if (network.input.dims == std::vector<std::size_t>{1, 28, 28}) {
    return "mnist";
  }
  if (network.input.dims == std::vector<std::size_t>{3, 32, 32}) {
    return "cifar10";
  }
  fail(ErrorCode::kMismatch, "{}: takes neither digits nor CIFAR-10's photographs; name --data",
       model);
}

// Of a data set by name, or of a folder.
std::string first_image(const std::string& data) {
  if (!fs::is_directory(data)) {
    return data + ":0";
  }
  std::vector<std::string> images;
  for (const auto& entry : fs::directory_iterator(data)) {
    if (entry.path().extension() != ".json") {
      images.push_back(entry.path().string());
    }
  }
  if (images.empty()) {
    fail(ErrorCode::kIo, "{}: no images", data);
  }
  return std::ranges::min(images);
}

// The rows of earlier runs, and where new ones go.
class Results {
 public:
  Results(fs::path folder, bool force) : folder_(std::move(folder)) {
    fs::create_directories(folder_);
    if (!force && fs::exists(file())) {
      std::ifstream stream(file());
      document_ = Json::parse(stream, nullptr, false);
      if (!document_.is_object() || !document_.contains("rows") || !document_["rows"].is_array()) {
        fail(ErrorCode::kFormat, "{}: not results of ffconv bench; remove it, or use --force",
             file().string());
      }
    } else {
      document_ = {{"machine", cpu_generation()}, {"rows", Json::array()}};
    }
    if (document_["machine"] != cpu_generation()) {
      fail(ErrorCode::kMismatch,
           "{}: rows of another machine, {}, do not compare with this one's, {}; choose another "
           "folder with -o",
           file().string(), document_["machine"].dump(), cpu_generation());
    }
  }

  bool has(const Task& task) const {
    return std::ranges::any_of(document_["rows"], [&](const Json& row) {
      return row.value("network", "") == task.network() && row.value("asked", "") == task.asked();
    });
  }
  void add(Json row) {
    document_["rows"].push_back(std::move(row));
    write_text(file(), document_.dump(1) + "\n");
    write_text(folder_ / "results.md", bench_report(document_));
  }
  const Json& document() const { return document_; }

 private:
  fs::path file() const { return folder_ / "results.json"; }

  fs::path folder_;
  Json document_;
};

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) {}

  Json row(const Task& task) {
    Json row{{"network", task.network()}, {"asked", task.asked()}};
    const fs::path bundle =
        options_.bundles.empty()
            ? directory_.path() / "network"
            : fs::path(options_.bundles) /
                  fmt::format("{}-{}-{}", task.network(), task.packing, task.bandwidth);
    Json plan;
    try {
      plan = compiled(task, bundle);
    } catch (const Error& error) {
      row["refused"] = error.what();  // a packing that the network does not fit
      return row;
    }
    row["plan"] = plan;
    row["float_accuracy"] = float_accuracy(task.model);
    if (plan["predicted_ms"] > options_.max_ms) {
      return row;
    }
    const std::string server = bundle.string() + ".server";
    row["deployed"] = deployed(task.model, bundle);
    for (const int threads : options_.threads) {
      row["runs"].push_back(run_json(with_cost(with_memory(
          {"evaluate", task.model, "--data", data(task.model), "--encrypted", "--bundle", server,
           "--images", std::to_string(images(plan)), "--threads", std::to_string(threads)}))));
    }
    return row;
  }

 private:
  std::vector<std::string> with_cost(std::vector<std::string> arguments) const {
    if (!options_.cost.empty()) {
      arguments.insert(arguments.end(), {"--cost", options_.cost});
    }
    return arguments;
  }

  std::vector<std::string> with_memory(std::vector<std::string> arguments) const {
    if (options_.memory) {
      arguments.insert(arguments.end(), {"--memory", std::to_string(*options_.memory)});
    }
    return arguments;
  }

  // The bundle's plan: of one that is kept, if it is newer than what it was made from.
  Json compiled(const Task& task, const fs::path& bundle) const {
    const fs::path kept = bundle.string() + ".json";
    const auto is_newer = [&](const fs::path& source) {
      return fs::last_write_time(kept) > fs::last_write_time(source);
    };
    if (fs::exists(kept) && is_newer(task.model) && is_newer("/proc/self/exe") &&
        (options_.cost.empty() || is_newer(options_.cost))) {
      std::ifstream stream(kept);
      return Json::parse(stream);
    }
    fs::create_directories(bundle.parent_path());
    const Json plan =
        run_json(with_cost({"compile", task.model, "--packing", task.packing, "--bandwidth",
                            fmt::format("{}", task.bandwidth), "-o", bundle.string()}));
    write_text(kept, plan.dump(1) + "\n");
    return plan;
  }

  // One image through keygen, encrypt, infer and decrypt, on one thread.
  Json deployed(const std::string& model, const fs::path& bundle) {
    const std::string client = bundle.string() + ".client", server = bundle.string() + ".server";
    const fs::path root = directory_.path();
    const auto path = [&](const char* name) { return (root / name).string(); };
    const std::string secret = path("secret.key"), keys = path("eval.keys");
    run_self({"keygen", client, "--secret", secret, "--keys", keys, "--force"});
    run_self({"encrypt", client, first_image(data(model)), "--secret", secret, "-o", path("in.ct"),
              "--threads", "1"});
    const Json inferred = run_json(with_memory(
        {"infer", server, path("in.ct"), "--keys", keys, "-o", path("out.ct"), "--threads", "1"}));
    run_self({"decrypt", client, path("out.ct"), "--secret", secret});
    return {{"peak_bytes", inferred["peak_bytes"]},
            {"encode_ms", inferred["encode_ms"]},
            {"infer_ms", inferred["infer_ms"]},
            {"key_bytes", fs::file_size(keys)},
            {"upload_bytes", fs::file_size(path("in.ct"))},
            {"download_bytes", fs::file_size(path("out.ct"))}};
  }

  // As many as a batch holds, or as asked for.
  std::size_t images(const Json& plan) const {
    return plan["packing"] == "batch" ? plan["images_at_once"].get<std::size_t>() : options_.images;
  }

  std::string data(const std::string& model) {
    std::string& name = data_[model];
    if (name.empty()) {
      name = options_.data.empty() ? data_of(load_model(model).network, model) : options_.data;
    }
    return name;
  }

  double float_accuracy(const std::string& model) {
    const auto known = accuracy_.find(model);
    if (known != accuracy_.end()) {
      return known->second;
    }
    const Json json = run_json({"evaluate", model, "--data", data(model)});
    return accuracy_[model] = json["accuracy"].get<double>();
  }

  const Options& options_;
  TemporaryDirectory directory_;
  std::map<std::string, std::string> data_;
  std::map<std::string, double> accuracy_;
};

void run(const Options& options) {
  Results results(options.output, options.force);
  std::vector<Task> tasks;
  for (const std::string& model : options.models) {
    for (const std::string& packing : options.packings) {
      if (plan::packing_from_string(packing) != plan::Packing::kAuto) {
        tasks.push_back({model, packing});  // the others do not weigh the upload
        continue;
      }
      for (const double bandwidth : options.bandwidths) {
        tasks.push_back({model, packing, bandwidth});
      }
    }
  }
  std::erase_if(tasks, [&](const Task& task) { return results.has(task); });
  Bench bench(options);
  auto bar = std::make_unique<ProgressBar>(options.flags.quiet);
  const Progress progress = bar->callback();
  for (std::size_t k = 0; k < tasks.size(); ++k) {
    results.add(bench.row(tasks[k]));
    if (progress) {
      progress(tasks[k].network() + ", " + tasks[k].asked(), k + 1, tasks.size());
    }
  }
  bar.reset();
  if (options.flags.json) {
    fmt::print("{}", json_text(results.document()));
  } else {
    fmt::print("{}", bench_report(results.document()));
  }
}

}  // namespace

void add_bench(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  for (const plan::Packing packing : plan::kAllPackings) {
    options->packings.emplace_back(to_string(packing));
  }
  CLI::App& command = add_command(
      app, "bench", "Measure networks under every packing, one after the other",
      "  ffconv bench models/mnist-lola.onnx models/cifar-vgg-s.onnx --cost cost.json -o results",
      options->flags);
  command.add_option("MODELS", options->models, "Networks, ONNX files")
      ->type_name("")
      ->required()
      ->check(CLI::ExistingFile.description(""));
  command.add_option("--packings", options->packings, "Which packings, with commas (default: all)")
      ->type_name("NAMES")
      ->delimiter(',');
  command
      .add_option("--bandwidth", options->bandwidths,
                  "From client to server, with commas; packing auto has a row for each")
      ->type_name("MBIT/S")
      ->delimiter(',')
      ->check(bandwidth_check())
      ->default_str("inf,100");
  command.add_option("--thread-counts", options->threads, "Threads to measure with, with commas")
      ->type_name("N")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--images", options->images,
                  "Test images encrypted in a row; packing batch takes as many as\nit holds")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""))
      ->capture_default_str();
  command
      .add_option("--max-ms", options->max_ms,
                  "Do not run, only plan, what is predicted to take longer")
      ->type_name("MS")
      ->capture_default_str();
  command
      .add_option("--data", options->data,
                  "'mnist', 'cifar10' or a directory with labels.json (default: by\n"
                  "the network's input)")
      ->type_name("IMAGES");
  command
      .add_option("--cost", options->cost,
                  "Costs of this machine, as 'ffconv doctor -o' wrote them")
      ->type_name("FILE");
  command
      .add_option("-o,--output", options->output,
                  "Folder of results.json, to which rows are added, and results.md")
      ->type_name("FOLDER")
      ->capture_default_str();
  command
      .add_option("--bundles", options->bundles,
                  "Keep the bundles in this folder, and use those that are there and newer than\n"
                  "network, costs and program")
      ->type_name("FOLDER");
  add_memory_flag(command, options->memory);
  command.add_flag("--force", options->force, "Begin anew where there are results");
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
