#include <map>

#include "ffconv/model/onnx/operators.h"

namespace ffconv::model {
namespace {

constexpr std::string_view kActivation =
    "replace it by x*x or another polynomial of degree 2 and retrain (see training/)";
constexpr std::string_view kMaximum =
    "replace it by average pooling (a Conv with constant weights) or a strided Conv and retrain "
    "(see "
    "training/)";
constexpr std::string_view kAverage =
    "write it as a Conv with constant weights, one group a channel";
constexpr std::string_view kNormalization =
    "normalization by the image's own statistics is not a polynomial; use batch normalization and "
    "retrain (see training/)";
constexpr std::string_view kShapeArithmetic =
    "export with a fixed batch size of 1, so that shapes are constants";

}  // namespace

std::string_view advice(std::string_view op_type) {
  static const std::map<std::string_view, std::string_view> kAdvice{
      {"Relu", kActivation},
      {"LeakyRelu", kActivation},
      {"PRelu", kActivation},
      {"Elu", kActivation},
      {"Selu", kActivation},
      {"Celu", kActivation},
      {"Gelu", kActivation},
      {"Mish", kActivation},
      {"Swish", kActivation},
      {"Sigmoid", kActivation},
      {"HardSigmoid", kActivation},
      {"HardSwish", kActivation},
      {"Tanh", kActivation},
      {"Softplus", kActivation},
      {"Softsign", kActivation},
      {"ThresholdedRelu", kActivation},
      {"Clip", kActivation},
      {"Abs", kActivation},
      {"MaxPool", kMaximum},
      {"GlobalMaxPool", kMaximum},
      {"Max", kMaximum},
      {"ReduceMax", kMaximum},
      {"LpPool", kMaximum},
      {"AveragePool", kAverage},
      {"GlobalAveragePool", kAverage},
      {"ReduceMean", kAverage},
      {"LayerNormalization", kNormalization},
      {"InstanceNormalization", kNormalization},
      {"GroupNormalization", kNormalization},
      {"LRN", kNormalization},
      {"BatchNormalization", "fold it into the layer before it (most exporters do for inference)"},
      {"Shape", kShapeArithmetic},
      {"Gather", kShapeArithmetic},
      {"Unsqueeze", kShapeArithmetic},
      {"Squeeze", kShapeArithmetic},
      {"Slice", kShapeArithmetic},
      {"Concat", kShapeArithmetic},
      {"Transpose", "export with channels first (NCHW)"},
      {"Cast", "export the whole model in float32, its input too"},
      {"LogSoftmax", "remove it: the scores before it have the same order"},
      {"ArgMax", "remove it: whoever decrypts the scores picks the largest"},
  };
  const auto found = kAdvice.find(op_type);
  return found == kAdvice.end() ? "express it by Conv, Gemm, Add, Mul and squares" : found->second;
}

}  // namespace ffconv::model
