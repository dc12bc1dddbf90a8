#include "compiling.h"

#include "cost_file.h"
#include "ffconv/base/error.h"
#include "ffconv/model/normalize.h"
#include "ffconv/model/onnx/import.h"
#include "ffconv/model/ranges.h"
#include "ffconv/wire/bundle_file.h"
#include "images.h"
#include "progress_bar.h"

namespace ffconv::cli {
namespace {

model::Ranges value_ranges(const Model& model, const std::string& path, const CompileFlags& flags,
                           bool quiet) {
  if (!flags.calibration.empty()) {
    ProgressBar bar(quiet);
    return model::calibrate(model.network,
                            load_calibration_images(flags.calibration, model.network.input),
                            bar.callback());
  }
  if (auto ranges = model::ranges_from_metadata(model.graph, model.network)) {
    return *std::move(ranges);
  }
  fail(ErrorCode::kInvalidArgument,
       "{}: how large its values get is unknown: name images with --calibration ('mnist', or a "
       "directory), or write the ranges into the model's metadata as '{}' (docs/cli.md)",
       path, model::kRangesKey);
}

}  // namespace

CLI::App& add_compile_flags(CLI::App& command, CompileFlags& flags) {
  CLI::App* group = command.add_option_group("Compilation");
  group
      ->add_option("--packing", flags.packing,
                   "How tensors stand in ciphertexts: auto (the fastest found), dense or lola")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "dense", "lola"}));
  group->add_option("--calibration", flags.calibration,
                    "Images that show how large values get: 'mnist' (its training images) or a "
                    "directory (default: the model's metadata)");
  group->add_option("--margin", flags.margin, "Values may exceed those seen by this factor")
      ->capture_default_str();
  group
      ->add_option("--precision", flags.precision_bits,
                   "Bits of precision that scores keep, relative to their range")
      ->capture_default_str();
  group->add_option("--log-n", flags.log_n,
                    "log2 of the ring degree (default: the smallest that is secure and precise "
                    "enough)");
  group
      ->add_option("--upload-mb-per-s", flags.upload_mb_per_s,
                   "A client's bandwidth in 10^6 bytes per second, which auto weighs beside time")
      ->capture_default_str();
  command.add_option("--cost", flags.cost,
                     "What operations cost on the server's machine: a file that 'ffconv doctor -o' "
                     "wrote there (default: a table of an AVX2 machine)");
  return *group;
}

CostTable cost_table(const CompileFlags& flags) {
  return flags.cost.empty() ? default_cost_table() : load_cost_table(flags.cost);
}

Model load_model(const std::string& path) {
  Model model;
  model.graph = model::import_onnx_file(path);
  model.network = model::normalize(model.graph);
  return model;
}

CompiledModel compile_model(const Model& model, const std::string& path, const CompileFlags& flags,
                            bool quiet) {
  plan::CompileOptions options;
  options.packing = plan::packing_from_string(flags.packing);
  options.cost = cost_table(flags);
  options.margin = flags.margin;
  options.precision_bits = flags.precision_bits;
  if (flags.log_n != 0) {
    options.log_n = flags.log_n;
  }
  options.upload_mb_per_s = flags.upload_mb_per_s;
  const model::Ranges ranges = value_ranges(model, path, flags, quiet);
  plan::Compiled compiled = plan::compile(model.network, ranges, options);
  return {wire::make_bundle(std::move(compiled.program), model.network.name, model.network.input,
                            model.network.class_names),
          std::move(compiled.report)};
}

}  // namespace ffconv::cli
