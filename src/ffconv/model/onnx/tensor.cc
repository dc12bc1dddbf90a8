#include "ffconv/model/onnx/tensor.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <Eigen/Core>

#include "ffconv/base/error.h"
#include "ffconv/model/quote.h"

namespace ffconv::model {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

// The elements, stored as T in raw_data or one by one in the field `typed`; `decode` gives the
// number that a T stands for.
template <typename T, typename Typed, typename Decode>
std::vector<double> elements(const onnx::TensorProto& proto, const Typed& typed,
                             const std::string& name, Decode&& decode) {
  std::vector<double> data;
  if (!proto.has_raw_data()) {
    data.reserve(static_cast<std::size_t>(typed.size()));
    for (const auto element : typed) {
      data.push_back(decode(static_cast<T>(element)));
    }
    return data;
  }
  const std::string& raw = proto.raw_data();
  if (raw.size() % sizeof(T) != 0 || !typed.empty()) {
    fail(ErrorCode::kFormat,
         "tensor {}: expected elements of {} bytes in one field, got {} bytes of raw_data and {} "
         "typed elements",
         quote(name), sizeof(T), raw.size(), typed.size());
  }
  data.resize(raw.size() / sizeof(T));
  for (std::size_t i = 0; i < data.size(); ++i) {
    T element;
    std::memcpy(&element, raw.data() + i * sizeof(T), sizeof(T));
    data[i] = decode(element);
  }
  return data;
}

template <typename T, typename Typed>
std::vector<double> elements(const onnx::TensorProto& proto, const Typed& typed,
                             const std::string& name) {
  return elements<T>(proto, typed, name, [](T x) { return static_cast<double>(x); });
}

double from_half(std::uint16_t bits) {
  return static_cast<float>(Eigen::numext::bit_cast<Eigen::half>(bits));
}
double from_bfloat16(std::uint16_t bits) {
  return static_cast<float>(Eigen::numext::bit_cast<Eigen::bfloat16>(bits));
}
double from_bool(std::uint8_t byte) {
  return byte != 0 ? 1 : 0;
}

std::vector<double> read_elements(const onnx::TensorProto& proto, const std::string& name) {
  using onnx::TensorProto;
  switch (proto.data_type()) {
    case TensorProto::FLOAT:
      return elements<float>(proto, proto.float_data(), name);
    case TensorProto::DOUBLE:
      return elements<double>(proto, proto.double_data(), name);
    case TensorProto::FLOAT16:
      return elements<std::uint16_t>(proto, proto.int32_data(), name, from_half);
    case TensorProto::BFLOAT16:
      return elements<std::uint16_t>(proto, proto.int32_data(), name, from_bfloat16);
    case TensorProto::INT8:
      return elements<std::int8_t>(proto, proto.int32_data(), name);
    case TensorProto::UINT8:
      return elements<std::uint8_t>(proto, proto.int32_data(), name);
    case TensorProto::INT16:
      return elements<std::int16_t>(proto, proto.int32_data(), name);
    case TensorProto::UINT16:
      return elements<std::uint16_t>(proto, proto.int32_data(), name);
    case TensorProto::INT32:
      return elements<std::int32_t>(proto, proto.int32_data(), name);
    case TensorProto::INT64:
      return elements<std::int64_t>(proto, proto.int64_data(), name);
    case TensorProto::UINT32:
      return elements<std::uint32_t>(proto, proto.uint64_data(), name);
    case TensorProto::UINT64:
      return elements<std::uint64_t>(proto, proto.uint64_data(), name);
    case TensorProto::BOOL:
      return elements<std::uint8_t>(proto, proto.int32_data(), name, from_bool);
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

bool is_whole_type(std::int32_t data_type) {
  switch (data_type) {
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::DOUBLE:
    case onnx::TensorProto::FLOAT16:
    case onnx::TensorProto::BFLOAT16:
      return false;
    default:
      return true;
  }
}

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
