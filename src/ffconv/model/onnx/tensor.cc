#include "ffconv/model/onnx/tensor.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "ffconv/base/error.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

template <typename T, typename Typed>
std::vector<double> elements(const onnx::TensorProto& proto, const Typed& typed,
                             const std::string& name) {
  if (!proto.has_raw_data()) {
    return std::vector<double>(typed.begin(), typed.end());
  }
  const std::string& raw = proto.raw_data();
  if (raw.size() % sizeof(T) != 0 || !typed.empty()) {
    fail(ErrorCode::kFormat,
         "tensor {}: expected elements of {} bytes in one field, got {} bytes of raw_data and {} "
         "typed elements",
         quote(name), sizeof(T), raw.size(), typed.size());
  }
  std::vector<double> data(raw.size() / sizeof(T));
  for (std::size_t i = 0; i < data.size(); ++i) {
    T element;
    std::memcpy(&element, raw.data() + i * sizeof(T), sizeof(T));
    data[i] = static_cast<double>(element);
  }
  return data;
}

std::vector<double> read_elements(const onnx::TensorProto& proto, const std::string& name) {
  switch (proto.data_type()) {
    case onnx::TensorProto::FLOAT:
      return elements<float>(proto, proto.float_data(), name);
    case onnx::TensorProto::DOUBLE:
      return elements<double>(proto, proto.double_data(), name);
    case onnx::TensorProto::INT32:
      return elements<std::int32_t>(proto, proto.int32_data(), name);
    case onnx::TensorProto::INT64:
      return elements<std::int64_t>(proto, proto.int64_data(), name);
    default:
      fail(ErrorCode::kUnsupported, "tensor {}: element type {}; export the model in float32",
           quote(name), proto.data_type());
  }
}

// The shape, whose product must be `count`.
Shape read_shape(const onnx::TensorProto& proto, std::size_t count, const std::string& name) {
  Shape shape;
  std::size_t product = 1;
  for (const std::int64_t dim : proto.dims()) {
    // product <= count before each step, so nothing overflows.
    if (dim < 0 || (dim > 0 && product > count / static_cast<std::size_t>(dim))) {
      fail(ErrorCode::kFormat, "tensor {}: dimension {} does not fit its {} elements", quote(name),
           dim, count);
    }
    product *= static_cast<std::size_t>(dim);
    shape.dims.push_back(static_cast<std::size_t>(dim));
  }
  if (product != count) {
    fail(ErrorCode::kFormat, "tensor {}: expected {} elements by its dimensions, got {}",
         quote(name), product, count);
  }
  return shape;
}

}  // namespace

Value read_tensor(const onnx::TensorProto& proto, const std::string& name) {
  if (proto.data_location() == onnx::TensorProto::EXTERNAL || proto.external_data_size() > 0) {
    fail(ErrorCode::kUnsupported,
         "tensor {}: external data; save the model as one file (onnx.save with "
         "save_as_external_data=False)",
         quote(name));
  }
  if (proto.has_segment()) {
    fail(ErrorCode::kUnsupported, "tensor {}: stored in segments", quote(name));
  }
  Value value{name, {}, true, read_elements(proto, name)};
  value.shape = read_shape(proto, value.data.size(), name);
  for (std::size_t i = 0; i < value.data.size(); ++i) {
    if (!std::isfinite(value.data[i])) {
      fail(ErrorCode::kFormat, "tensor {}: element {} is not a finite number", quote(name), i);
    }
  }
  return value;
}

}  // namespace ffconv::model
