// ffconv factorize: convolutions and dense layers split into two smaller ones.

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "cost_file.h"
#include "factorize_report.h"
#include "ffconv/base/error.h"
#include "ffconv/lowrank/measure.h"
#include "ffconv/lowrank/ranges.h"
#include "ffconv/lowrank/search.h"
#include "ffconv/model/normalize.h"
#include "ffconv/model/onnx/export.h"
#include "ffconv/model/onnx/import.h"
#include "ffconv/model/passes.h"
#include "ffconv/model/ranges.h"
#include "ffconv/model/work.h"
#include "ffconv/plan/compile.h"
#include "images.h"
#include "progress_bar.h"
#include "rank_options.h"
#include "terminal.h"

namespace ffconv::cli {
namespace {

constexpr std::size_t kSensitivityImages = 250;
constexpr std::size_t kRangeImages = 100;  // for predictions of latency
constexpr std::size_t kProbes = 8;

struct Options {
  std::string model, result, calibration, cost;
  std::string method = "pca";
  std::vector<std::string> rank, keep;
  std::string energy, max_loss, max_hma;
  std::optional<double> max_latency_ms;
  std::size_t images = 2000;
  bool half_precision = false;
  OutputFlags output;

  bool is_pca() const { return method == "pca"; }
};

// The calibration images; none where none are named.
struct Images {
  model::Dataset data;
  std::size_t count = 0;  // of them that are used, the first
  bool is_labelled = false;

  std::span<const std::uint8_t> labels() const {
    return std::span(data.labels).first(is_labelled ? count : 0);
  }
};

Images load(const Options& options, const model::Graph& graph) {
  if (options.calibration.empty()) {
    if (options.is_pca() || !options.max_loss.empty() || options.max_latency_ms) {
      fail(ErrorCode::kInvalidArgument,
           "{} needs images: name them with --calibration ('mnist', 'cifar10' or a directory)",
           options.max_latency_ms     ? "--max-latency"
           : options.max_loss.empty() ? "--method pca"
                                      : "--max-loss");
    }
    return {};
  }
  Images images{load_calibration_images(options.calibration, graph.input_shape()), 0, false};
  images.count = std::min(options.images, images.data.size());
  if (images.count == 0) {
    fail(ErrorCode::kInvalidArgument, "{}: no images", options.calibration);
  }
  images.is_labelled = images.data.classes > 1;
  if (images.is_labelled && static_cast<std::size_t>(images.data.classes) > graph.classes()) {
    fail(ErrorCode::kMismatch, "{}: has {} classes, the network {} only", options.calibration,
         images.data.classes, graph.classes());
  }
  return images;
}

// The work of one run.
class Factorization {
 public:
  Factorization(const Options& options, model::Graph graph)
      : options_(options), original_(std::move(graph)), layers_(choose_layers()) {
    if (!options_.rank.empty()) {
      asked_ = parse_ranks(options_.rank, layers_);
    } else if (!options_.energy.empty()) {
      limit_ = number(options_.energy, "--energy", 1);
    } else if (!options_.max_loss.empty()) {
      // In percentage points, whether or not the sign is there.
      const bool has_sign = options_.max_loss.ends_with('%');
      limit_ = number(options_.max_loss, "--max-loss", has_sign ? 1 : 100) / (has_sign ? 1 : 100);
    } else if (options_.max_latency_ms) {
      limit_ = *options_.max_latency_ms;
    } else {
      limit_ = hma_limit();
    }
    images_ = load(options_, original_);
  }

  FactorizeReport run(const Progress& progress) {
    progress_ = progress;
    components_ = options_.is_pca() ? lowrank::response_components(original_, layers_, images_.data,
                                                                   images_.count, progress)
                                    : lowrank::weight_components(original_, layers_);
    const lowrank::Ranks ranks = choose_ranks();
    model::Graph result = lowrank::factorize(original_, layers_, components_, ranks);
    if (images_.count > 0) {
      lowrank::measure_ranges(original_, result, images_.data, images_.count, progress);
    }
    FactorizeReport report = describe(result, ranks);
    model::export_onnx_file(result, options_.result, {.half_precision = options_.half_precision});
    return report;
  }

 private:
  std::vector<lowrank::Layer> choose_layers() const {
    auto layers = without(lowrank::find_layers(original_), options_.keep);
    if (layers.empty()) {
      fail(ErrorCode::kUnsupported,
           "{}: nothing to factorize: no convolution in one group and no dense layer",
           options_.model);
    }
    return layers;
  }

  static double number(const std::string& text, const char* option, double most) {
    const double value = parse_number(text, option);
    if (value > most) {
      fail(ErrorCode::kInvalidArgument, "{}: expected at most {}, got {}", option,
           most == 1 ? "1 (or 100%)" : "100", printable(text));
    }
    return value;
  }

  // What --max-hma leaves for the layers that may be factorized.
  double hma_limit() const {
    const auto all = static_cast<double>(model::work_of(original_).hma);
    const double given = parse_number(options_.max_hma, "--max-hma");
    const bool is_part = options_.max_hma.find_first_of("/%") != std::string::npos;
    const double limit = is_part ? given * all : given;
    const lowrank::Ranks whole(layers_.size(), lowrank::kWhole), one(layers_.size(), 1);
    const double others = all - lowrank::total_cost(layers_, whole, lowrank::hma_cost);
    const double least =
        others + lowrank::total_cost(layers_,
                                     lowrank::without_costly(layers_, one, lowrank::hma_cost),
                                     lowrank::hma_cost);
    if (limit < least) {
      fail(ErrorCode::kInvalidArgument,
           "--max-hma: at rank 1 throughout the network still has {} HMA; expected at least that, "
           "got {}",
           grouped(static_cast<std::size_t>(least)), grouped(static_cast<std::size_t>(limit)));
    }
    return limit - others;
  }

  lowrank::Ranks choose_ranks() {
    if (!options_.rank.empty()) {
      return lowrank::without_costly(layers_, asked_, lowrank::hma_cost);
    }
    if (!options_.energy.empty()) {
      return lowrank::ranks_for_energy(layers_, components_, limit_, lowrank::hma_cost);
    }
    std::vector<double> sensitivities(layers_.size(), 1.0);
    if (images_.count > 0) {
      sensitivities =
          lowrank::sensitivities(original_, layers_, components_, images_.data,
                                 std::min(images_.count, kSensitivityImages), progress_);
    }
    const lowrank::RankError error = lowrank::lost_energy(components_, sensitivities);
    if (!options_.max_hma.empty()) {
      return *lowrank::ranks_within_budget(layers_, error, lowrank::hma_cost, limit_);
    }
    if (options_.max_latency_ms) {
      return ranks_for_latency(lowrank::rank_path(layers_, error, lowrank::hma_cost));
    }
    const auto before = predict(original_);
    return lowrank::ranks_within_loss(
        lowrank::rank_path(layers_, error, lowrank::hma_cost),
        [&](const lowrank::Ranks& ranks) {
          const auto after = predict(lowrank::factorize(original_, layers_, components_, ranks));
          return lowrank::loss(before, after, images_.labels());
        },
        limit_);
  }

  lowrank::Ranks ranks_for_latency(const std::vector<lowrank::Ranks>& path) const {
    double least = std::numeric_limits<double>::infinity();
    const auto ranks = lowrank::ranks_within_latency(
        path,
        [&](const lowrank::Ranks& state) {
          const double ms =
              predicted_ms(lowrank::factorize(original_, layers_, components_, state));
          least = std::min(least, ms);
          return ms;
        },
        limit_, kProbes);
    if (!ranks) {
      fail(
          ErrorCode::kUnsupported,
          "--max-latency: no ranks make {} as fast as {:.4g} ms: the least predicted is {:.4g} ms; "
          "train a smaller network",
          options_.model, limit_, least);
    }
    return *ranks;
  }

  // Of the planner's choice for the network, one thread.
  double predicted_ms(model::Graph graph) const {
    lowrank::measure_ranges(original_, graph, images_.data, std::min(images_.count, kRangeImages));
    const model::Network network = model::normalize(graph);
    plan::CompileOptions compile;
    compile.cost = options_.cost.empty() ? default_cost_table() : load_cost_table(options_.cost);
    return plan::compile(network, *model::ranges_from_metadata(graph, network), compile)
               .report.counts.total.predicted_us /
           1000;
  }

  std::vector<std::size_t> predict(const model::Graph& graph) const {
    return lowrank::predictions(graph, images_.data, images_.count, {"loss", progress_});
  }

  FactorizeReport describe(const model::Graph& result, const lowrank::Ranks& ranks) const {
    FactorizeReport report;
    report.model = original_.name;
    report.method = options_.method;
    report.result = options_.result;
    report.before = model::work_of(original_);
    report.after = model::work_of(result);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const lowrank::Layer& layer = layers_[l];
      LayerReport row;
      row.name = layer.name;
      row.rank = ranks[l];
      row.full_rank = layer.full_rank();
      row.energy = ranks[l] == lowrank::kWhole ? 1 : lowrank::kept_energy(components_[l], ranks[l]);
      row.hma_before = hma(layer, lowrank::kWhole);
      row.hma_after = hma(layer, ranks[l]);
      if (!asked_.empty() && asked_[l] != ranks[l]) {
        row.too_costly = TooCostly{asked_[l], hma(layer, asked_[l])};
      }
      report.layers.push_back(std::move(row));
    }
    if (images_.count > 0) {
      report.images = options_.calibration;
      report.measurement = lowrank::measure(original_, result, layers_, images_.data, images_.count,
                                            {"errors", progress_});
      report.labels.assign(images_.labels().begin(), images_.labels().end());
    }
    return report;
  }

  static std::size_t hma(const lowrank::Layer& layer, std::size_t rank) {
    return static_cast<std::size_t>(lowrank::hma_cost(layer, rank));
  }

  const Options& options_;
  model::Graph original_;
  std::vector<lowrank::Layer> layers_;
  lowrank::Ranks asked_;  // by --rank
  double limit_ = 0;      // of energy, loss (a part of the images) or HMA of `layers_`
  Images images_;
  Progress progress_;
  std::vector<lowrank::Components> components_;
};

void run(const Options& options) {
  const std::filesystem::path folder = std::filesystem::path(options.result).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder)) {
    fail(ErrorCode::kIo, "{}: there is no directory {}", options.result, folder.string());
  }
  // Batch normalization goes into the layers first: components are of what follows it.
  Factorization factorization(options, model::fold_affine(model::import_onnx_file(options.model)));
  std::optional<FactorizeReport> report;
  {
    ProgressBar bar(options.output.quiet);
    report = factorization.run(bar.callback());
  }
  if (options.output.json) {
    fmt::print("{}", json_text(to_json(*report)));
  } else if (!options.output.quiet) {
    fmt::print("{}", report_text(*report));
  }
}

void add_goals(CLI::App& command, Options& options) {
  CLI::Option_group* goal = command.add_option_group("Goal", "One of them");
  goal->add_option("--rank", options.rank, "Ranks: LAYER=R,..., or a part of every layer's, as 1/2")
      ->type_name("R")
      ->delimiter(',');
  goal->add_option("--energy", options.energy,
                   "Every layer's smallest rank that keeps that part of\n"
                   "its energy, as 0.99")
      ->type_name("E");
  goal->add_option("--max-loss", options.max_loss,
                   "The cheapest ranks that lose at most so many percentage\n"
                   "points of accuracy on the calibration images; where these\n"
                   "have no labels, that change so many percent of the answers")
      ->type_name("L");
  goal->add_option("--max-hma", options.max_hma,
                   "The ranks of least error with at most so many\n"
                   "homomorphic multiply-accumulates (products of a channel by\n"
                   "a weight), or that part of now, as 1/2")
      ->type_name("H");
  goal->add_option("--max-latency", options.max_latency_ms,
                   "The first ranks, on the way from all to few, with which the\n"
                   "planner predicts at most so many milliseconds an image")
      ->type_name("MS")
      ->check(CLI::PositiveNumber.description(""));
  goal->require_option(1);
}

}  // namespace

void add_factorize(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = add_command(
      app, "factorize", "Split convolutions and dense layers into two smaller ones",
      "  ffconv factorize models/mnist-lola.onnx --max-loss 0.1 --calibration mnist -o small.onnx\n"
      "  ffconv factorize model.onnx --rank conv2=1/4,fc1=32 --calibration photos -o small.onnx",
      options->output);
  command.add_option("MODEL", options->model, "The network, an ONNX file")
      ->type_name("")
      ->required();
  command.add_option("-o,--output", options->result, "The factorized network to write")
      ->type_name("FILE")
      ->required();
  add_goals(command, *options);
  command
      .add_option("--method", options->method,
                  "pca: keep the principal components of a layer's outputs;\n"
                  "svd: the leading singular values of its weights")
      ->type_name("METHOD")
      ->capture_default_str()
      ->check(CLI::IsMember({"pca", "svd"}).description(""));
  command
      .add_option("--calibration", options->calibration,
                  "Images as the network will see: 'mnist', 'cifar10' (their\n"
                  "training images) or a directory; svd can do without")
      ->type_name("IMAGES");
  command.add_option("--images", options->images, "Use the first so many")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::PositiveNumber.description(""));
  command.add_option("--keep", options->keep, "Layers to leave as they are")
      ->type_name("LAYER,...")
      ->delimiter(',');
  command
      .add_option("--cost", options->cost,
                  "For --max-latency: what operations cost on the server, as\n"
                  "'ffconv doctor -o' wrote it there")
      ->type_name("FILE");
  command.add_flag("--half-precision", options->half_precision, "Store weights as float16");
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
