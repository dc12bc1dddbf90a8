// ffconv plan: what a network will cost, before anything runs.

#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "compiling.h"
#include "ffconv/base/error.h"
#include "ffconv/wire/bundle_file.h"
#include "plan_report.h"

namespace ffconv::cli {
namespace {

struct Options {
  std::string path;
  CompileFlags compile;
  OutputFlags output;
  const CLI::App* command = nullptr;
};

PlanReport report_of(const Options& options) {
  const CostTable costs = cost_table(options.compile);
  if (options.path.ends_with(".server")) {
    if (any_compile_flag(*options.command)) {
      fail(ErrorCode::kInvalidArgument,
           "{}: is compiled already: of the options of compile only --cost applies; give the "
           "model instead",
           options.path);
    }
    return {wire::load_server_bundle(options.path), costs};
  }
  CompiledModel compiled =
      compile_model(load_model(options.path), options.path, options.compile, options.output.quiet);
  PlanReport report(compiled.bundle, costs);
  report.compilation = std::move(compiled.report);
  return report;
}

void run(const Options& options) {
  const PlanReport report = report_of(options);
  if (options.output.json) {
    fmt::print("{}", json_text(to_json(report)));
  } else {
    fmt::print("{}\n{}", summary_text(report), layers_text(report));
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
  add_compile_flags(command, options->compile);
  options->command = &command;
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
