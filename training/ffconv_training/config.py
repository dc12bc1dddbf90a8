"""Configuration files: JSON, one a network. Every key is a field below; unknown ones are errors."""

import dataclasses
import json
from pathlib import Path
from typing import Optional

from . import augment


class ConfigError(Exception):
    """A configuration file that is not as described here."""


@dataclasses.dataclass
class Layer:
    """One linear layer; an activation follows all but the last. Exactly one of conv and dense is set."""
    conv: Optional[int] = None     # output channels
    dense: Optional[int] = None    # output features
    kernel: int = 3
    stride: int = 1
    padding: object = 0            # one number, or [top, left, bottom, right]
    pool: int = 1                  # maximum over pool x pool after the convolution: teachers only
    rank: Optional[int] = None     # factorized: a convolution (or matrix) to rank channels, then a 1 x 1
    input_scale: float = 1.0       # the input is multiplied by it, which slows the layer down in training

    @property
    def outputs(self):
        return self.conv if self.conv is not None else self.dense

    @property
    def pads(self):
        """top, left, bottom, right"""
        return list(self.padding) if isinstance(self.padding, list) else [self.padding] * 4


@dataclasses.dataclass
class Training:
    epochs: int = 60
    batch: int = 128
    rate: float = 0.1              # of Nesterov SGD at its peak
    momentum: float = 0.9
    warm_up: float = 0.2           # part of the steps that the rate rises; then it falls linearly to 0
    weight_decay: float = 5e-4     # on weights, not on biases and activations
    clip: float = 5.0              # largest norm of the gradient
    label_smoothing: float = 0.1
    average: float = 0.999         # of the weights that are evaluated and exported: decay a step
    cutout: int = 0                # side of the square, 0: none
    validation: int = 5000         # images of the training set that are kept apart
    evaluate_every: int = 5        # epochs
    seed: int = 1
    # How values are held (activation.py).
    bound: float = 4.0
    penalty: float = 0.03          # of the excess squares, halved, an image
    score_bound: float = 12.0
    guards: int = 8                # images of extremes.py a step, half of them the worst known
    guard_pool: int = 256          # of which the worst sixteenth is known
    guard_period: int = 20         # steps until the pool is renewed
    guard_bound: float = 10.0
    guard_clip: float = 0.5        # largest norm of the gradient of the guards' excess squares
    # After the epochs above, layer after layer is changed to hold extremes (settle.py) and fixed.
    settle_bound: object = 8.0     # |z| of extremes in the finished network, or a list, one a layer; 0: none of this
    settle_epochs: int = 1         # of the layers behind, after each; the rate rises anew and falls to 0
    settle_rate: float = 0.001     # at its peak

    def settle_bound_of(self, layer):
        """Of the activation after a layer, counted from 0."""
        return self.settle_bound[layer] if isinstance(self.settle_bound, list) else self.settle_bound


@dataclasses.dataclass
class Distillation:
    """The student learns from the scores that a trained teacher gives to the same views."""
    teacher: str                   # a finished run beside this one
    views: int = 16                # stored views of every image
    share: float = 0.8             # of the teacher in the loss; the labels have the rest
    temperature: float = 2.0


@dataclasses.dataclass
class Config:
    name: str
    dataset: str                   # mnist, cifar10, or one's own (data.py)
    layers: list
    title: str = ""                # for the model card
    activation: str = "quadratic"  # or relu
    whitening: float = 0.0         # share of the mean eigenvalue added to all; 0: no whitening
    whitening_least: float = 0.0   # components below this share of the mean eigenvalue are left out
    augmentation: str = "crop-flip"  # or affine (augment.py)
    training: Training = dataclasses.field(default_factory=Training)
    distillation: Optional[Distillation] = None
    start_from: Optional[str] = None  # a finished run beside this one, whose layers are factorized
    start_by: str = "responses"    # or weights (factorize.py)
    export: bool = True            # write an ONNX file and a card
    model: str = ""                # name of these files, where it is not `name`
    half_precision: bool = False   # weights stored as float16, with a Cast each


def _build(kind, values, where):
    fields = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(set(values) - fields)
    if unknown:
        raise ConfigError(f"{where}: unknown {', '.join(unknown)}; known: {', '.join(sorted(fields))}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"{where}: {error}") from error


def parse(values, where="configuration"):
    """A Config from the JSON object `values`. Raises ConfigError."""
    missing = [name for name in ("name", "dataset", "layers") if name not in values]
    if missing:
        raise ConfigError(f"{where}: {', '.join(missing)}: missing")
    config = _build(Config, values, where)
    config.model = config.model or config.name
    config.layers = [_build(Layer, layer, f"{where}: layer {k}") for k, layer in enumerate(config.layers, start=1)]
    config.training = _build(Training, values.get("training") or {}, f"{where}: training")
    if config.distillation is not None:
        config.distillation = _build(Distillation, values["distillation"], f"{where}: distillation")
    for k, layer in enumerate(config.layers, start=1):
        if (layer.conv is None) == (layer.dense is None):
            raise ConfigError(f"{where}: layer {k}: expected one of conv and dense")
    if config.activation not in ("quadratic", "relu"):
        raise ConfigError(f"{where}: activation: expected quadratic or relu, got {config.activation}")
    if config.start_by not in ("responses", "weights"):
        raise ConfigError(f"{where}: start_by: expected responses or weights, got {config.start_by}")
    bounds, activations = config.training.settle_bound, len(config.layers) - 1
    if isinstance(bounds, list) and len(bounds) != activations:
        raise ConfigError(f"{where}: settle_bound: expected {activations} values, one an activation, got {len(bounds)}")
    if config.training.settle_epochs < 1:
        raise ConfigError(f"{where}: settle_epochs: expected at least 1, got {config.training.settle_epochs}")
    if config.augmentation not in augment.AUGMENTATIONS:
        raise ConfigError(f"{where}: augmentation: expected {' or '.join(augment.AUGMENTATIONS)}, got "
                          f"{config.augmentation}")
    if config.export and (config.activation == "relu" or any(layer.pool > 1 for layer in config.layers)):
        raise ConfigError(f"{where}: ReLU and maxima cannot run encrypted; set export to false for a teacher")
    return config


def read(path):
    path = Path(path)
    try:
        values = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return parse(values, path.name)
