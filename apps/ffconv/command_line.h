// What subcommands have in common on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

namespace ffconv::cli {

struct OutputFlags {
  bool quiet = false;  // results and errors only
  bool json = false;
};

// The subcommand `name` of `app`. Its help ends with `example`. It has --threads, which takes
// effect while the command line is read, --quiet and, unless `has_json` is false, --json. `flags`
// must outlive the parsing.
CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example, OutputFlags& flags, bool has_json = true);

// --memory, a size in bytes: "4G" is 4,000,000,000. `bytes` must outlive the parsing.
void add_memory_flag(CLI::App& command, std::optional<std::uint64_t>& bytes);

}  // namespace ffconv::cli
