#include "support/random_model.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "support/onnx_builder.h"

namespace ffconv::testing {
namespace {

using onnx::TensorProto;

constexpr std::int64_t kZero = 0;
constexpr std::int64_t kOne = 1;

class Generator {
 public:
  Generator(std::uint64_t seed, Branches branches) : random_(seed), branches_(branches) {}

  onnx::ModelProto run() {
    begin();
    const std::int64_t steps = shape_.size() == 3 ? integer(2, 6) : 0;
    for (std::int64_t k = 0; k < steps; ++k) {
      image_step();
    }
    if (shape_.size() == 3) {
      flatten();
    }
    dense(integer(2, 12));
    if (coin()) {
      activation();
      dense(integer(2, 10));
    }
    if (coin()) {
      x_ = builder_.node(coin() ? "Softmax" : "LogSoftmax", {x_}, {{"axis", kOne}});
    }
    auto* output = builder_.graph().add_output();
    output->set_name(x_);
    output->mutable_type()->mutable_tensor_type()->set_elem_type(TensorProto::FLOAT);
    return builder_.model();
  }

 private:
  std::int64_t integer(std::int64_t least, std::int64_t most) {
    return least +
           static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most - least + 1));
  }
  bool coin() { return integer(0, 1) == 1; }
  // `count` numbers of offset - scale to offset + scale.
  std::vector<double> reals(std::int64_t count, double scale, double offset = 0) {
    std::vector<double> values(static_cast<std::size_t>(count));
    for (double& value : values) {
      const double unit = std::ldexp(static_cast<double>(random_() >> 43), -20) - 1;
      value = static_cast<float>(offset + scale * unit);
    }
    return values;
  }

  void begin() {
    constexpr int kOperatorSets[] = {9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21};
    operator_set_ = kOperatorSets[integer(0, 12)];
    const std::int64_t kind = integer(0, 5);
    shape_ = {integer(1, 4), integer(5, 10), integer(5, 10)};
    Dims input = shape_;
    if (kind == 0) {
      input = shape_ = {integer(2, 20)};
    } else if (kind == 1) {
      input = {shape_[1], shape_[2], shape_[0]};
    }
    builder_ = OnnxBuilder(input, operator_set_);
    builder_.model().set_ir_version(8);
    x_ = "image";
    if (kind == 1) {  // channels last, as Keras has them
      if (coin()) {
        x_ = builder_.node("Mul", {x_, weights({shape_[0]}, 0.5, 1)});
      }
      x_ = builder_.node("Transpose", {x_}, {{"perm", Dims{0, 3, 1, 2}}});
    }
  }

  // A constant in one of the forms that files have.
  std::string weights(const Dims& dims, double scale, double offset = 0) {
    std::int64_t count = 1;
    for (const std::int64_t dim : dims) {
      count *= dim;
    }
    const std::vector<double> values = reals(count, scale, offset);
    const std::int64_t form = integer(0, 5);
    if (form == 0) {  // double, cast down
      return cast(builder_.constant(dims, values));
    }
    const std::string name = builder_.float_constant(dims, values);
    TensorProto* tensor =
        builder_.graph().mutable_initializer(builder_.graph().initializer_size() - 1);
    if (form == 1) {  // half precision, cast up
      tensor->clear_float_data();
      tensor->set_data_type(TensorProto::FLOAT16);
      for (std::int64_t k = 0; k < count; ++k) {
        // Of either sign, 0.25 to 1 in size, whatever the values were to be.
        tensor->add_int32_data(static_cast<std::int32_t>(integer(0x3400, 0x3bff)) +
                               (offset == 0 && coin() ? 0x8000 : 0));
      }
      const std::string half = cast(name);
      return builder_.node("Mul", {half, builder_.float_constant({}, {scale + offset})});
    }
    if (form == 2 && count > 0) {
      std::vector<float> raw(values.begin(), values.end());
      tensor->clear_float_data();
      tensor->set_raw_data(std::string(reinterpret_cast<const char*>(raw.data()), 4 * raw.size()));
    } else if (form == 3) {
      const std::string constant = builder_.node("Constant", {});
      auto* attribute =
          builder_.graph().mutable_node(builder_.graph().node_size() - 1)->add_attribute();
      attribute->set_name("value");
      attribute->set_type(onnx::AttributeProto::TENSOR);
      attribute->mutable_t()->Swap(tensor);
      attribute->mutable_t()->clear_name();
      tensor->CopyFrom(attribute->t());
      tensor->set_name(name);
      return constant;
    }
    return name;
  }

  std::string cast(const std::string& x) {
    return builder_.node("Cast", {x}, {{"to", std::int64_t{TensorProto::FLOAT}}});
  }

  // Axes as an attribute before operator set `since`, as an input from then on.
  std::string with_axes(const std::string& op, int since, const Dims& axes,
                        Attributes attributes = {}) {
    if (operator_set_ >= since) {
      return builder_.node(op, {x_, builder_.integers(axes)}, attributes);
    }
    attributes.emplace_back("axes", axes);
    return builder_.node(op, {x_}, attributes);
  }

  void image_step() {
    switch (integer(0, branches_ == Branches::kSome ? 11 : 8)) {
      case 0:
      case 1:
        return convolution();
      case 2:
        return pooling();
      case 3:
        return normalization();
      case 4:
        return arithmetic();
      case 5:
        return activation();
      case 6:
        return padded();
      case 7:
        return there_and_back();
      case 8:
        return renamed();
      case 9:
        return residual();
      case 10: {
        const std::string other = pointwise(integer(1, 3));
        x_ = builder_.node("Concat", {x_, other}, {{"axis", coin() ? kOne : std::int64_t{-3}}});
        shape_[0] += other_channels_;
        return;
      }
      default:
        x_ = builder_.node("Pow", {x_, builder_.float_constant({}, {3})});
        x_ = builder_.node("Mul", {x_, builder_.float_constant({}, {0.25})});
    }
  }

  // Kernel, strides, pads and dilations that fit the image; sets the output's rows and columns.
  Attributes window(std::int64_t most, bool may_dilate, Dims& kernel) {
    Dims strides, dilations, pads(4);
    kernel.clear();
    const bool automatic = integer(0, 4) == 0;
    for (std::size_t axis = 0; axis < 2; ++axis) {
      kernel.push_back(integer(1, std::min(most, shape_[1 + axis])));
      // onnxruntime refuses automatic padding that would be negative.
      strides.push_back(integer(1, automatic ? std::min<std::int64_t>(2, kernel[axis]) : 2));
      const bool fits = 2 * (kernel[axis] - 1) + 1 <= shape_[1 + axis];
      dilations.push_back(may_dilate && !automatic && fits && integer(0, 3) == 0 ? 2 : 1);
      pads[axis] = integer(0, kernel[axis] - 1);
      pads[2 + axis] = integer(0, kernel[axis] - 1);
      const std::int64_t covered = (kernel[axis] - 1) * dilations[axis] + 1;
      const std::int64_t padded = shape_[1 + axis] + pads[axis] + pads[2 + axis];
      shape_[1 + axis] = automatic ? (shape_[1 + axis] + strides[axis] - 1) / strides[axis]
                                   : (padded - covered) / strides[axis] + 1;
    }
    Attributes attributes{{"kernel_shape", kernel}, {"strides", strides}};
    if (automatic) {
      attributes.emplace_back("auto_pad", std::string(coin() ? "SAME_UPPER" : "SAME_LOWER"));
    } else {
      attributes.emplace_back("pads", pads);
    }
    if (may_dilate) {
      attributes.emplace_back("dilations", dilations);
    }
    return attributes;
  }

  void convolution() {
    const std::int64_t inputs = shape_[0];
    const std::int64_t groups = integer(0, 3) == 0 ? inputs : 1;
    const std::int64_t outputs = groups * integer(1, groups == 1 ? 6 : 2);
    Dims kernel;
    Attributes attributes = window(4, true, kernel);
    attributes.emplace_back("group", groups);
    const std::int64_t fan_in = inputs / groups * kernel[0] * kernel[1];
    std::vector<std::string> all{x_, weights({outputs, inputs / groups, kernel[0], kernel[1]},
                                             1.2 / std::sqrt(static_cast<double>(fan_in)))};
    if (coin()) {
      all.push_back(weights({outputs}, 0.5));
    }
    x_ = builder_.node("Conv", all, attributes);
    shape_[0] = outputs;
    is_affine_ = true;
  }

  void pooling() {
    const Dims before = shape_;
    Dims kernel;
    Attributes attributes = window(3, false, kernel);
    const bool counts = coin();
    attributes.emplace_back("count_include_pad", counts ? kOne : kZero);
    const bool automatic = attributes[2].first == "auto_pad";
    if (!counts && !automatic && operator_set_ >= 10 && coin()) {
      round_up(attributes, kernel, before);
    }
    x_ = builder_.node("AveragePool", {x_}, attributes);
    is_affine_ = true;
  }

  // With ceil_mode, unless the last window then begins behind the image.
  void round_up(Attributes& attributes, const Dims& kernel, const Dims& before) {
    Dims out = shape_;
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const std::int64_t stride = std::get<Dims>(attributes[1].second)[axis];
      const Dims& pads = std::get<Dims>(attributes[2].second);
      const std::int64_t end = before[1 + axis] + pads[axis];
      const std::int64_t steps = (end + pads[2 + axis] - kernel[axis] + stride - 1) / stride;
      if (steps * stride >= end) {
        return;
      }
      out[1 + axis] = steps + 1;
    }
    shape_ = out;
    attributes.emplace_back("ceil_mode", kOne);
  }

  void normalization() {
    const Dims c{shape_[0]};
    const std::vector<std::string> inputs{x_, weights(c, 0.3, 1), weights(c, 0.5), weights(c, 0.5),
                                          weights(c, 0.3, 1)};
    x_ = builder_.node("BatchNormalization", inputs, {{"epsilon", 0.001}});
  }

  // With a constant that broadcasts in one way or another.
  void arithmetic() {
    const std::vector<Dims> forms{{},     {1},         {shape_[0], 1, 1}, {1, shape_[0], 1, 1},
                                  shape_, {shape_[2]}, {shape_[1], 1}};
    const Dims& dims = forms[static_cast<std::size_t>(integer(0, 6))];
    const std::string c = weights(dims, 0.4, 1);
    const bool left = coin();
    switch (integer(0, 4)) {
      case 0:
        x_ = builder_.node("Add", {left ? x_ : c, left ? c : x_});
        return;
      case 1:
        x_ = builder_.node("Sub", {left ? x_ : c, left ? c : x_});
        return;
      case 2:
        x_ = builder_.node("Mul", {left ? x_ : c, left ? c : x_});
        return;
      case 3:
        x_ = builder_.node("Neg", {x_});
        return;
      default:
        x_ = builder_.node("Div", {x_, c});
    }
  }

  Dims by_channel() const {
    Dims dims(shape_.size(), 1);
    dims[0] = shape_[0];
    return dims;
  }

  // A polynomial of degree 2, after a linear layer where the network is to be a chain.
  void activation() {
    if (branches_ == Branches::kNone && !is_affine_) {
      return;
    }
    is_affine_ = false;
    const std::string square = coin()
                                   ? builder_.node("Mul", {x_, x_})
                                   : builder_.node("Pow", {x_, builder_.float_constant({}, {2})});
    switch (integer(0, 2)) {
      case 0:
        x_ = square;
        return;
      case 1: {  // (a x + b) x + c
        std::string y = builder_.node("Mul", {weights(by_channel(), 0.2, 0.5), x_});
        y = builder_.node("Add", {y, weights(by_channel(), 0.5)});
        y = builder_.node("Mul", {y, x_});
        x_ = builder_.node("Add", {y, weights(by_channel(), 0.5)});
        return;
      }
      default: {  // a x^2 + b x
        const std::string high = builder_.node("Mul", {square, weights(by_channel(), 0.2, -0.5)});
        x_ = builder_.node("Add", {high, builder_.node("Mul", {x_, weights(by_channel(), 0.5)})});
      }
    }
  }

  // Zeros around the image, then a convolution.
  void padded() {
    const Dims pads{0, 0, integer(0, 2), integer(0, 2), 0, 0, integer(0, 2), integer(0, 2)};
    if (operator_set_ < 11) {
      x_ = builder_.node("Pad", {x_}, {{"pads", pads}});
    } else {
      x_ = builder_.node("Pad", {x_, builder_.integers(pads)});
    }
    shape_[1] += pads[2] + pads[6];
    shape_[2] += pads[3] + pads[7];
    convolution();
  }

  // To channels last and back, or through another shape.
  void there_and_back() {
    if (coin()) {
      x_ = builder_.node("Transpose", {x_}, {{"perm", Dims{0, 2, 3, 1}}});
      if (coin()) {
        x_ = builder_.node("Add", {x_, weights({shape_[0]}, 1)});
      }
      x_ = builder_.node("Transpose", {x_}, {{"perm", Dims{0, 3, 1, 2}}});
      return;
    }
    const std::int64_t size = shape_[0] * shape_[1] * shape_[2];
    const std::string full = full_shape();
    x_ = builder_.node("Reshape", {x_, builder_.integers({coin() ? kZero : kOne, size})});
    x_ = builder_.node("Reshape", {x_, full});
  }

  // [1, C, H, W], from the image's own Shape or as a list.
  std::string full_shape() {
    if (coin()) {
      return builder_.node("Shape", {x_});
    }
    Dims dims = shape_;
    dims.insert(dims.begin(), -1);
    return builder_.integers(dims);
  }

  void renamed() {
    switch (integer(0, 3)) {
      case 0:
        x_ = builder_.node("Identity", {x_});
        return;
      case 1:
        x_ = builder_.node("Dropout", {x_});
        return;
      case 2:
        x_ = cast(x_);
        return;
      default:
        x_ = with_axes("Unsqueeze", 13, {4});
        x_ = with_axes("Squeeze", 13, {4});
    }
  }

  // x through a 1 x 1 convolution to `outputs` channels.
  std::string pointwise(std::int64_t outputs) {
    other_channels_ = outputs;
    const double scale = 1 / std::sqrt(static_cast<double>(shape_[0]));
    return builder_.node("Conv", {x_, weights({outputs, shape_[0], 1, 1}, scale)});
  }

  void residual() {
    const std::string other = pointwise(shape_[0]);
    const char* const operators[] = {"Add", "Sub", "Mul"};
    x_ = builder_.node(operators[integer(0, 2)], {coin() ? x_ : other, coin() ? x_ : other});
  }

  void flatten() {
    const std::int64_t size = shape_[0] * shape_[1] * shape_[2];
    switch (integer(0, 6)) {
      case 0:
        x_ = builder_.node("Flatten", {x_});
        break;
      case 1:
        x_ = builder_.node("Reshape", {x_, builder_.integers({-1, size})});
        break;
      case 2: {  // PyTorch's view(x.size(0), -1)
        std::string n = builder_.node("Shape", {x_});
        n = builder_.node("Gather", {n, builder_.integers({0})}, {{"axis", kZero}});
        const std::string to =
            builder_.node("Concat", {n, builder_.integers({-1})}, {{"axis", kZero}});
        x_ = builder_.node("Reshape", {x_, to});
        break;
      }
      case 3:  // Keras
        x_ = builder_.node("Transpose", {x_}, {{"perm", Dims{0, 2, 3, 1}}});
        x_ = builder_.node("Reshape", {x_, builder_.integers({-1, size})});
        break;
      case 4:
        x_ = builder_.node("GlobalAveragePool", {x_});
        x_ = with_axes("Squeeze", 13, {2, 3});
        shape_ = {shape_[0]};
        is_affine_ = true;
        return;
      case 5:
        x_ = with_axes("ReduceMean", 18, {2, 3}, {{"keepdims", kZero}});
        shape_ = {shape_[0]};
        is_affine_ = true;
        return;
      default:  // the mean over channels last
        x_ = builder_.node("Transpose", {x_}, {{"perm", Dims{0, 2, 3, 1}}});
        x_ = with_axes("ReduceMean", 18, {1, 2}, {{"keepdims", kOne}});
        x_ = builder_.node("Flatten", {x_});
        shape_ = {shape_[0]};
        is_affine_ = true;
        return;
    }
    shape_ = {size};
  }

  void dense(std::int64_t outputs) {
    const std::int64_t inputs = shape_[0];
    const double scale = 1 / std::sqrt(static_cast<double>(inputs));
    if (coin()) {
      x_ = builder_.node("MatMul", {x_, weights({inputs, outputs}, scale)});
      x_ = builder_.node("Add", {x_, weights({outputs}, 0.5)});
    } else {
      const bool transposed = coin();
      const std::string matrix =
          weights(transposed ? Dims{outputs, inputs} : Dims{inputs, outputs}, scale);
      x_ = builder_.node("Gemm", {x_, matrix, weights(coin() ? Dims{outputs} : Dims{1}, 0.5)},
                         {{"transB", transposed ? kOne : kZero}, {"alpha", 0.75}, {"beta", 1.5}});
    }
    shape_ = {outputs};
    is_affine_ = true;
  }

  std::mt19937_64 random_;
  Branches branches_;
  int operator_set_ = 9;
  OnnxBuilder builder_{{1}};
  std::string x_;           // the value so far
  Dims shape_;              // of it, without the batch axis
  bool is_affine_ = false;  // in the last linear layer's output
  std::int64_t other_channels_ = 0;
};

}  // namespace

onnx::ModelProto random_model(std::uint64_t seed, Branches branches) {
  return Generator(seed, branches).run();
}

std::vector<double> random_pixels(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> pixels(size);
  for (double& pixel : pixels) {
    pixel = static_cast<double>(random() >> 56) / 128 - 1;
  }
  return pixels;
}

}  // namespace ffconv::testing
