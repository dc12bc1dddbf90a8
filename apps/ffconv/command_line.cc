#include "command_line.h"

#include <functional>

#include "ffconv/base/parallel.h"

namespace ffconv::cli {
namespace {

constexpr int kMaxThreads = 1024;  // of set_thread_count()

}  // namespace

CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example, OutputFlags& flags, bool has_json) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer("Example:\n" + example);
  const std::function<void(const int&)> set_threads = [](const int& n) { set_thread_count(n); };
  command->add_option_function<int>("--threads", set_threads, "Threads to use (default: all)")
      ->type_name("N")
      ->check(CLI::Range(1, kMaxThreads).description(""));
  command->add_flag("--quiet", flags.quiet, "Print nothing but results and errors");
  if (has_json) {
    command->add_flag("--json", flags.json, "Print the results as JSON");
  }
  return *command;
}

void add_memory_flag(CLI::App& command, std::optional<std::uint64_t>& bytes) {
  const std::function<void(const std::uint64_t&)> set = [&bytes](const auto& n) { bytes = n; };
  command
      .add_option_function<std::uint64_t>(
          "--memory", set,
          "What the server may take, as in 4G or 500M: weights are kept\n"
          "small, at the price of time, until it fits")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(true).description(""));
}

}  // namespace ffconv::cli
