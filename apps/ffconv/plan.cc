// ffconv plan: what a network will cost, before anything runs.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "compiling.h"
#include "ffconv/base/error.h"
#include "ffconv/wire/bundle_file.h"
#include "plan_report.h"
#include "progress_bar.h"
#include "terminal.h"

namespace ffconv::cli {
namespace {

struct Options {
  std::string path;
  CompileFlags compile;
  std::optional<std::uint64_t> memory;
  bool explain = false;
  OutputFlags output;
  const CLI::App* command = nullptr;
};

// What every packing would cost, by layer; the network's own come first.
struct Explanation {
  std::vector<std::string> layers;
  struct Column {
    std::string packing;
    std::map<std::string, double> layer_ms;  // a packing's own layers count to the one they serve
    double total_ms = 0, upload_ms = 0;
    std::string refusal;  // why there is none
  };
  std::vector<Column> columns;
};

// For every layer of a packing, the network's layer that it serves: "conv1" for "conv1 patches",
// which the packing adds, "conv + fc" for "fc", merged there; squares, which are numbered anew
// then, by their order.
std::vector<std::string> served_layers(const std::vector<LayerReport>& of_packing,
                                       const std::vector<std::string>& layers) {
  std::vector<std::string> squares;
  std::ranges::copy_if(layers, std::back_inserter(squares),
                       [](const std::string& name) { return name.starts_with("square "); });
  std::size_t next_square = 0;
  std::vector<std::string> served;
  for (const LayerReport& layer : of_packing) {
    if (layer.name.starts_with("square ") && next_square < squares.size()) {
      served.push_back(squares[next_square++]);
      continue;
    }
    const auto owner = std::ranges::find_if(layers, [&](const std::string& name) {
      return layer.name.starts_with(name + " ") || name.starts_with(layer.name + " + ") ||
             name.ends_with(" + " + layer.name);
    });
    served.push_back(owner == layers.end() ? layer.name : *owner);
  }
  return served;
}

Explanation explain(const Options& options, const PlanReport& chosen) {
  Explanation result;
  for (const LayerReport& layer : chosen.layers) {
    result.layers.push_back(layer.name);
  }
  const Model model = load_model(options.path);
  ProgressBar bar(options.output.quiet);
  const Progress progress = bar.callback();
  std::size_t done = 0;
  for (const plan::Packing packing : plan::kAllPackings) {
    Explanation::Column column;
    column.packing = to_string(packing);
    CompileFlags flags = options.compile;
    flags.packing = column.packing;
    try {
      const CompiledModel compiled = compile_model(model, options.path, flags, true);
      const PlanReport report(compiled.bundle, cost_table(flags), options.memory);
      const std::vector<std::string> served = served_layers(report.layers, result.layers);
      for (std::size_t l = 0; l < served.size(); ++l) {
        column.layer_ms[served[l]] += report.layers[l].counts.predicted_us / 1000;
      }
      column.total_ms = report.totals.predicted_us / 1000;
      for (const plan::Alternative& a : compiled.report.alternatives) {
        if (a.predicted_us == compiled.report.counts.total.predicted_us) {
          column.upload_ms = a.upload_us / 1000;
        }
      }
    } catch (const Error& error) {
      column.refusal = error.what();
    }
    result.columns.push_back(std::move(column));
    if (progress) {
      progress("packings", ++done, plan::kAllPackings.size());
    }
  }
  return result;
}

std::string explanation_text(const Explanation& explanation) {
  std::vector<std::string> header{"predicted ms"};
  for (const auto& column : explanation.columns) {
    header.push_back(column.packing);
  }
  Table table(header);
  const auto add_row = [&](const std::string& name, const auto& value) {
    std::vector<std::string> row{printable(name, 24)};
    for (const auto& column : explanation.columns) {
      row.push_back(column.refusal.empty() ? fmt::format("{:.1f}", value(column)) : "-");
    }
    table.add_row(std::move(row));
  };
  for (const std::string& layer : explanation.layers) {
    add_row(layer, [&](const auto& column) {
      const auto found = column.layer_ms.find(layer);
      return found == column.layer_ms.end() ? 0.0 : found->second;
    });
  }
  add_row("upload", [](const auto& column) { return column.upload_ms; });
  add_row("total", [](const auto& column) { return column.total_ms + column.upload_ms; });
  std::string text =
      "\nEvery packing in the ring and chain that suit it best:\n" + table.text(true);
  for (const auto& column : explanation.columns) {
    if (!column.refusal.empty()) {
      text += fmt::format("{}: {}\n", column.packing, column.refusal);
    }
  }
  return text;
}

Json to_json(const Explanation& explanation) {
  Json json = Json::array();
  for (const auto& column : explanation.columns) {
    Json entry{{"packing", column.packing}};
    if (column.refusal.empty()) {
      entry["predicted_ms"] = column.total_ms;
      entry["upload_ms"] = column.upload_ms;
      entry["layer_ms"] = column.layer_ms;
    } else {
      entry["refused"] = column.refusal;
    }
    json.push_back(std::move(entry));
  }
  return json;
}

PlanReport report_of(const Options& options) {
  const CostTable costs = cost_table(options.compile);
  if (options.path.ends_with(".server")) {
    if (any_compile_flag(*options.command)) {
      fail(ErrorCode::kInvalidArgument,
           "{}: is compiled already: of the options of compile only --cost applies; give the "
           "model instead",
           options.path);
    }
    return {wire::load_server_bundle(options.path), costs, options.memory};
  }
  CompiledModel compiled =
      compile_model(load_model(options.path), options.path, options.compile, options.output.quiet);
  PlanReport report(compiled.bundle, costs, options.memory);
  report.compilation = std::move(compiled.report);
  return report;
}

void run(const Options& options) {
  const PlanReport report = report_of(options);
  std::optional<Explanation> explanation;
  if (options.explain) {
    if (!report.compilation) {
      fail(ErrorCode::kInvalidArgument,
           "{}: is compiled already: --explain compares packings of a model", options.path);
    }
    explanation = explain(options, report);
  }
  if (options.output.json) {
    Json json = to_json(report);
    if (explanation) {
      json["packings"] = to_json(*explanation);
    }
    fmt::print("{}", json_text(json));
  } else {
    fmt::print("{}\n{}{}", summary_text(report), layers_text(report),
               explanation ? explanation_text(*explanation) : "");
  }
}

}  // namespace

void add_plan(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      add_command(app, "plan", "Explain a network or a server's bundle: layers, time, memory, keys",
                  "  ffconv plan models/mnist-lola.onnx --packing lola\n"
                  "  ffconv plan mnist.server --json",
                  options->output);
  command.add_option("FILE", options->path, "The network, an ONNX file, or a bundle NAME.server")
      ->type_name("")
      ->required();
  command.add_flag("--explain", options->explain,
                   "Also what every other packing would cost, layer by layer");
  add_memory_flag(command, options->memory);
  add_compile_flags(command, options->compile);
  options->command = &command;
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
