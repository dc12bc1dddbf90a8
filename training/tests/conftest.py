"""Makes the package importable, and data sets that a network of a few weights learns in seconds."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ffconv_training import config as configs  # noqa: E402
from ffconv_training.data import Dataset, Images  # noqa: E402

torch.set_num_threads(1)


def stripes(count, shape, seed):
    """Images whose class is the direction of noisy stripes: 0 along rows, 1 along columns, 2 none."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 3, (count,), generator=generator)
    rows = (torch.arange(shape[1]) // 2 % 2).float()[:, None].expand(shape[1:])
    columns = (torch.arange(shape[2]) // 2 % 2).float()[None, :].expand(shape[1:])
    patterns = torch.stack([rows, columns, torch.full(shape[1:], 0.5)])
    noise = torch.rand(count, *shape, generator=generator)
    pixels = 255 * (0.6 * patterns[labels][:, None] + 0.4 * noise)
    return Images(pixels.to(torch.uint8), labels)


@pytest.fixture
def dataset():
    shape = (2, 12, 12)
    return Dataset("stripes", stripes(400, shape, 1), stripes(100, shape, 2), ["rows", "columns", "none"])


@pytest.fixture
def make_config():
    """A small configuration; keywords replace keys, those of `training` one by one."""
    def make(training=None, **changes):
        values = {
            "name": "small", "dataset": "stripes", "title": "A small network",
            "layers": [{"conv": 6, "stride": 2, "padding": 1}, {"dense": 12}, {"dense": 3}],
            "augmentation": "crop-flip",
            "training": {"epochs": 4, "batch": 20, "validation": 80, "evaluate_every": 2, "average": 0.9,
                         **(training or {})},
        }
        return configs.parse({**values, **changes})
    return make
