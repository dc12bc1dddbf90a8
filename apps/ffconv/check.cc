// ffconv check: whether a network can be encrypted, what stands in the way, and how much it
// computes.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "exit_code.h"
#include "ffconv/base/error.h"
#include "ffconv/model/dot.h"
#include "ffconv/model/normalize.h"
#include "ffconv/model/onnx/import.h"
#include "ffconv/model/ranges.h"
#include "ffconv/model/work.h"
#include "ffconv/plan/lowering.h"
#include "format.h"
#include "terminal.h"

namespace ffconv::cli {
namespace {

struct Options {
  std::string path;
  std::string dot;  // file of the picture, "-" for standard output; empty: none
  OutputFlags output;
};

// What the file holds, as far as it could be read. Without a network, `obstacle` says why.
struct Findings {
  std::optional<model::Graph> graph;
  std::optional<model::Network> network;
  std::optional<model::Ranges> ranges;
  std::string obstacle;
};

Findings examine(const std::string& path) {
  Findings found;
  try {
    found.graph = model::import_onnx_file(path);
    found.network = model::normalize(*found.graph);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) {
      throw;
    }
    found.obstacle = error.what();
    return found;
  }
  found.ranges = model::ranges_from_metadata(*found.graph, *found.network);
  return found;
}

std::string kind_of(const model::Linear& linear) {
  if (const model::Convolution* conv = linear.convolution()) {
    const model::ConvGeometry& g = conv->geometry;
    return fmt::format("convolution {}x{}{}{}", g.kernel[0], g.kernel[1],
                       g.strides[0] * g.strides[1] == 1
                           ? ""
                           : fmt::format(" stride {}x{}", g.strides[0], g.strides[1]),
                       g.groups == 1 ? "" : fmt::format(", {} groups", g.groups));
  }
  return std::holds_alternative<model::Dense>(linear.map) ? "dense" : "scale";
}

model::Work work_of(const model::Layer& layer) {
  const auto* linear = std::get_if<model::Linear>(&layer);
  return linear == nullptr ? model::Work{} : model::work_of(*linear);
}

model::Work total_work(const model::Network& network) {
  model::Work total;
  for (const model::Layer& layer : network.layers) {
    total += work_of(layer);
  }
  for (const model::Shortcut& shortcut : network.shortcuts) {
    total += model::work_of(shortcut.map);
  }
  return total;
}

Json to_json(const std::string& path, const Findings& found) {
  Json json{{"model", path}, {"encryptable", found.network.has_value()}};
  if (!found.network) {
    json["obstacle"] = found.obstacle;
    return json;
  }
  const model::Network& network = *found.network;
  const model::Work total = total_work(network);
  json["input"] = network.input.dims;
  json["classes"] = network.classes;
  json["depth"] = network.layers.size();
  json["hma"] = total.hma;
  json["multiply_accumulates"] = total.mac;
  json["input_max_abs"] = found.ranges ? Json(found.ranges->input.max_abs) : Json(nullptr);
  json["layers"] = Json::array();
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const auto* linear = std::get_if<model::Linear>(&network.layers[k]);
    const model::Work work = work_of(network.layers[k]);
    json["layers"].push_back(
        {{"name", plan::layer_name(network, k)},
         {"kind", linear != nullptr ? kind_of(*linear) : "square"},
         {"hma", work.hma},
         {"multiply_accumulates", work.mac},
         {"max_abs", found.ranges ? Json(found.ranges->layers[k].max_abs) : Json(nullptr)}});
  }
  json["shortcuts"] = Json::array();
  for (const model::Shortcut& shortcut : network.shortcuts) {
    const model::Work work = model::work_of(shortcut.map);
    json["shortcuts"].push_back({{"name", shortcut.map.name},
                                 {"kind", kind_of(shortcut.map)},
                                 {"from_tensor", shortcut.from},
                                 {"to_layer", shortcut.to},
                                 {"hma", work.hma},
                                 {"multiply_accumulates", work.mac}});
  }
  return json;
}

std::string layers_text(const Findings& found) {
  std::vector<std::string> header{"layer", "", "output", "HMA", "MAC"};
  if (found.ranges) {
    header.push_back("largest");
  }
  const std::size_t columns = header.size();
  Table table(std::move(header));
  const model::Network& network = *found.network;
  model::Shape shape = network.input;
  for (std::size_t k = 0; k < network.layers.size(); ++k) {
    const model::Layer& layer = network.layers[k];
    const auto* linear = std::get_if<model::Linear>(&layer);
    shape = linear != nullptr ? linear->out : shape;
    const model::Work work = work_of(layer);
    std::vector<std::string> row{printable(plan::layer_name(network, k)),
                                 linear != nullptr ? kind_of(*linear) : "", to_string(shape),
                                 linear != nullptr ? grouped(work.hma) : "",
                                 linear != nullptr ? grouped(work.mac) : ""};
    if (found.ranges) {
      row.push_back(fmt::format("{:.4g}", found.ranges->layers[k].max_abs));
    }
    table.add_row(std::move(row));
    for (const model::Shortcut& shortcut : shortcuts_to(network, k)) {
      const model::Work extra = model::work_of(shortcut.map);
      const std::string from = shortcut.from == 0
                                   ? "the image"
                                   : printable(plan::layer_name(network, shortcut.from - 1));
      std::vector<std::string> sum{"+ " + printable(shortcut.map.name),
                                   fmt::format("{} of {}", kind_of(shortcut.map), from),
                                   to_string(shape), grouped(extra.hma), grouped(extra.mac)};
      sum.resize(columns);
      table.add_row(std::move(sum));
    }
  }
  return table.text();
}

std::string report(const std::string& path, const Findings& found) {
  if (!found.network) {
    return fmt::format("{}\n", found.obstacle);
  }
  const model::Network& network = *found.network;
  const model::Work total = total_work(network);
  return fmt::format(
      "{}: can be encrypted\n\n"
      "input    {}, {} classes\n"
      "depth    {} levels, one a layer and one a square\n"
      "work     {} HMA (products of a channel by a weight), {} MAC (multiply-accumulates)\n"
      "ranges   {}\n\n{}",
      path, to_string(network.input), network.classes, network.layers.size(), grouped(total.hma),
      grouped(total.mac),
      found.ranges ? fmt::format("in the model's metadata; pixels of at most {:.4g}",
                                 found.ranges->input.max_abs)
                   : "not in the model's metadata: compile needs --calibration",
      layers_text(found));
}

void run(const Options& options) {
  const Findings found = examine(options.path);
  const bool draws_only = options.dot == "-";
  if (!options.dot.empty() && !found.graph) {
    fail(ErrorCode::kUnsupported, "{}\nThere is no picture of a graph that cannot be read whole.",
         found.obstacle);
  }
  if (draws_only) {
    fmt::print("{}", model::to_dot(*found.graph));
  } else if (!options.dot.empty()) {
    write_text(options.dot, model::to_dot(*found.graph));
  }
  if (!draws_only) {
    fmt::print("{}", options.output.json ? json_text(to_json(options.path, found))
                                         : report(options.path, found));
  }
  if (!found.network) {
    throw ExitCode{ExitCode::kFailure};
  }
}

}  // namespace

void add_check(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      add_command(app, "check",
                  "Say whether a network can be encrypted, what stands in the way,\n"
                  "and how much it computes",
                  "  ffconv check models/mnist-lola.onnx\n"
                  "  ffconv check network.onnx --dot - | dot -Tsvg > network.svg\n\n"
                  "Exit code 1 where it cannot be encrypted.",
                  options->output);
  command.add_option("MODEL", options->path, "The network, an ONNX file")
      ->type_name("")
      ->required();
  command
      .add_option("--dot", options->dot,
                  "Write a picture of the graph for Graphviz; - prints it\n"
                  "instead of the report")
      ->type_name("FILE");
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
