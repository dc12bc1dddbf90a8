#include <map>

#include "ffconv/model/onnx/operators.h"

namespace ffconv::model {
namespace {

constexpr std::string_view kActivation =
    "replace it by x*x or another polynomial of degree 2 and retrain (see training/)";
constexpr std::string_view kMaximum =
    "replace it by average pooling or a strided Conv and retrain (see training/)";
constexpr std::string_view kNormalization =
    "normalization by the image's own statistics is not a polynomial; use batch normalization and "
    "retrain (see training/)";
constexpr std::string_view kOnConstants =
    "only constants and shapes may be computed with; apply it to the image before encryption, or "
    "export with a fixed image size";
constexpr std::string_view kEarlySoftmax = "only the last operator may be one; remove it";
constexpr std::string_view kSum = "use ReduceMean, and scale the weights after it";

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
      {"LayerNormalization", kNormalization},
      {"InstanceNormalization", kNormalization},
      {"GroupNormalization", kNormalization},
      {"LRN", kNormalization},
      {"Gather", kOnConstants},
      {"Slice", kOnConstants},
      {"Softmax", kEarlySoftmax},
      {"LogSoftmax", kEarlySoftmax},
      {"ReduceSum", kSum},
      {"ArgMax", "remove it: whoever decrypts the scores picks the largest"},
  };
  const auto found = kAdvice.find(op_type);
  return found == kAdvice.end() ? "express it by Conv, Gemm, Add, Mul and squares" : found->second;
}

}  // namespace ffconv::model
