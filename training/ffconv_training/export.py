"""From a trained network to an ONNX file of Mul, Add, Conv, Flatten and Gemm.

Batch normalization folds into the convolutions, and an activation a z^2 + b z + c = a (z + h)^2 + c', h = b / (2 a),
becomes a plain product: h joins the bias in front, a the weights behind, and c' the bias behind too, except in front of
a padded convolution, whose zeros it would change: there it is added after the square, divided by a.
"""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 7  # read by onnx 1.7 and newer
OPERATOR_SET = 13
CALIBRATION_IMAGES = 1000
RANGES_KEY = "ffconv.ranges"
RMS_KEY = "ffconv.rms"
CLASS_NAMES_KEY = "ffconv.class_names"


class _Graph:
    """Collects nodes and weights."""

    def __init__(self, half_precision):
        self.nodes, self.initializers = [], []
        self.half_precision = half_precision

    def constant(self, name, array, half=False):
        array = np.ascontiguousarray(array, np.float32)
        if half and self.half_precision:
            self.initializers.append(numpy_helper.from_array(array.astype(np.float16), f"{name}_half"))
            self.nodes.append(helper.make_node("Cast", [f"{name}_half"], [name], f"{name}_cast", to=TensorProto.FLOAT))
        else:
            self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def node(self, operator, inputs, name, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [f"{name}_out"], name, **attributes))
        return f"{name}_out"

    def linear(self, layer, value, name, weight, bias, first):
        """A convolution or dense layer; `first` is false for the 1 x 1 part of a factorized one."""
        inputs = [value, self.constant(f"{name}_weight", weight, half=True)]
        if bias is not None:
            inputs.append(self.constant(f"{name}_bias", bias))
        if layer.dense is not None:
            return self.node("Gemm", inputs, name, transB=1)
        kernel, stride, pads = (layer.kernel, layer.stride, layer.pads) if first else (1, 1, [0] * 4)
        return self.node("Conv", inputs, name, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads)


def _rows(factors, weight):
    """weight with row o times factors[o]."""
    return weight * factors.reshape(-1, *[1] * (weight.ndim - 1))


def _columns(factors, weight):
    """weight with input channel i times factors[i]; a dense layer's inputs may be channels x positions."""
    if weight.ndim == 2:
        factors = np.repeat(factors, weight.shape[1] // len(factors))
        return weight * factors
    return weight * factors.reshape(1, -1, 1, 1)


def _input_constant(constants, weight):
    """What constant input channels add to the layer's (unpadded) output."""
    return _columns(constants, weight).reshape(len(weight), -1).sum(1)


def _spreads(linear, x):
    """The standard deviation of each of a factorized layer's inner channels, by which they are made alike."""
    inner = linear.first(x).transpose(0, 1).flatten(1)
    return inner.std(1).clamp(min=1e-6).double().numpy()


@torch.no_grad()
def export(network, name, calibration, metadata=None):
    """The ONNX model. calibration: uint8 images that the inner channels of factorized layers are scaled by."""
    graph = _Graph(network.config.half_precision)
    scale, shift = (t.double().numpy().reshape(-1, 1, 1) for t in (network.pixel_scale, network.pixel_shift))
    value = graph.node("Mul", ["image", graph.constant("pixel_scale", scale)], "scale")
    value = graph.node("Add", [value, graph.constant("pixel_shift", shift)], "shift")
    x = network.scaled(calibration[:CALIBRATION_IMAGES].float())
    factors, constants = np.ones(len(scale)), np.zeros(len(scale))  # the input is factors * value + constants
    flat = False
    for k, linear in enumerate(network.linears):
        layer = linear.layer
        first = linear.kernel().double().numpy()
        bias = np.zeros(layer.outputs) if linear.bias is None else linear.bias.double().numpy()
        if layer.dense is not None and not flat:
            value, flat = graph.node("Flatten", [value], "flatten", axis=1), True
        if layer.conv is not None and any(layer.pads) and constants.any():
            offset = graph.constant(f"offset{k}_constant", (constants / factors)[:, None, None])
            value = graph.node("Add", [value, offset], f"offset{k}")
            constants = np.zeros_like(constants)
        inner_bias = _input_constant(constants, first)
        first = _columns(factors, first)
        if k < len(network.activations):
            mean, rstd, a, b, c = (t.double().numpy() for t in network.activations[k].folded())
            centre = b / (2 * a)
        else:
            mean, rstd, centre = np.zeros(layer.outputs), np.ones(layer.outputs), np.zeros(layer.outputs)
        if layer.rank:
            u, spreads = linear.u.double().numpy(), _spreads(linear, x)
            value = graph.linear(layer, value, f"{linear.name}_v", _rows(1 / spreads, first), None, True)
            bias = bias + u @ inner_bias
            weight = _rows(rstd, u * spreads)
            weight = weight if layer.dense is not None else weight[:, :, None, None]
            value = graph.linear(layer, value, f"{linear.name}_u", weight, (bias - mean) * rstd + centre, False)
        else:
            bias = (bias + inner_bias - mean) * rstd + centre
            value = graph.linear(layer, value, linear.name, _rows(rstd, first), bias, True)
        if k < len(network.activations):
            value = graph.node("Mul", [value, value], f"square{k + 1}")
            factors, constants = a, c - b * b / (4 * a)
            x = network.activations[k].evaluate(linear(x))[0]
    graph.nodes[-1].output[0] = "scores"
    return _model(graph, name, network.shape, layer.outputs, metadata or {})


def _model(graph, name, shape, classes, metadata):
    onnx_graph = helper.make_graph(
        graph.nodes, name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", *shape])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", classes])], graph.initializers)
    model = helper.make_model(onnx_graph, producer_name="ffconv",
                              opset_imports=[helper.make_opsetid("", OPERATOR_SET)])
    model.ir_version = IR_VERSION
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    return model
