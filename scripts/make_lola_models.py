#!/usr/bin/env python3
"""Writes models/mnist-lola.onnx and models/mnist-lola-small.onnx from LoLa's published weights.

The weights are those of Microsoft's CryptoNets repository (MIT licence; LoLa, Brutzkus, Elisha and
Gilad-Bachrach, ICML 2019), as CSV files: the convolution has a row a map, 25 kernel values row-major
and then the bias; dense layers are input-major (`_w_845x100`) or output-major (`_w_10x100`).

With --mnist, the largest absolute value of every linear layer's output over the 60,000 training images,
times a margin of 1.25, goes into the metadata ("ffconv.ranges"), so that compiling needs no images; so
do root mean squares ("ffconv.rms"), by which precision is predicted.
The output is the same, byte for byte, on every run.

Needs python3 with numpy and onnx (1.12 or newer).
"""

import argparse
import gzip
import json
import pathlib

import numpy as np
from onnx import TensorProto, helper, numpy_helper

RANGE_MARGIN = 1.25
IR_VERSION = 7  # read by onnx 1.7 and newer
OPERATOR_SET = 13
INPUT_SCALE = 1 / 256


def read_csv(path):
    return np.loadtxt(path, delimiter=",", ndmin=2)


def read_weights(folder, prefix):
    """The network's weights: conv [5,1,5,5] with bias, and dense layers as ([out,in], bias)."""
    conv = read_csv(folder / f"{prefix}_conv1_w_5x26.csv")
    kernels, conv_bias = conv[:, :25].reshape(5, 1, 5, 5), conv[:, 25]
    if prefix == "lolasmall":
        dense = [(read_csv(folder / "lolasmall_dense2_w_10x845.csv"),
                  read_csv(folder / "lolasmall_dense2_b_10.csv")[0])]
    else:
        dense = [(read_csv(folder / "lola_dense2_w_845x100.csv").T,
                  read_csv(folder / "lola_dense2_b_100.csv")[0]),
                 (read_csv(folder / "lola_dense3_w_10x100.csv"),
                  read_csv(folder / "lola_dense3_b_10.csv")[0])]
    return [a.astype(np.float32) for a in (kernels, conv_bias)], \
           [(w.astype(np.float32), b.astype(np.float32)) for w, b in dense]


def layer_outputs(images, conv, dense):
    """Outputs of every linear layer before the squares, as {name: array}, in double precision."""
    kernels, bias = (a.astype(np.float64) for a in conv)
    x = np.pad(images.astype(np.float64) * INPUT_SCALE, ((0, 0), (0, 1), (0, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(1, 2))[:, ::2, ::2]
    y = np.einsum("nyxij,cij->ncyx", windows, kernels[:, 0], optimize=True)
    outputs = {"conv1": y + bias[None, :, None, None]}
    y = outputs["conv1"].reshape(len(images), -1)
    for k, (w, b) in enumerate(dense, start=1):
        y = (y * y) @ w.T.astype(np.float64) + b
        outputs[f"fc{k}"] = y
    return outputs


def four_digits(value):
    return float(f"{value:.4g}")


def ranges_metadata(images, conv, dense):
    """The margin applies to what the network computes, not to pixels; four digits are plenty."""
    largest, squares = {}, {}
    blocks = np.array_split(images, 60)
    for block in blocks:
        outputs = {"input": block.astype(np.float64), **layer_outputs(block, conv, dense)}
        for name, values in outputs.items():
            largest[name] = max(largest.get(name, 0.0), float(np.abs(values).max()))
            squares[name] = squares.get(name, 0.0) + float(np.square(values).mean()) / len(blocks)
    bounds = {name: value if name == "input" else four_digits(RANGE_MARGIN * value)
              for name, value in largest.items()}
    rms = {name: four_digits(value ** 0.5) for name, value in squares.items()}
    return {"ffconv.ranges": json.dumps(bounds), "ffconv.rms": json.dumps(rms)}


def build_model(name, conv, dense, metadata):
    initializers = [
        numpy_helper.from_array(np.array(INPUT_SCALE, np.float32), "input_scale"),
        numpy_helper.from_array(conv[0], "conv1_weight"),
        numpy_helper.from_array(conv[1], "conv1_bias"),
    ]
    nodes = [
        helper.make_node("Mul", ["image", "input_scale"], ["scaled"], "scale"),
        helper.make_node("Conv", ["scaled", "conv1_weight", "conv1_bias"], ["conv1_out"], "conv1",
                         kernel_shape=[5, 5], strides=[2, 2], pads=[0, 0, 1, 1]),
        helper.make_node("Mul", ["conv1_out", "conv1_out"], ["square1_out"], "square1"),
        helper.make_node("Flatten", ["square1_out"], ["flat"], "flatten", axis=1),
    ]
    value = "flat"
    for k, (w, b) in enumerate(dense, start=1):
        initializers += [numpy_helper.from_array(np.ascontiguousarray(w), f"fc{k}_weight"),
                         numpy_helper.from_array(b, f"fc{k}_bias")]
        last = k == len(dense)
        out = "scores" if last else f"fc{k}_out"
        nodes.append(helper.make_node("Gemm", [value, f"fc{k}_weight", f"fc{k}_bias"], [out],
                                      f"fc{k}", transB=1))
        if not last:
            value = f"square{k + 1}_out"
            nodes.append(helper.make_node("Mul", [out, out], [value], f"square{k + 1}"))
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 28, 28])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 10])], initializers)
    model = helper.make_model(graph, producer_name="ffconv",
                              opset_imports=[helper.make_opsetid("", OPERATOR_SET)])
    model.ir_version = IR_VERSION
    helper.set_model_props(model, metadata)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=pathlib.Path, help="folder of the published CSV files")
    parser.add_argument("--mnist", type=pathlib.Path,
                        help="folder of train-images-idx3-ubyte.gz, for the value ranges")
    parser.add_argument("--out", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent / "models")
    args = parser.parse_args()

    images = None
    if args.mnist:
        data = gzip.open(args.mnist / "train-images-idx3-ubyte.gz").read()
        images = np.frombuffer(data, np.uint8, offset=16).reshape(-1, 28, 28)
    for name, prefix in (("mnist-lola", "lola"), ("mnist-lola-small", "lolasmall")):
        conv, dense = read_weights(args.weights, prefix)
        metadata = {} if images is None else ranges_metadata(images, conv, dense)
        model = build_model(name, conv, dense, metadata)
        path = args.out / f"{name}.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        print(path, *metadata.items() or ["(no ranges)"])


if __name__ == "__main__":
    main()
