#!/usr/bin/env python3
"""Orion's side of the comparison (run.py).

    orion_peer.py NETWORK

NETWORK is one of its own examples, `lola` (MNIST) or `resnet20` (CIFAR-10), with random weights as there, or a network
of models/, rebuilt from the ONNX file: convolutions, squares and dense layers with the trained weights. An offset
between a square and the next convolution goes into that convolution's bias, which is exact except at padded borders.
Scaling of pixels, and padding that differs from side to side, is left to the client. Diagonals are encoded
beforehand, when Orion compiles the network.
"""

import sys
from pathlib import Path

import onnx
import orion
import orion.models
import orion.nn as on
import torch

import peer

MODELS = Path(__file__).resolve().parents[2] / "models"
DATA = {"mnist": "mnist", "cifar": "cifar10"}  # by how a network's name begins
RINGS = {"ConjugateInvariant": "real slots", "standard": "complex slots"}

# Its files configs/lola.yml and configs/resnet.yml.
LOLA = {"LogN": 13, "LogQ": [29] + 5 * [26], "LogP": [29, 29], "LogScale": 26, "H": 2**13,
        "RingType": "ConjugateInvariant"}
RESNET = {"LogN": 16, "LogQ": [55] + 10 * [40], "LogP": [61, 61, 61], "LogScale": 40, "H": 2**14,
          "RingType": "standard"}
BOOTSTRAPPING = {"LogP": 8 * [61]}
LIMIT_14 = 430  # of log2 QP at N = 2^14, docs/security.md


def parameters_for(levels):
    """Its examples with real slots have seven levels at most. Networks deeper than lola.yml get as many of its primes
    in the next ring, which is faster than the 35-bit primes of its LeNet; a special prime for every three, as there, or
    as many as 128 bits allow; and a secret with as many coefficients that are not zero as a uniform ternary one."""
    if levels < len(LOLA["LogQ"]):
        return LOLA
    log_q = [29] + levels * [26]
    special = min(len(log_q) // 3, (LIMIT_14 - sum(log_q)) // 29)
    return {**LOLA, "LogN": 14, "LogQ": log_q, "LogP": special * [29], "H": 2 * 2**14 // 3}


def secret(parameters):
    n, h = 2 ** parameters["LogN"], parameters["H"]
    return {n: "1 or -1", 2 * n // 3: "ternary, two thirds not zero"}.get(h, f"ternary, {h} not zero")


class Chain(on.Module):
    """Layers one after the other."""

    def __init__(self, layers):
        super().__init__()
        self.layers = torch.nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)


def with_weights(layer, weight, bias):
    layer.weight.data, layer.bias.data = weight, bias
    return layer


def convolution(weight, bias, stride, padding):
    outputs, inputs, *kernel = weight.shape
    return with_weights(on.Conv2d(inputs, outputs, tuple(kernel), stride, padding), weight, bias)


def dense(weight, bias):
    outputs, inputs = weight.shape
    return with_weights(on.Linear(inputs, outputs), weight, bias)


def from_onnx(path):
    """Layers, and what the client does to an image before."""
    graph = onnx.load(path).graph
    constants = {tensor.name: torch.tensor(onnx.numpy_helper.to_array(tensor)) for tensor in graph.initializer}
    layers, steps, offset = [], [], None
    for node in graph.node:
        attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        parameters = [constants[name] for name in node.input if name in constants]
        top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
        even = top == left == bottom == right
        match node.op_type:
            case "Conv" if even or not layers:
                weight, bias = parameters
                if offset is not None:
                    bias, offset = bias + torch.einsum("oihw,i->o", weight, offset.flatten()), None
                if not even:
                    steps.append(lambda x, sides=(left, right, top, bottom): torch.nn.functional.pad(x, sides))
                layers.append(convolution(weight, bias, attributes["strides"][0], top if even else 0))
            case "Gemm" if offset is None:
                layers.append(dense(*parameters))
            case "Flatten":
                layers.append(on.Flatten())
            case "Mul" if not parameters:
                layers.append(on.Quad())
            case "Mul" if not layers:
                steps.append(lambda x, factor=parameters[0]: x * factor)
            case "Add" if not layers:
                steps.append(lambda x, shift=parameters[0]: x + shift)
            case "Add" if parameters:
                offset = parameters[0]
            case _:
                raise NotImplementedError(f"{node.op_type} {node.name}")
    return layers, steps


def drop_encoded_diagonals(evaluator):
    """Orion would keep every layer's diagonals as lists of Python numbers too, gigabytes of them."""
    encode = evaluator.generate_transforms

    def encode_and_drop(layer):
        identifiers = encode(layer)
        layer.diagonals = {}
        return identifiers

    evaluator.generate_transforms = encode_and_drop


class Network:
    def __init__(self, net, data, description, parameters, steps):
        self.net, self.data, self.steps = net, data, steps
        self.description = {
            "network": description, "log_n": parameters["LogN"],
            "log_qp": sum(parameters["LogQ"] + parameters["LogP"]), "ring": RINGS[parameters["RingType"]],
            "secret": secret(parameters),
        }
        scheme = orion.init_scheme({"ckks_params": parameters, "boot_params": BOOTSTRAPPING,
                                    "orion": {"debug": False}})
        drop_encoded_diagonals(scheme.lt_evaluator)
        net.eval()
        orion.fit(net, self.pixels(peer.images(data)[0]))
        self.level = orion.compile(net)

    def pixels(self, image):
        x = torch.tensor(image)[None]
        for step in self.steps:
            x = step(x)
        return x

    def encrypt(self, image):
        return orion.encrypt(orion.encode(self.pixels(image), self.level))

    def evaluate(self, image):
        self.net.he()
        return self.net(image)

    def decrypt(self, scores):
        return scores.decrypt().decode()[0].tolist()

    def clear(self, image):
        self.net.eval()
        with torch.no_grad():
            return self.net(self.pixels(image))[0].tolist()


def make(name):
    torch.manual_seed(42)
    if name == "lola":
        return Network(orion.models.LoLA(), "mnist", "its example LoLA (convolution 5 maps 2 x 2 stride 2, square,"
                       " dense 100, square, dense 10), random weights", LOLA,
                       [lambda x: (x / 255 - 0.1307) / 0.3081])
    if name == "resnet20":
        return Network(orion.models.ResNet20(), "cifar10", "its example ResNet20, random weights", RESNET,
                       [lambda x: x / 255 - 0.5])
    layers, steps = from_onnx(MODELS / f"{name}.onnx")
    return Network(Chain(layers), DATA[name.partition("-")[0]], f"{name}, trained weights",
                   parameters_for(sum(layer.depth for layer in layers)), steps)


if __name__ == "__main__":
    peer.serve(lambda: make(sys.argv[1]))
