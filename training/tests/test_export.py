import json

import onnx
import pytest
import torch

from ffconv_training import config as configs, network as networks
from ffconv_training.data import Images
from ffconv_training.export import RANGES_KEY, export
from ffconv_training.onnx_run import OnnxNetwork
from ffconv_training.trainer import evaluate

LAYERS = {
    "dense after an unpadded convolution": [{"conv": 5, "kernel": 5, "stride": 2, "padding": [0, 0, 1, 1]},
                                            {"dense": 20}, {"dense": 10}],
    "padded convolutions": [{"conv": 6, "padding": 1}, {"conv": 8, "stride": 2, "padding": 1}, {"dense": 10}],
    "unpadded convolutions": [{"conv": 6, "kernel": 4}, {"conv": 8, "kernel": 2, "stride": 2}, {"dense": 10}],
    "factorized": [{"conv": 6, "padding": 1, "rank": 4}, {"conv": 8, "stride": 2, "padding": 1, "rank": 3},
                   {"dense": 12, "rank": 5}, {"dense": 10, "rank": 2, "input_scale": 0.5}],
}


def random_network(layers, **changes):
    """A network with random weights, activations and statistics of random images."""
    torch.manual_seed(1)
    config = configs.parse({"name": "random", "dataset": "mnist", "layers": layers, "whitening": 0.1, **changes})
    pixels = torch.randint(0, 256, (60, 2, 16, 16), dtype=torch.uint8)
    network = networks.build(config, Images(pixels, torch.zeros(60)), torch.arange(60))
    with torch.no_grad():
        network.linears[-1].bias.normal_()
        for activation in network.activations:
            for coefficient in (activation.c1, activation.c2):
                coefficient.add_(0.3 * torch.randn_like(coefficient))
    network.project()
    network.train()
    network.reestimate([pixels.float()])
    return network.eval(), pixels


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS.keys())
def test_the_file_computes_what_the_network_does(layers):
    network, pixels = random_network(layers)
    model = onnx.load_from_string(export(network, "random", pixels).SerializeToString())
    assert {node.op_type for node in model.graph.node} <= {"Mul", "Add", "Conv", "Flatten", "Gemm"}
    scores = OnnxNetwork(model).run(pixels)[0]
    expected, _ = evaluate(network, pixels)
    assert (scores - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_without_padding_between_them_layers_are_linear_and_square_alone():
    network, pixels = random_network(LAYERS["dense after an unpadded convolution"])
    operators = [node.op_type for node in export(network, "random", pixels).graph.node]
    assert operators == ["Mul", "Add", "Conv", "Mul", "Flatten", "Gemm", "Mul", "Gemm"]


def test_half_precision_halves_the_file_and_keeps_three_digits():
    layers = LAYERS["factorized"]
    network, pixels = random_network(layers, half_precision=True)
    model = export(network, "random", pixels)
    full = export(random_network(layers)[0], "random", pixels)
    scores, expected = OnnxNetwork(model).run(pixels)[0], OnnxNetwork(full).run(pixels)[0]
    assert (scores - expected).abs().max() <= 5e-3 * expected.abs().max()
    weights = sum(t.raw_data.__len__() for t in full.graph.initializer if t.name.endswith("_weight"))
    halves = sum(t.raw_data.__len__() for t in model.graph.initializer if t.name.endswith("_weight_half"))
    assert 2 * halves == weights


def test_ranges_and_counts_go_by_the_names_of_the_linear_nodes():
    network, pixels = random_network(LAYERS["factorized"])
    model = export(network, "random", pixels, {RANGES_KEY: json.dumps({"input": 255})})
    assert model.metadata_props[0].key == RANGES_KEY
    runner = OnnxNetwork(model)
    _, largest, rms = runner.run(pixels)
    assert list(rms) == list(largest) and all(0 < value < largest[name] for name, value in rms.items())
    counts = runner.work((2, 16, 16))
    assert list(largest) == list(counts) == ["conv1_v", "conv1_u", "conv2_v", "conv2_u", "fc1_v", "fc1_u", "fc2_v",
                                             "fc2_u"]
    assert counts["conv2_v"] == ((3, 8, 8), 3 * 6 * 9, 64 * 3 * 6 * 9) and counts["fc1_u"] == ((12,), 5 * 12, 5 * 12)
