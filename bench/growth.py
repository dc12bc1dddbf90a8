#!/usr/bin/env python3
"""A family of networks of growing width, depth and image size, measured beside what is predicted for them.

    bench/growth.py build/release/apps/ffconv/ffconv --cost cost.json -o docs/results/growth

SIZE x SIZE images of noise, DEPTH convolutions of 3 x 3 to WIDTH channels with squares between, the first of stride 2, and a
dense layer; random weights, each layer's outputs scaled to a root mean square of 1. Writes networks, images, the
rows of `ffconv bench` (resumable, as that is) and growth.png. Needs training/setup.sh's Python packages.
"""

import argparse
import json
import subprocess
from pathlib import Path

import matplotlib
import numpy
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

BASE = {"size": 32, "width": 16, "depth": 3}
GROWING = {"width": (4, 8, 16, 32, 64, 128), "depth": (1, 2, 3, 5, 7), "size": (16, 32, 64, 96)}
IMAGES, CLASSES, MARGIN = 8, 10, 1.25


def family():
    """Every network once: size, width, depth."""
    shapes = [BASE | {what: value} for what, values in GROWING.items() for value in values]
    return list({name(shape): shape for shape in shapes}.values())


def name(shape):
    return "size{size}-width{width}-depth{depth}".format(**shape)


def images(size):
    """uint8 [IMAGES, 3, size, size]: smooth noise."""
    generator = torch.Generator().manual_seed(size)
    coarse = torch.rand(IMAGES, 3, size // 4, size // 4, generator=generator)
    return (255 * F.interpolate(coarse, scale_factor=4, mode="bilinear")).to(torch.uint8)


def write_images(folder, pixels):
    folder.mkdir(parents=True, exist_ok=True)
    for k, image in enumerate(pixels):
        size = image.shape[-1]
        (folder / f"{k}.ppm").write_bytes(f"P6\n{size} {size}\n255\n".encode()
                                          + image.permute(1, 2, 0).contiguous().numpy().tobytes())
    entries = [{"file": f"{k}.ppm", "label": 0} for k in range(len(pixels))]
    (folder / "labels.json").write_text(json.dumps({"classes": [str(c) for c in range(CLASSES)], "images": entries}))


def network(shape, pixels):
    """An ONNX model with ranges seen on the images."""
    generator = torch.Generator().manual_seed(1)
    nodes, constants, bounds, rms = [], [], {"input": 255.0}, {"input": 255.0}

    def constant(label, tensor):
        constants.append(numpy_helper.from_array(tensor.numpy().astype(numpy.float32), label))
        return label

    value, x = "image", pixels.float()
    for layer in range(shape["depth"] + 1):
        label = f"conv{layer + 1}" if layer < shape["depth"] else "fc"
        if label == "fc":
            x = x.flatten(1)
            nodes.append(helper.make_node("Flatten", [value], ["flat"], axis=1))
            value = "flat"
            weights = torch.randn(CLASSES, x.shape[1], generator=generator)
            apply, options = F.linear, {}
        else:
            stride = 2 if layer == 0 else 1
            weights = torch.randn(shape["width"], x.shape[1], 3, 3, generator=generator)
            apply, options = F.conv2d, {"stride": stride, "padding": 1}
        weights /= apply(x, weights, **options).square().mean().sqrt()
        x = apply(x, weights, **options)
        bounds[label], rms[label] = MARGIN * x.abs().max().item(), x.square().mean().sqrt().item()
        if label == "fc":
            nodes.append(helper.make_node("Gemm", [value, constant("fc_w", weights)], ["scores"], "fc", transB=1))
        else:
            nodes.append(helper.make_node("Conv", [value, constant(label + "_w", weights)], [label], label,
                                          strides=[stride] * 2, pads=[1] * 4))
            nodes.append(helper.make_node("Mul", [label, label], [label + "_squared"]))
            value, x = label + "_squared", x.square()
    graph = helper.make_graph(
        nodes, name(shape), [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, *pixels.shape[1:]])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, CLASSES])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    helper.set_model_props(model, {"ffconv.ranges": json.dumps(bounds), "ffconv.rms": json.dumps(rms)})
    onnx.checker.check_model(model)
    return model


def measured(row):
    """(what, measured, predicted) of a row: ms on one thread, bytes of memory and of keys."""
    plan, deployed = row["plan"], row["deployed"]
    return (("latency, ms", row["runs"][0]["min_ms"], plan["predicted_ms"]),
            ("server's peak memory, GB", deployed["peak_bytes"] / 1e9, plan["memory_bytes"]["total"] / 1e9),
            ("evaluation keys, MB", deployed["key_bytes"] / 1e6, plan["key_bytes"] / 1e6))


def plot(rows, path):
    by_name = {row["network"]: measured(row) for row in rows if "runs" in row}
    figure, axes = pyplot.subplots(3, 3, figsize=(10, 8), sharey="row", sharex="col")
    for column, (what, values) in enumerate(GROWING.items()):
        found = [(value, by_name[name(BASE | {what: value})]) for value in values
                 if name(BASE | {what: value}) in by_name]
        for line in range(3):
            axis = axes[line][column]
            for k, (label, style) in enumerate((("measured", "o-"), ("predicted", "x--"))):
                axis.plot([value for value, _ in found], [row[line][1 + k] for _, row in found], style, label=label)
            axis.set_yscale("log")
            axis.set_xscale("log", base=2)
            axis.set_xticks([value for value, _ in found], [str(value) for value, _ in found])
            axis.minorticks_off()
            if column == 0:
                axis.set_ylabel(found[0][1][line][0], fontsize="small")
        axes[-1][column].set_xlabel(what)
    axes[0][0].legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ffconv", type=Path, help="the program")
    parser.add_argument("--cost", help="costs of this machine, from `ffconv doctor -o`")
    parser.add_argument("--work", type=Path, default=Path("build/growth"), help="folder for networks and images")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for rows and plot")
    args = parser.parse_args()
    for shape in family():
        folder = args.work / "images{size}".format(**shape)
        pixels = images(shape["size"])
        write_images(folder, pixels)
        path = args.work / f"{name(shape)}.onnx"
        model = network(shape, pixels).SerializeToString(deterministic=True)
        if not path.exists() or path.read_bytes() != model:
            path.write_bytes(model)
        command = [args.ffconv, "bench", path, "--packings", "auto", "--bandwidth", "inf", "--thread-counts", "1",
                   "--images", str(IMAGES), "--data", folder, "-o", args.output]
        subprocess.run(command + (["--cost", args.cost] if args.cost else []), check=True, stdout=subprocess.DEVNULL)
    plot(json.loads((args.output / "results.json").read_text())["rows"], args.output / "growth.png")


if __name__ == "__main__":
    main()
