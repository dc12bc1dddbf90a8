// FFConv's side of the comparison with onnxruntime: writes models, inputs and the scores that the
// float executor gives, for run.py to check. Usage:
//
//   onnxruntime_peer random FIRST COUNT DIRECTORY   models of that many seeds from FIRST on
//   onnxruntime_peer files DIRECTORY MODEL...       models as they are
//
// For each: NAME.onnx (random only, and as the exporter writes it again), NAME.input (float32, in
// the file's order of axes) and NAME.scores (float64, after the Softmax at the end if there is
// one).
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include "ffconv/model/float_executor.h"
#include "ffconv/model/onnx/export.h"
#include "ffconv/model/onnx/import.h"
#include "ffconv/model/read_file.h"
#include "support/file_image.h"
#include "support/random_model.h"

namespace {

using namespace ffconv;
namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 28;

template <typename T>
void write(const fs::path& path, const std::vector<T>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!file.flush()) {
    throw std::runtime_error(path.string() + ": cannot be written");
  }
}

// The final Softmax, which FFConv leaves to the client.
void apply_last_operator(const onnx::ModelProto& model, std::vector<double>& scores) {
  const std::string op = model.graph().node(model.graph().node_size() - 1).op_type();
  if (op != "Softmax" && op != "LogSoftmax") {
    return;
  }
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores) {
    sum += std::exp(score - largest);
  }
  for (double& score : scores) {
    score = op == "Softmax" ? std::exp(score - largest) / sum : score - largest - std::log(sum);
  }
}

// What the graph sees of pixels in the file's order of axes. Exported files have the graph's.
enum class Order { kFile, kGraph };

// `pixel_scale`: pixels are between plus and minus it.
void write_case(const std::vector<std::uint8_t>& bytes, double pixel_scale, std::uint64_t seed,
                const std::string& base, Order order = Order::kFile) {
  onnx::ModelProto model;
  model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  const model::Graph graph = model::import_onnx(bytes, base);
  std::vector<double> pixels = testing::random_pixels(graph.input_shape().size(), seed);
  for (double& pixel : pixels) {
    pixel *= pixel_scale;
  }
  std::vector<double> scores =
      model::run_float(graph, order == Order::kFile ? testing::graph_image(graph, pixels) : pixels);
  apply_last_operator(model, scores);
  write(base + ".input", std::vector<float>(pixels.begin(), pixels.end()));
  write(base + ".scores", scores);
}

void write_random(std::uint64_t first, std::uint64_t count, const fs::path& directory) {
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const std::string text =
        testing::random_model(seed, testing::Branches::kSome).SerializeAsString();
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    const std::string base = (directory / fmt::format("seed{}", seed)).string();
    write(base + ".onnx", bytes);
    write_case(bytes, 1, seed, base);
    const auto exported = model::export_onnx(model::import_onnx(bytes, base));
    write(base + "-exported.onnx", exported);
    write_case(exported, 1, seed, base + "-exported", Order::kGraph);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.size() == 4 && arguments[0] == "random") {
      write_random(std::stoull(arguments[1]), std::stoull(arguments[2]), arguments[3]);
      return 0;
    }
    if (arguments.size() >= 2 && arguments[0] == "files") {
      for (const std::string& path : std::span(arguments).subspan(2)) {
        // Networks in models/ take pixels of 0 to 255.
        write_case(model::read_file(path, kMaxFileBytes), 255, 1,
                   (fs::path(arguments[1]) / fs::path(path).stem()).string());
      }
      return 0;
    }
    fmt::print(stderr, "usage: see the head of peer.cc\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "onnxruntime_peer: {}\n", error.what());
  }
  return 1;
}
