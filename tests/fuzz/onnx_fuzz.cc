// The ONNX importer on foreign bytes and on mutated models: a model is refused with an Error, or it
// is imported, normalized, and (where it is small) the graph and the normalized chain are run.
//
// Most inputs are made by changing a model field by field, so that they stay models; where there is
// none yet, by a random valid one; the rest are libFuzzer's own changes of bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ffconv/base/error.h"
#include "ffconv/model/float_executor.h"
#include "ffconv/model/normalize.h"
#include "ffconv/model/onnx/import.h"
#include "ffconv/model/ranges.h"
#include "ffconv/model/work.h"
#include "fuzz/proto_mutator.h"
#include "support/random_model.h"

namespace {

using namespace ffconv::model;

constexpr std::size_t kMaxElements = std::size_t{1} << 14;
constexpr double kMaxProducts = 1 << 22;

// Whether the graph's activations are few and its linear layers take few products in all.
bool is_small(const Graph& graph) {
  auto products = static_cast<double>(work_of(graph).mac);
  std::size_t elements = graph.input_shape().size();
  for (const Node& node : graph.nodes) {
    const std::size_t out = graph.values[node.output].shape.size();
    elements += out;
    if (const auto* pool = std::get_if<AveragePool>(&node.op)) {
      products += static_cast<double>(out) *
                  static_cast<double>(pool->geometry.kernel[0] * pool->geometry.kernel[1]);
    }
  }
  return elements <= kMaxElements && products <= kMaxProducts;
}

// Shapes must agree; values need not, as weights of random bytes cancel and overflow.
void run(const Graph& graph, const Network& network) {
  const std::vector<double> image(graph.input_shape().size(), 1.0);
  if (run_float(graph, image).size() != network.classes ||
      run_float(network, image).size() != network.classes ||
      network.class_names.size() != network.classes) {
    std::abort();
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned int seed) {
  constexpr unsigned int kOfBytes = 8;  // every eighth change
  constexpr unsigned int kNewModel = 64;
  if (seed % kOfBytes == 0) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  static const std::vector<std::string> kTexts{
      "Relu",       "Slice",   "Gather",    "Concat",     "Range",   "Expand",    "ConstantOfShape",
      "Where",      "Equal",   "Sqrt",      "ReduceProd", "Size",    "Shape",     "Transpose",
      "Unsqueeze",  "axes",    "axis",      "pads",       "strides", "dilations", "kernel_shape",
      "perm",       "to",      "group",     "keepdims",   "value",   "ceil_mode", "auto_pad",
      "SAME_UPPER", "ai.onnx", "allowzero", "epsilon"};
  onnx::ModelProto model;
  if (seed % kNewModel == 1 || !model.ParseFromArray(data, static_cast<int>(size))) {
    model = ffconv::testing::random_model(seed, ffconv::testing::Branches::kSome);
  }
  ffconv::testing::ProtoMutator mutator(seed);
  for (unsigned int k = 0; k <= seed / kOfBytes % 4; ++k) {
    mutator.mutate(model, kTexts);
  }
  const std::string text = model.SerializePartialAsString();
  if (text.size() > max_size) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::copy(text.begin(), text.end(), data);
  return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const Graph graph = import_onnx(std::span(data, size), "fuzz input");
    if (!is_small(graph)) {
      return 0;
    }
    const Network network = normalize(graph);
    run(graph, network);
    ranges_from_metadata(graph, network);
  } catch (const ffconv::Error&) {
    // Refused, as most inputs are.
  }
  return 0;
}
