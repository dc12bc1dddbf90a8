// ffconv compile: a trained network -> the server's and the client's bundle.

#include <filesystem>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "compiling.h"
#include "ffconv/wire/bundle_file.h"
#include "plan_report.h"

namespace ffconv::cli {
namespace {

struct Options {
  std::string model, name;
  CompileFlags compile;
  OutputFlags output;
};

// Both bundles or none.
void save(const std::string& name, const runtime::ServerBundle& bundle) {
  const std::string client = name + ".client";
  wire::save(client, runtime::client_bundle(bundle));
  try {
    wire::save(name + ".server", bundle);
  } catch (...) {
    std::filesystem::remove(client);
    throw;
  }
}

void run(const Options& options) {
  const std::string name =
      options.name.empty() ? std::filesystem::path(options.model).stem().string() : options.name;
  CompiledModel compiled = compile_model(load_model(options.model), options.model, options.compile,
                                         options.output.quiet);
  PlanReport report(compiled.bundle, cost_table(options.compile));
  report.compilation = std::move(compiled.report);
  save(name, compiled.bundle);
  if (options.output.json) {
    fmt::print("{}", json_text(to_json(report)));
  } else if (!options.output.quiet) {
    fmt::print("{}wrote      {}.server, {}.client\n", summary_text(report), name, name);
  }
}

}  // namespace

void add_compile(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = add_command(
      app, "compile", "Turn a trained network into a server's and a client's bundle",
      "  ffconv compile models/mnist-lola.onnx -o mnist     # -> mnist.server, mnist.client",
      options->output);
  command.add_option("MODEL", options->model, "The network, an ONNX file")
      ->type_name("")
      ->required();
  command
      .add_option("-o,--output", options->name,
                  "Name of the bundles, without .server and .client\n(default: the model's)")
      ->type_name("FILE");
  add_compile_flags(command, options->compile);
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
