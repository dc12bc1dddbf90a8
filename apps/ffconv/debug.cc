// ffconv debug: one image through a network in floating point, with the noise of encryption
// simulated, and encrypted, side by side, layer by layer.

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "command_line.h"
#include "commands.h"
#include "compiling.h"
#include "ffconv/backend/ckks.h"
#include "ffconv/backend/clear.h"
#include "ffconv/backend/run.h"
#include "ffconv/ckks/secret/decryptor.h"
#include "ffconv/runtime/secret/client.h"
#include "format.h"
#include "images.h"
#include "plan_report.h"
#include "progress_bar.h"
#include "terminal.h"

namespace ffconv::cli {
namespace {

struct Options {
  std::string model, image;
  std::size_t worst = 3;
  std::uint64_t seed = 1;
  CompileFlags compile;
  OutputFlags output;
};

using Slots = std::vector<double>;
using Snapshots = std::map<std::int32_t, Slots>;  // by register

// One slot of what a layer hands on.
struct SlotReport {
  std::int32_t ciphertext = 0;  // number among the layer's
  std::size_t slot = 0;
  double exact = 0, simulated = 0, encrypted = 0;

  double error() const { return std::abs(encrypted - exact); }
};

struct LayerErrors {
  std::string name;
  std::int32_t level = 0;
  double log_scale = 0;
  double rms = 0;                               // of the exact values
  double simulated_rms = 0, encrypted_rms = 0;  // of the errors
  double lost_bits = 0;                         // of precision, by this layer
  std::vector<SlotReport> worst;

  double bits() const { return std::log2(rms / encrypted_rms); }
};

Snapshots run_clear(const plan::Program& program, const std::vector<double>& image,
                    const std::set<std::int32_t>& wanted, std::optional<std::uint64_t> seed) {
  using backend::ClearBackend;
  ClearBackend clear(program, seed);
  Snapshots seen;
  backend::run(program, clear, clear.encrypt_image(image), {},
               [&](std::int32_t reg, const ClearBackend::Ciphertext& value) {
                 if (wanted.contains(reg)) {
                   seen[reg] = value.slots;
                 }
               });
  return seen;
}

Snapshots run_encrypted(const runtime::ServerBundle& bundle, const std::vector<double>& image,
                        const std::set<std::int32_t>& wanted, const Progress& progress) {
  const runtime::Client client(runtime::client_bundle(bundle));
  const SecretKey secret = client.generate_secret();
  const EvaluationKeys keys = client.generate_evaluation_keys(secret, progress);
  const backend::EncodedProgram encoded(bundle.program, client.context(), progress);
  backend::CkksBackend ckks(encoded, keys);
  Snapshots seen;
  backend::run(bundle.program, ckks, client.encrypt(secret, image), progress,
               [&](std::int32_t reg, const Ciphertext& value) {
                 if (wanted.contains(reg)) {
                   seen[reg] = decrypt_raw(secret, value);
                 }
               });
  return seen;
}

std::vector<LayerErrors> compare(const plan::Program& program, const Snapshots& exact,
                                 const Snapshots& simulated, const Snapshots& encrypted,
                                 std::size_t worst) {
  std::vector<LayerErrors> layers;
  const std::vector<LayerRegisters> of_layers = layer_registers(program);
  for (std::size_t l = 0; l < of_layers.size(); ++l) {
    const std::vector<std::int32_t>& registers = of_layers[l].handed_on;
    LayerErrors layer;
    layer.name = program.layers[l];
    std::vector<SlotReport> slots;
    for (std::size_t k = 0; k < registers.size(); ++k) {
      const std::int32_t reg = registers[k];
      const plan::ValueInfo& info = program.values[static_cast<std::size_t>(reg)];
      layer.level = info.level;
      layer.log_scale = std::log2(info.scale);
      const Slots &x = exact.at(reg), &y = simulated.at(reg), &z = encrypted.at(reg);
      for (std::size_t s = 0; s < x.size(); ++s) {
        slots.push_back({static_cast<std::int32_t>(k), s, x[s], y[s], z[s]});
      }
    }
    for (const SlotReport& slot : slots) {
      const double share = 1 / static_cast<double>(slots.size());
      layer.rms += share * slot.exact * slot.exact;
      layer.simulated_rms += share * (slot.simulated - slot.exact) * (slot.simulated - slot.exact);
      layer.encrypted_rms += share * slot.error() * slot.error();
    }
    layer.rms = std::sqrt(layer.rms);
    layer.simulated_rms = std::sqrt(layer.simulated_rms);
    layer.encrypted_rms = std::sqrt(layer.encrypted_rms);
    const auto count = static_cast<std::ptrdiff_t>(std::min(worst, slots.size()));
    std::partial_sort(
        slots.begin(), slots.begin() + count, slots.end(),
        [](const SlotReport& a, const SlotReport& b) { return a.error() > b.error(); });
    layer.worst.assign(slots.begin(), slots.begin() + count);
    if (!layers.empty()) {
      layer.lost_bits = layers.back().bits() - layer.bits();
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

// Where most precision is lost; the first layer has none to lose.
const LayerErrors& weakest(const std::vector<LayerErrors>& layers) {
  return *std::ranges::max_element(layers, {}, &LayerErrors::lost_bits);
}

Json to_json(const std::vector<LayerErrors>& layers) {
  Json json{{"weakest_layer", weakest(layers).name}, {"layers", Json::array()}};
  for (const LayerErrors& layer : layers) {
    Json worst = Json::array();
    for (const SlotReport& slot : layer.worst) {
      worst.push_back({{"ciphertext", slot.ciphertext},
                       {"slot", slot.slot},
                       {"float", slot.exact},
                       {"simulated", slot.simulated},
                       {"encrypted", slot.encrypted}});
    }
    json["layers"].push_back({{"name", layer.name},
                              {"level", layer.level},
                              {"log_scale", layer.log_scale},
                              {"rms", layer.rms},
                              {"simulated_error_rms", layer.simulated_rms},
                              {"encrypted_error_rms", layer.encrypted_rms},
                              {"precision_bits", layer.bits()},
                              {"lost_bits", layer.lost_bits},
                              {"worst", std::move(worst)}});
  }
  return json;
}

std::string report_text(const std::vector<LayerErrors>& layers) {
  Table table(
      {"layer", "level", "log scale", "rms", "simulated error", "encrypted", "bits", "lost"});
  Table slots({"layer", "ciphertext", "slot", "float", "simulated", "encrypted"});
  for (const LayerErrors& layer : layers) {
    table.add_row({printable(layer.name, 24), std::to_string(layer.level),
                   fmt::format("{:.1f}", layer.log_scale), fmt::format("{:.3g}", layer.rms),
                   fmt::format("{:.2g}", layer.simulated_rms),
                   fmt::format("{:.2g}", layer.encrypted_rms), fmt::format("{:.1f}", layer.bits()),
                   fmt::format("{:.1f}", layer.lost_bits)});
    for (const SlotReport& slot : layer.worst) {
      slots.add_row({printable(layer.name, 24), std::to_string(slot.ciphertext),
                     std::to_string(slot.slot), fmt::format("{:.6g}", slot.exact),
                     fmt::format("{:.6g}", slot.simulated), fmt::format("{:.6g}", slot.encrypted)});
    }
  }
  const LayerErrors& lossy = weakest(layers);
  return fmt::format(
      "Root mean squares over all slots of what each layer hands on:\n{}\n"
      "most precision is lost in {}: {:.1f} bits\n\nThe slots that are furthest off:\n{}",
      table.text(), printable(lossy.name), lossy.lost_bits, slots.text());
}

void run(const Options& options) {
  const Model model = load_model(options.model);
  const std::vector<double> image = load_pixels(options.image, model.network.input);
  const CompiledModel compiled =
      compile_model(model, options.model, options.compile, options.output.quiet);
  const plan::Program& program = compiled.bundle.program;
  std::set<std::int32_t> wanted;
  for (const LayerRegisters& layer : layer_registers(program)) {
    wanted.insert(layer.handed_on.begin(), layer.handed_on.end());
  }
  std::vector<LayerErrors> layers;
  {
    ProgressBar bar(options.output.quiet);
    layers = compare(program, run_clear(program, image, wanted, std::nullopt),
                     run_clear(program, image, wanted, options.seed),
                     run_encrypted(compiled.bundle, image, wanted, bar.callback()), options.worst);
  }
  fmt::print("{}", options.output.json ? json_text(to_json(layers)) : report_text(layers));
}

}  // namespace

void add_debug(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      add_command(app, "debug",
                  "Find the layer where encryption loses precision, on an image that is no secret",
                  "  ffconv debug models/mnist-lola.onnx mnist:17\n"
                  "  ffconv debug models/cifar-vgg-s.onnx photo.png --precision 8",
                  options->output);
  command.add_option("MODEL", options->model, "The network, an ONNX file")
      ->type_name("")
      ->required();
  command
      .add_option("IMAGE", options->image,
                  "An image file of the network's size, or a test image,\nmnist:NUMBER or "
                  "cifar10:NUMBER")
      ->type_name("")
      ->required();
  command.add_option("--worst", options->worst, "How many of the worst slots of a layer to show")
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--seed", options->seed, "Of the simulated noise")
      ->type_name("N")
      ->capture_default_str();
  add_compile_flags(command, options->compile);
  command.callback([options] { run(*options); });
}

}  // namespace ffconv::cli
