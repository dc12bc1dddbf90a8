#include "plan_report.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "ffconv/base/parallel.h"
#include "ffconv/wire/bundle_file.h"
#include "ffconv/wire/ciphertexts_file.h"
#include "ffconv/wire/keys_file.h"
#include "terminal.h"

namespace ffconv::cli {
namespace {

constexpr std::size_t kNameColumns = 24;

std::vector<LayerReport> layer_reports(const plan::Program& program,
                                       const plan::ProgramCounts& counts) {
  std::vector<LayerReport> layers(program.layers.size());
  const std::vector<LayerRegisters> registers = layer_registers(program);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    // Where shortcuts start stands higher than the layer itself.
    std::int32_t level = program.values.front().level;
    for (const std::int32_t reg : registers[l].read) {
      level = std::min(level, program.values[static_cast<std::size_t>(reg)].level);
    }
    layers[l] = {program.layers[l], level, registers[l].read.size(), registers[l].handed_on.size(),
                 counts.layers[l]};
  }
  return layers;
}

Json counts_json(const plan::OpCounts& counts) {
  return {{"rotations", counts.rotations},
          {"hoisted_rotations", counts.hoisted_rotations},
          {"plain_products", counts.plain_products},
          {"scalar_products", counts.scalar_products},
          {"ciphertext_products", counts.ciphertext_products},
          {"rescales", counts.rescales},
          {"key_switches", counts.key_switches}};
}

std::string packing_name(const PlanReport& report) {
  return report.compilation ? std::string(to_string(report.compilation->packing)) : "";
}

Json layer_json(const LayerReport& layer, const Json& packing) {
  Json json{{"name", layer.name},     {"packing", packing},       {"level", layer.level},
            {"inputs", layer.inputs}, {"outputs", layer.outputs}, {"levels", layer.counts.levels}};
  json.update(counts_json(layer.counts));
  json["predicted_ms"] = layer.counts.predicted_us / 1000;
  return json;
}

Json alternative_json(const plan::Alternative& a) {
  return {{"packing", to_string(a.packing)},
          {"log_n", a.log_n},
          {"words", a.words},
          {"predicted_ms", a.predicted_us / 1000},
          {"upload_ms", a.upload_us / 1000},
          {"precision_bits", a.precision_bits}};
}

std::vector<std::string> layer_row(const std::string& name, const std::string& packing,
                                   const std::string& level, const std::string& ciphertexts,
                                   const plan::OpCounts& counts) {
  return {printable(name, kNameColumns),
          packing,
          level,
          ciphertexts,
          grouped(counts.rotations),
          grouped(counts.hoisted_rotations),
          grouped(counts.plain_products),
          grouped(counts.scalar_products),
          grouped(counts.ciphertext_products),
          fmt::format("{:.1f}", counts.predicted_us / 1000)};
}

// "4 (+2), 3": primes a level, special ones in brackets where it has keys.
std::string words_text(const Params& params) {
  std::string text;
  for (int level = params.max_level(); level >= 0; --level) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", params.limb_count(level));
    text += params.has_keys(level) ? fmt::format(" (+{})", params.level(level).special.size()) : "";
  }
  return text;
}

std::string alternatives_text(const plan::CompileReport& compilation) {
  Table table({"considered", "log N", "words", "ms", "upload ms", "bits"});
  for (const plan::Alternative& a : compilation.alternatives) {
    table.add_row({std::string(to_string(a.packing)), std::to_string(a.log_n),
                   std::to_string(a.words), fmt::format("{:.1f}", a.predicted_us / 1000),
                   fmt::format("{:.1f}", a.upload_us / 1000),
                   fmt::format("{:.1f}", a.precision_bits)});
  }
  return table.text();
}

}  // namespace

std::vector<LayerRegisters> layer_registers(const plan::Program& program) {
  std::vector<LayerRegisters> layers(program.layers.size());
  std::vector<std::set<std::int32_t>> written(layers.size());
  std::set<std::int32_t> leaving(program.outputs.begin(), program.outputs.end());
  for (const plan::Instruction& op : program.instructions) {
    const auto l = static_cast<std::size_t>(op.layer);
    written[l].insert(op.out.begin(), op.out.end());
    for (const std::int32_t reg : op.in) {
      if (!written[l].contains(reg)) {
        layers[l].read.insert(reg);
        leaving.insert(reg);
      }
    }
  }
  for (std::size_t l = 0; l < layers.size(); ++l) {
    std::ranges::set_intersection(written[l], leaving, std::back_inserter(layers[l].handed_on));
  }
  return layers;
}

PlanReport::PlanReport(const runtime::ServerBundle& bundle, const CostTable& table,
                       std::optional<std::uint64_t> budget)
    : model(bundle.model_name),
      machine(table.machine),
      params(bundle.program.params),
      score_error_std(bundle.program.output_noise_std) {
  const plan::Program& program = bundle.program;
  const auto small = plan::fit_memory(program, params, budget, table, thread_count());
  memory = plan::memory_of(program, params, small, thread_count());
  plan::ProgramCounts counts = plan::count(program, table);
  for (std::size_t at = 0; at < small.size(); ++at) {
    if (small[at]) {
      const auto layer = static_cast<std::size_t>(program.instructions[at].layer);
      const double us = plan::expansion_us(program, program.instructions[at], table);
      small_layers.push_back(program.layers[layer]);
      counts.layers[layer].predicted_us += us;
      counts.total.predicted_us += us;
      expansion_us += us;
    }
  }
  totals = counts.total;
  layers = layer_reports(bundle.program, counts);
  const plan::KeyRequest request = plan::key_request(bundle.program);
  keys = request.count();
  key_bytes = wire::key_bytes(params, request);
  upload_bytes = wire::upload_bytes(params, bundle.program);
  download_bytes = wire::download_bytes(params, bundle.program);
  const runtime::ClientBundle client = runtime::client_bundle(bundle);
  images = runtime::images_at_once(client);
  server_bytes = wire::to_bytes(bundle).size();
  client_bytes = wire::to_bytes(client).size();
}

Json to_json(const PlanReport& report) {
  const Json packing = report.compilation ? Json(packing_name(report)) : Json();
  Json json{
      {"model", report.model},
      {"packing", packing},
      {"log_n", report.params.log_n()},
      {"log_qp", report.params.log_qp()},
      {"log_qp_limit", max_log_qp(report.params.log_n())},
      {"security_bits", report.params.security_bits()},
      {"levels", report.params.max_level()},
      {"totals", counts_json(report.totals)},
      {"predicted_ms", report.totals.predicted_us / 1000},
      {"cost_table", report.machine},
      {"keys", report.keys},
      {"key_bytes", report.key_bytes},
      {"images_at_once", report.images},
      {"upload_bytes", report.upload_bytes},
      {"download_bytes", report.download_bytes},
      {"server_bytes", report.server_bytes},
      {"client_bytes", report.client_bytes},
      {"memory_bytes",
       {{"weights", report.memory.weights},
        {"keys", report.memory.keys},
        {"ciphertexts", report.memory.ciphertexts},
        {"total", report.memory.total()}}},
      {"small_layers", report.small_layers},
      {"score_error_std", report.score_error_std},
      {"precision_bits", report.compilation ? Json(report.compilation->precision_bits) : Json()},
      {"layers", Json::array()},
      {"alternatives", Json::array()}};
  for (const LayerReport& layer : report.layers) {
    json["layers"].push_back(layer_json(layer, packing));
  }
  if (report.compilation) {
    for (const plan::Alternative& alternative : report.compilation->alternatives) {
      json["alternatives"].push_back(alternative_json(alternative));
    }
  }
  return json;
}

std::string summary_text(const PlanReport& report) {
  const Params& params = report.params;
  std::string text =
      fmt::format("model      {}{}\n", printable(report.model),
                  report.compilation ? ", packing " + packing_name(report) : std::string());
  text += fmt::format("security   {} bits: N = 2^{}, log2 QP = {:.1f} of at most {:.0f}\n",
                      params.security_bits(), params.log_n(), params.log_qp(),
                      max_log_qp(params.log_n()));
  text += fmt::format("levels     {}; {:.1f} bits at the top, {} words from there down\n",
                      params.max_level(), params.log_q(params.max_level()), words_text(params));
  text += fmt::format("precision  standard error of a score {:.2g}", report.score_error_std);
  text += report.compilation ? fmt::format(", {:.1f} bits below their root mean square\n",
                                           report.compilation->precision_bits)
                             : "\n";
  text += fmt::format("time       {} predicted, one thread, costs of {}\n",
                      ms_text(report.totals.predicted_us), printable(report.machine));
  text += fmt::format("memory     about {}: weights {}, keys {}, ciphertexts {}\n",
                      size_text(report.memory.total()), size_text(report.memory.weights),
                      size_text(report.memory.keys), size_text(report.memory.ciphertexts));
  if (!report.small_layers.empty()) {
    text += fmt::format("           weights of {} layers kept small: {} of the time\n",
                        report.small_layers.size(), ms_text(report.expansion_us));
  }
  text += fmt::format("keys       {}, {}, once\n", report.keys, exact_size_text(report.key_bytes));
  text += fmt::format("upload     {} {}\n", exact_size_text(report.upload_bytes),
                      report.images == 1 ? std::string("an image")
                                         : "for up to " + grouped(report.images) + " images");
  text += fmt::format("download   {}\n", exact_size_text(report.download_bytes));
  text += fmt::format("bundles    server {}, client {}\n", exact_size_text(report.server_bytes),
                      exact_size_text(report.client_bytes));
  return text;
}

std::string layers_text(const PlanReport& report) {
  Table table({"layer", "packing", "level", "in>out", "rotations", "hoisted", "plain", "scalar",
               "cipher", "ms"});
  const std::string packing = report.compilation ? packing_name(report) : "-";
  for (const LayerReport& layer : report.layers) {
    table.add_row(layer_row(layer.name, packing, std::to_string(layer.level),
                            fmt::format("{}>{}", layer.inputs, layer.outputs), layer.counts));
  }
  table.add_row(layer_row("total", "", "", "", report.totals));
  const std::string text = table.text(true);
  return report.compilation ? text + "\n" + alternatives_text(*report.compilation) : text;
}

}  // namespace ffconv::cli
