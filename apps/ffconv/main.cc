// The program `ffconv`: one subcommand a file, this one puts them together.

#include <cstdio>
#include <exception>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "commands.h"
#include "exit_code.h"
#include "terminal.h"

namespace {

using ffconv::cli::ExitCode;

int run(int argc, char** argv) {
  CLI::App app("Runs trained convolutional networks on images that stay encrypted.", "ffconv");
  app.set_version_flag("--version", "ffconv " FFCONV_VERSION);
  app.get_formatter()->column_width(32);
  app.require_subcommand(1);
  app.footer("ffconv COMMAND --help explains a command and shows an example.");
  ffconv::cli::add_check(app);
  ffconv::cli::add_factorize(app);
  ffconv::cli::add_compile(app);
  ffconv::cli::add_plan(app);
  ffconv::cli::add_keygen(app);
  ffconv::cli::add_encrypt(app);
  ffconv::cli::add_infer(app);
  ffconv::cli::add_decrypt(app);
  ffconv::cli::add_evaluate(app);
  ffconv::cli::add_demo(app);
  ffconv::cli::add_doctor(app);
  ffconv::cli::add_bench(app);
  ffconv::cli::add_debug(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help and --version
      return app.exit(error);
    }
    const auto chosen = app.get_subcommands();
    const std::string command = chosen.empty() ? "" : chosen.front()->get_name() + " ";
    const bool unknown = chosen.empty() && argc > 1 && argv[1][0] != '-';
    fmt::print(
        stderr, "ffconv: {} (ffconv {}--help explains)\n",
        unknown ? fmt::format("no command '{}'", ffconv::cli::printable(argv[1])) : error.what(),
        command);
    return ExitCode::kUsage;
  }
  return ExitCode::kSuccess;
}

}  // namespace

int main(int argc, char** argv) {
  int code = ExitCode::kFailure;
  try {
    code = run(argc, argv);
  } catch (const ExitCode& exit) {
    code = exit.code;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    fmt::print(stderr, "ffconv: {}\n", error.what());
  }
  // A result that could not be written, for example to a full disk, is no success.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    fmt::print(stderr, "ffconv: standard output cannot be written\n");
    return ExitCode::kFailure;
  }
  return code;
}
