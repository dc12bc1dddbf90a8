"""The configurations in training/configs are the networks they are said to be."""

import json
import re
from pathlib import Path

import pytest
import torch

from ffconv_training import config as configs, network as networks
from ffconv_training.data import Images
from ffconv_training.export import export
from ffconv_training.onnx_run import OnnxNetwork

FOLDER = Path(__file__).resolve().parent.parent
SHAPES = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32)}


def work(name):
    """HMA and MAC of the exported network."""
    config = configs.read(FOLDER / "configs" / f"{name}.json")
    shape = SHAPES[config.dataset]
    pixels = torch.randint(0, 256, (20, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    network = networks.build(config, Images(pixels, torch.zeros(20)), torch.arange(20)).eval()
    counts = OnnxNetwork(export(network, name, pixels)).work(shape).values()
    return {"hma": sum(hma for _, hma, _ in counts), "mac": sum(mac for *_, mac in counts)}


# Millions of multiply-accumulates, as published or designed.
@pytest.mark.parametrize("name, millions", [("mnist-lola", 0.107), ("cifar-lola", 48.7), ("cifar-vgg-s", 17.4),
                                            ("cifar-vgg", 67.8), ("cifar-fast", 11.2)])
def test_networks_have_their_size(name, millions):
    assert work(name)["mac"] / 1e6 == pytest.approx(millions, rel=0.01)


@pytest.mark.parametrize("name, part", [("half", 1 / 2), ("quarter", 1 / 4)])
def test_factorized_networks_keep_their_part_of_the_work(name, part):
    whole, factorized = work("cifar-lola"), work(f"cifar-ffconv-{name}")
    assert 0.95 * part < factorized["hma"] / whole["hma"] <= part
    assert factorized["mac"] / whole["mac"] <= part


@pytest.mark.parametrize("path", sorted((FOLDER / "configs").glob("*.json")), ids=lambda path: path.stem)
def test_every_configuration_is_valid_and_named_like_its_file(path):
    config = configs.read(path)
    assert config.name == path.stem
    for other in (config.start_from, config.distillation and config.distillation.teacher):
        assert other is None or (FOLDER / "configs" / f"{other}.json").is_file()


def test_the_tutorials_configuration_is_valid():
    blocks = re.findall(r"```json\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        configs.parse(json.loads(block))
