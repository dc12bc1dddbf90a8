"""A network of one convolution and one dense layer, as an ONNX file and as plain Python.

The file is encoded here, field by field, so that tests need no ONNX package. Field numbers: onnx.proto3
of ONNX 1.12.
"""

import json
import random
import struct

SIZE = 8  # images are 1 x 8 x 8
KERNEL, STRIDE, MAPS, CLASSES = 3, 2, 2, 3
OUT = (SIZE - KERNEL) // STRIDE + 1
INPUT_SCALE = 1 / 256
FLOAT = 1  # TensorProto.DataType
MODEL_NAME = "tiny"


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def blob(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def tensor(name, dims, values):
    return (b"".join(number(1, d) for d in dims) + number(2, FLOAT) + blob(8, name)
            + blob(9, struct.pack(f"<{len(values)}f", *values)))


def attribute(name, values):
    ints = b"".join(number(8, v) for v in values)
    kind_int, kind_ints = 2, 7
    if isinstance(values, tuple):
        return blob(1, name) + number(3, values[0]) + number(20, kind_int)
    return blob(1, name) + ints + number(20, kind_ints)


def node(op, inputs, output, **attributes):
    """Attributes: a list is INTS, a tuple of one an INT."""
    return (b"".join(blob(1, i) for i in inputs) + blob(2, output) + blob(3, output + "_node")
            + blob(4, op) + b"".join(blob(5, attribute(k, v)) for k, v in attributes.items()))


def value_info(name, dims):
    shape = b"".join(blob(1, number(1, d)) for d in dims)
    return blob(1, name) + blob(2, blob(1, number(1, FLOAT) + blob(2, shape)))


def model_bytes(nodes, initializers, inputs, outputs, metadata=None):
    graph = (b"".join(blob(1, n) for n in nodes) + blob(2, MODEL_NAME)
             + b"".join(blob(5, t) for t in initializers)
             + b"".join(blob(11, i) for i in inputs) + b"".join(blob(12, o) for o in outputs))
    props = b"".join(blob(14, blob(1, k) + blob(2, v)) for k, v in (metadata or {}).items())
    return number(1, 7) + blob(7, graph) + blob(8, number(2, 13)) + props


class TinyNetwork:
    """Weights follow from the seed; all are float32 values."""

    def __init__(self, seed=1):
        rng = random.Random(seed)

        def draw(count):
            return [struct.unpack("<f", struct.pack("<f", rng.uniform(-1, 1)))[0]
                    for _ in range(count)]

        self.kernels = draw(MAPS * KERNEL * KERNEL)
        self.kernel_bias = draw(MAPS)
        self.weights = draw(CLASSES * MAPS * OUT * OUT)
        self.bias = draw(CLASSES)

    def onnx(self, ranges=True, activation="square"):
        """`ranges`: with bounds that hold for every image. `activation`: "square", or "relu" for
        nodes that FFConv cannot run."""
        initializers = [
            tensor("scale", [1], [INPUT_SCALE]),
            tensor("kernels", [MAPS, 1, KERNEL, KERNEL], self.kernels),
            tensor("kernel_bias", [MAPS], self.kernel_bias),
            tensor("weights", [CLASSES, MAPS * OUT * OUT], self.weights),
            tensor("bias", [CLASSES], self.bias),
        ]
        nodes = [
            node("Mul", ["image", "scale"], "scaled"),
            node("Conv", ["scaled", "kernels", "kernel_bias"], "conv", kernel_shape=[KERNEL, KERNEL],
                 strides=[STRIDE, STRIDE]),
        ]
        if activation == "square":
            nodes.append(node("Mul", ["conv", "conv"], "active"))
        else:
            nodes += [node("Relu", ["conv"], "rectified"),
                      node("MaxPool", ["rectified"], "active", kernel_shape=[1, 1])]
        nodes += [node("Flatten", ["active"], "flat", axis=(1,)),
                  node("Gemm", ["flat", "weights", "bias"], "scores", transB=(1,))]
        metadata = {"ffconv.ranges": json.dumps(self.bounds())} if ranges else {}
        metadata["ffconv.class_names"] = json.dumps(["ant", "bee", "cat"])
        return model_bytes(nodes, initializers, [value_info("image", [1, 1, SIZE, SIZE])],
                           [value_info("scores", [1, CLASSES])], metadata)

    def bounds(self):
        taps = KERNEL * KERNEL
        conv = max(abs(b) + sum(map(abs, self.kernels[m * taps:(m + 1) * taps]))
                   for m, b in enumerate(self.kernel_bias))
        row = MAPS * OUT * OUT
        scores = max(abs(b) + conv * conv * sum(map(abs, self.weights[k * row:(k + 1) * row]))
                     for k, b in enumerate(self.bias))
        return {"input": 255, "conv": conv, "scores": scores}

    def scores(self, pixels):
        """Of one image, 64 pixels from 0 to 255."""
        active = []
        for m in range(MAPS):
            for y in range(OUT):
                for x in range(OUT):
                    total = self.kernel_bias[m]
                    for i in range(KERNEL):
                        for j in range(KERNEL):
                            pixel = pixels[(y * STRIDE + i) * SIZE + x * STRIDE + j] * INPUT_SCALE
                            total += pixel * self.kernels[(m * KERNEL + i) * KERNEL + j]
                    active.append(total * total)
        row = len(active)
        return [b + sum(w * a for w, a in zip(self.weights[k * row:(k + 1) * row], active))
                for k, b in enumerate(self.bias)]


def random_pixels(seed):
    rng = random.Random(seed)
    return [rng.randrange(256) for _ in range(SIZE * SIZE)]


def pgm(pixels, width=SIZE):
    return f"P5 {width} {len(pixels) // width} 255\n".encode() + bytes(pixels)
