// ffconv doctor: what this machine offers, and what the engine's kernels cost on it.

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>
#include <sodium.h>
#include <tbb/version.h>
#include <zlib.h>
#include <CLI/CLI.hpp>
#include <Eigen/Core>

#include "command_line.h"
#include "commands.h"
#include "cost_file.h"
#include "ffconv/base/parallel.h"
#include "ffconv/ring/kernels/tiers.h"
#include "format.h"
#include "kernel_costs.h"
#include "machine.h"
#include "progress_bar.h"
#include "terminal.h"

namespace ffconv::cli {
namespace {

struct Options {
  std::string cost_file;
  OutputFlags output;
};

struct Tier {
  std::string name;
  bool available = false;
  bool chosen = false;
};

std::vector<Tier> tiers() {
  std::vector<const Kernels*> compiled;
#if defined(__x86_64__)
  compiled = {&kAvx512IfmaKernels, &kAvx512Kernels, &kAvx2Kernels};
#endif
  compiled.push_back(&kScalarKernels);
  std::vector<Tier> result;
  for (const Kernels* kernels : compiled) {
    const auto available = available_kernels();
    result.push_back({std::string(kernels->name),
                      std::ranges::find(available, kernels) != available.end(),
                      kernels == &active_kernels()});
  }
  return result;
}

Json libraries() {
  return {{"sodium", sodium_version_string()},
          {"tbb", TBB_runtime_version()},
          {"protobuf", google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION)},
          {"zlib", zlibVersion()},
          {"eigen",
           fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)},
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                              FMT_VERSION % 100)},
          {"nlohmann_json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR,
                                        NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
          {"cli11", CLI11_VERSION}};
}

Json diagnosis(const CostTable& costs) {
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  Json tier_list = Json::array();
  for (const Tier& tier : tiers()) {
    tier_list.push_back(
        {{"name", tier.name}, {"available", tier.available}, {"chosen", tier.chosen}});
  }
  return {{"version", FFCONV_VERSION},
          {"cpu", cpu_name()},
          {"cores", cores},
          {"threads", thread_count()},
          {"tiers", tier_list},
          {"memory_bytes", memory_bytes()},
          {"read_gb_per_s",
           {{"one_thread", read_bandwidth(1) / 1e9}, {"all_cores", read_bandwidth(cores) / 1e9}}},
          {"memory_locking", can_lock_memory()},
          {"costs", to_json(costs)},
          {"libraries", libraries()}};
}

std::string tier_text(const Json& tier) {
  const bool available = tier["available"].get<bool>();
  return tier["name"].get<std::string>() + (tier["chosen"].get<bool>() ? " (chosen)"
                                            : available                ? ""
                                                                       : " (not on this machine)");
}

std::string text(const Json& d) {
  std::string result =
      fmt::format("version    {}\nprocessor  {}, {} cores\n", d["version"].get<std::string>(),
                  printable(d["cpu"].get<std::string>()), d["cores"].get<int>());
  std::string list;
  for (const Json& tier : d["tiers"]) {
    list += (list.empty() ? "" : ", ") + tier_text(tier);
  }
  result += "kernels    " + list + "\n";
  result += fmt::format("memory     {}, read at {:.1f} GB/s by one thread, {:.1f} GB/s by {}\n",
                        size_text(d["memory_bytes"].get<std::uint64_t>()),
                        d["read_gb_per_s"]["one_thread"].get<double>(),
                        d["read_gb_per_s"]["all_cores"].get<double>(), d["cores"].get<int>());
  result += d["memory_locking"].get<bool>()
                ? "secrets    memory can be locked: never swapped to disk\n"
                : "secrets    memory cannot be locked: a secret key may be swapped to disk (ulimit "
                  "-l)\n";
  Table libraries({"library", "version"});
  for (const auto& [name, version] : d["libraries"].items()) {
    libraries.add_row({name, version.get<std::string>()});
  }
  result += "\n" + libraries.text() + "\n";
  Table costs({"kernel, one limb of 2^14 words", "us", "default"});
  const Json defaults = to_json(default_cost_table());
  for (const auto& [name, us] : d["costs"].items()) {
    if (us.is_number()) {
      costs.add_row({name.substr(0, name.size() - 3), fmt::format("{:.2f}", us.get<double>()),
                     fmt::format("{:.2f}", defaults[name].get<double>())});
    }
  }
  return result + costs.text();
}

void run(const Options& options) {
  CostTable costs;
  {
    ProgressBar bar(options.output.quiet);
    costs = measure_kernels(bar.callback());
  }
  const Json found = diagnosis(costs);
  if (!options.cost_file.empty()) {
    write_text(options.cost_file, json_text(to_json(costs)));
  }
  fmt::print("{}", options.output.json ? json_text(found) : text(found));
  if (!options.cost_file.empty() && !options.output.json && !options.output.quiet) {
    fmt::print("\nwrote {}: for 'ffconv compile --cost'\n", options.cost_file);
  }
}

}  // namespace

void add_doctor(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      add_command(app, "doctor", "What this machine offers, and what operations cost on it",
                  "  ffconv doctor -o cost.json\n"
                  "  ffconv compile models/mnist-lola.onnx --cost cost.json",
                  options->output);
  command
      .add_option("-o,--output", options->cost_file,
                  "Write the costs of this machine, for the --cost of compile, plan, evaluate")
      ->type_name("FILE");
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
