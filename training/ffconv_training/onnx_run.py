"""Runs an exported ONNX file: the check of the exporter, and where the ranges in the file are measured."""

import math

import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

BATCH = 250


def _conv(x, weight, bias=None, *, pads, strides, kernel_shape):
    top, left, bottom, right = pads
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, strides)


OPERATORS = {
    "Add": lambda x, y: x + y,
    "Cast": lambda x, to: x.float(),
    "Conv": _conv,
    "Flatten": lambda x, axis: x.flatten(axis),
    "Gemm": lambda x, weight, bias=None, *, transB: F.linear(x, weight, bias),
    "Mul": lambda x, y: x * y,
}
LINEAR = ("Conv", "Gemm")


class OnnxNetwork:
    """An ONNX model of the operators above; activations are float32."""

    def __init__(self, model):
        self.graph = model.graph
        self.constants = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in model.graph.initializer}

    @torch.no_grad()
    def run(self, pixels):
        """(scores, largest, rms) of uint8 or float images: the largest |output| and the root mean square of every
        linear layer's outputs, by its node's name."""
        scores, largest, squares = [], {}, {}
        for batch in pixels.split(BATCH):
            values = dict(self.constants, image=batch.float())
            for node in self.graph.node:
                attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
                out = OPERATORS[node.op_type](*(values[name] for name in node.input), **attributes)
                values[node.output[0]] = out
                if node.op_type in LINEAR:
                    largest[node.name] = max(largest.get(node.name, 0.0), out.abs().max().item())
                    squares[node.name] = squares.get(node.name, 0.0) + out.square().sum().item() / out[0].numel()
            scores.append(values[self.graph.output[0].name])
        return torch.cat(scores), largest, {name: math.sqrt(sum_ / len(pixels)) for name, sum_ in squares.items()}

    def work(self, shape):
        """By linear node: output shape, HMA (one a weight) and multiply-accumulates for one image, padding included."""
        values, counts = dict(self.constants, image=torch.zeros(1, *shape)), {}
        for node in self.graph.node:
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            out = OPERATORS[node.op_type](*(values[name] for name in node.input), **attributes)
            values[node.output[0]] = out
            if node.op_type in LINEAR:
                positions = out[0, 0].numel() if node.op_type == "Conv" else 1
                weights = values[node.input[1]].numel()
                counts[node.name] = (tuple(out.shape[1:]), weights, positions * weights)
        return counts
