#include "compiling.h"

#include <algorithm>

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

constexpr const char* kCompileGroup = "Compilation";

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
       "{}: how large its values get is unknown: name images with --calibration ('mnist', "
       "'cifar10' or a directory), or write the ranges into the model's metadata as '{}' "
       "(docs/cli.md)",
       path, model::kRangesKey);
}

}  // namespace

void add_compile_flags(CLI::App& command, CompileFlags& flags) {
  const auto add = [&](const char* name, auto& value, const char* type, const char* help) {
    return command.add_option(name, value, help)->type_name(type)->group(kCompileGroup);
  };
  std::vector<std::string> packings;
  for (const plan::Packing packing : plan::kAllPackings) {
    packings.emplace_back(to_string(packing));
  }
  add("--packing", flags.packing, "PACKING",
      "How tensors are packed: auto, dense, conv, ffconv, falcon,\nlola or batch")
      ->capture_default_str()
      ->check(CLI::IsMember(packings).description(""));
  add("--calibration", flags.calibration, "IMAGES",
      "Images that show how large values get: 'mnist', 'cifar10'\n"
      "or a directory (default: what the model's metadata say)");
  add("--margin", flags.margin, "FACTOR", "Values may exceed those seen by this factor")
      ->capture_default_str();
  add("--precision", flags.precision_bits, "BITS",
      "Precision that scores keep, relative to their range")
      ->capture_default_str();
  add("--log-n", flags.log_n, "N",
      "log2 of the ring degree (default: the smallest that is\n"
      "secure and precise enough)");
  add("--bandwidth", flags.bandwidth, "MBIT/S",
      "From client to server: auto weighs the upload beside the\n"
      "time of evaluation; inf: only the latter counts")
      ->check(bandwidth_check())
      ->capture_default_str();
  add("--max-keys", flags.max_keys, "N",
      "At most so many evaluation keys, for more time (default: as\n"
      "many as are fastest)")
      ->check(CLI::PositiveNumber.description(""));
  command
      .add_option("--cost", flags.cost,
                  "What operations cost on the server, as 'ffconv doctor -o'\n"
                  "wrote it there (default: the table of an AVX2 machine)")
      ->type_name("FILE");
}

CLI::Validator bandwidth_check() {
  return {[](const std::string& text) {
            double value = 0;
            return CLI::detail::lexical_cast(text, value) && value > 0
                       ? std::string()
                       : "expected megabits per second above 0, or inf, got " + text;
          },
          ""};
}

bool any_compile_flag(const CLI::App& command) {
  return std::ranges::any_of(command.get_options(), [](const CLI::Option* option) {
    return option->get_group() == kCompileGroup && option->count() > 0;
  });
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
  options.upload_mbit_per_s = flags.bandwidth;
  if (flags.max_keys != 0) {
    options.max_keys = flags.max_keys;
  }
  const model::Ranges ranges = value_ranges(model, path, flags, quiet);
  ProgressBar bar(quiet);
  options.progress = bar.callback();
  plan::Compiled compiled = plan::compile(model.network, ranges, options);
  return {wire::make_bundle(std::move(compiled.program), model.network.name, model.network.input,
                            model.network.class_names),
          std::move(compiled.report)};
}

}  // namespace ffconv::cli
