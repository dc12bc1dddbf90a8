// Importers of the linear models of the domain ai.onnx.ml, as skl2onnx writes them for
// scikit-learn: they become Sub, Mul and Gemm. Weights are attributes there.
#pragma once

#include <string_view>

#include "ffconv/model/onnx/operators.h"

namespace ffconv::model {

// Scaler and LinearRegressor; nullptr for all others.
OperatorImporter find_ml_operator(std::string_view op_type);

// What may finish the scores; nullptr for all others. A LinearClassifier gives its scores before
// the post_transform, which must keep their order; ZipMap and Normalizer pass on what they read.
OperatorImporter find_final_ml_operator(std::string_view op_type);

}  // namespace ffconv::model
