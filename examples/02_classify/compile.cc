// The model owner: compiles a trained network, MODEL.onnx, for encrypted evaluation.
//
//   02_compile MODEL.onnx DIRECTORY
//
// DIRECTORY/digits.server is for the server (program and weights), DIRECTORY/digits.client for
// everybody who wants an image classified (parameters and layouts only).

#include <cstdio>
#include <exception>
#include <filesystem>

#include "ffconv/base/error.h"
#include "ffconv/model/normalize.h"
#include "ffconv/model/onnx/import.h"
#include "ffconv/model/ranges.h"
#include "ffconv/plan/compile.h"
#include "ffconv/wire/bundle_file.h"

int main(int argc, char** argv) {
  using namespace ffconv;
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s MODEL.onnx DIRECTORY\n", argv[0]);
    return 2;
  }
  const std::filesystem::path directory = argv[2];
  try {
    const model::Graph graph = model::import_onnx_file(argv[1]);
    const model::Network network = model::normalize(graph);
    // How large the values inside the network get decides how many bits they take. These models say
    // so themselves; for others, model::calibrate() looks at sample images.
    const auto ranges = model::ranges_from_metadata(graph, network);
    if (!ranges) {
      fail(ErrorCode::kInvalidArgument, "{}: no value ranges in its metadata", argv[1]);
    }
    plan::Compiled compiled = plan::compile(network, *ranges);
    std::printf("%s: predicted %.0f ms on one thread of the reference machine\n",
                network.name.c_str(), compiled.report.counts.total.predicted_us / 1000);

    const runtime::ServerBundle bundle = wire::make_bundle(
        std::move(compiled.program), network.name, network.input, network.class_names);
    wire::save(directory / "digits.server", bundle);
    wire::save(directory / "digits.client", runtime::client_bundle(bundle));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
