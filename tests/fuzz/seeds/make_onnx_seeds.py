#!/usr/bin/env python3
"""Writes seeds/onnx_fuzz/: small valid models that use every operator of the importer once or more.

Needs python3 with numpy and onnx (1.12 or newer). The output is the same on every run.
"""

import json
import pathlib

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).resolve().parent / "onnx_fuzz"


def write(name, input_dims, nodes, constants=(), metadata=None, operator_set=13):
    """A model whose last node gives the output; constants are {name: array}."""
    initializers = [numpy_helper.from_array(np.asarray(a), n) for n, a in dict(constants).items()]
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *input_dims])],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", operator_set)],
                              producer_name="")
    model.ir_version = 7
    helper.set_model_props(model, metadata or {})
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def ramp(*shape):
    return (np.arange(1, np.prod(shape) + 1, dtype=np.float32) / 8).reshape(shape)


def main():
    FOLDER.mkdir(exist_ok=True)
    node = helper.make_node
    write("lola", (1, 6, 6),
          [node("Mul", ["x", "s"], ["a"], "scale"),
           node("Conv", ["a", "w", "b"], ["c"], "conv", strides=[2, 2], pads=[0, 0, 1, 1]),
           node("Mul", ["c", "c"], ["d"], "square"),
           node("Flatten", ["d"], ["e"], "flat", axis=1),
           node("Gemm", ["e", "m", "n"], ["f"], "fc", transB=1, alpha=2.0, beta=0.5),
           node("Softmax", ["f"], ["y"], "softmax", axis=1)],
          {"s": np.float32(1 / 256), "w": ramp(2, 1, 3, 3), "b": ramp(2), "m": ramp(3, 18),
           "n": ramp(3)},
          {"ffconv.ranges": json.dumps({"input": 255, "conv": 9, "fc": 99}),
           "ffconv.class_names": json.dumps(["a", "b", "c"])})
    write("quadratic", (4,),
          [node("MatMul", ["x", "m"], ["a"]),
           node("Pow", ["a", "two"], ["b"]),
           node("Mul", ["b", "k"], ["c"]),
           node("Sub", ["c", "a"], ["d"]),
           node("Div", ["d", "two"], ["e"]),
           node("Add", ["k", "e"], ["y"])],
          {"m": ramp(4, 2), "two": np.float32(2), "k": np.array([3, -4], np.float64)})
    write("pad_groups", (2, 3, 3),
          [node("Identity", ["x"], ["i"]),
           node("Pad", ["i", "p", "z", "axes"], ["a"]),
           node("Conv", ["a", "w"], ["b"], group=2, dilations=[2, 1], auto_pad="SAME_UPPER"),
           node("Dropout", ["b"], ["c"]),
           node("Reshape", ["c", "shape"], ["y"])],
          {"p": np.array([1, 0, 0, 2], np.int64), "z": np.float32(0),
           "axes": np.array([2, -1], np.int64), "w": ramp(2, 1, 2, 2),
           "shape": np.array([0, -1], np.int64)}, operator_set=18)
    write("old_pad_constant", (1, 2, 2),
          [node("Constant", [], ["k"], value=numpy_helper.from_array(np.array([1, 2], np.int32))),
           node("Pad", ["x"], ["a"], pads=[0, 0, 0, 1, 0, 0, 1, 0]),
           node("Conv", ["a", "w"], ["b"], kernel_shape=[1, 1]),
           node("Mul", ["b", "k2"], ["y"])],
          {"w": ramp(1, 1, 1, 1), "k2": ramp(1, 3, 3)}, operator_set=10)
    write("unsupported", (1, 2, 2),
          [node("Relu", ["x"], ["a"]), node("MaxPool", ["a"], ["y"], kernel_shape=[2, 2])])


if __name__ == "__main__":
    main()
