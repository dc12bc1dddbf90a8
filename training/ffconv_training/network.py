"""Networks as chains of linear layers and activations, built from a configuration.

Images enter as pixels, 0 to 255; scaling them is the network's first step. Convolutions run in `dtype` (bfloat16
halves their time where the processor has it); statistics, weights and dense layers are float32.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .activation import QuadraticActivation, clamped_forward, excess_squares

CHANNEL_BLOCK = 16  # of bfloat16 convolutions on a CPU


def pixel_statistics(pixels):
    """(mean, std), each [channels], of uint8 images."""
    x = pixels.transpose(0, 1).flatten(1).float()
    return x.mean(1), x.std(1)


def whitening_matrix(patches, share, least):
    """[P, P]: the PCA whitening of rows `patches` [n, P]; `share` of the mean eigenvalue is added to all of them.

    Components whose eigenvalue is below `least` times the mean are left out (zero rows).
    """
    covariance = patches.T @ patches / len(patches)
    values, vectors = torch.linalg.eigh(covariance)
    scales = (values + share * values.mean()).rsqrt() * (values >= least * values.mean())
    return (scales[:, None] * vectors.T).flip(0)


def _convolution(x, kernel, bias, stride=1, padding=0):
    """F.conv2d. In bfloat16 with channels in whole blocks: PyTorch 1.13 on a CPU now and then reads what lies behind
    others, and one NaN there spoils all sums (found with 83 input channels and kernels of 10 x 10)."""
    outputs = len(kernel)
    if x.dtype == torch.bfloat16 and kernel.shape[1] > 4:
        inputs_missing, outputs_missing = -kernel.shape[1] % CHANNEL_BLOCK, -outputs % CHANNEL_BLOCK
        if inputs_missing or outputs_missing:
            x = F.pad(x, (0, 0, 0, 0, 0, inputs_missing)).contiguous(memory_format=torch.channels_last)
            kernel = F.pad(kernel, (0, 0, 0, 0, 0, inputs_missing, 0, outputs_missing))
            bias = F.pad(bias, (0, outputs_missing)) if bias is not None else None
    kernel = kernel.contiguous(memory_format=torch.channels_last)
    return F.conv2d(x, kernel, bias, stride, padding)[:, :outputs]


class LinearLayer(nn.Module):
    """A convolution or dense layer without bias (the last one has it), factorized where its Layer has a rank.

    `weight` is [outputs, inputs...] or, factorized, `v` [rank, inputs...] and `u` [outputs, rank]. With whitening,
    weight or v multiplies whitened patches: the kernel is weight @ whitening.
    """

    def __init__(self, layer, name, inputs, bias, whitening=None):
        super().__init__()
        self.layer, self.name = layer, name
        fan_in = inputs * (layer.kernel ** 2 if layer.conv is not None else 1)
        shape = (inputs, layer.kernel, layer.kernel) if layer.conv is not None else (inputs,)
        rows = layer.rank or layer.outputs
        scale = 1 / math.sqrt(fan_in)
        first = nn.Parameter(torch.randn(rows, *shape) * scale)
        if layer.rank:
            self.v = first
            self.u = nn.Parameter(torch.randn(layer.outputs, rows) / math.sqrt(rows))
        else:
            self.weight = first
        self.bias = nn.Parameter(torch.zeros(layer.outputs)) if bias else None
        self.register_buffer("whitening", whitening)

    def kernel(self):
        """The first factor, or the whole weight, as it multiplies the layer's input."""
        weight = self.v if self.layer.rank else self.weight
        if self.whitening is not None:
            weight = (weight.flatten(1) @ self.whitening).view_as(weight)
        return weight * self.layer.input_scale

    def first(self, x):
        """The layer's output or, factorized, the rank channels between its two parts."""
        if self.layer.dense is not None:
            x = x.float()
        kernel = self.kernel().to(x.dtype)
        bias = self.bias.to(x.dtype) if self.bias is not None and not self.layer.rank else None
        if self.layer.dense is not None:
            return F.linear(x.flatten(1), kernel, bias)
        top, left, bottom, right = self.layer.pads
        if top == left == bottom == right:
            padding = top
        else:
            x, padding = F.pad(x, (left, right, top, bottom)), 0
        return _convolution(x, kernel, bias, self.layer.stride, padding)

    def forward(self, x):
        x = self.first(x)
        if not self.layer.rank:
            return x
        up = self.u.to(x.dtype)
        bias = self.bias.to(x.dtype) if self.bias is not None else None
        return F.linear(x, up, bias) if self.layer.dense is not None else _convolution(x, up[:, :, None, None], bias)


class ReluActivation(nn.Module):
    """Batch normalization and ReLU, after a maximum over pool x pool: for teachers."""

    def __init__(self, channels, pool):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.pool = pool

    @property
    def momentum(self):
        return self.norm.momentum

    @momentum.setter
    def momentum(self, value):
        self.norm.momentum = value

    def forward(self, u, bound, weight):
        return self.evaluate(u)[0], u.new_zeros((), dtype=torch.float32)

    def evaluate(self, u):
        u = F.max_pool2d(u, self.pool) if self.pool > 1 else u
        z = self.norm(u)
        return F.relu(z), z

    def project(self):
        pass


class Network(nn.Module):
    """See the head of this file. Made by build().

    The first `fixed` layers with their activations no longer change: training leaves weights and statistics as they are.
    """

    def __init__(self, config, shape, mean, std, whitening=None):
        super().__init__()
        self.config, self.shape, self.dtype = config, shape, torch.float32
        self.fixed = 0
        self.register_buffer("pixel_scale", 1 / std)
        self.register_buffer("pixel_shift", -mean / std)
        self.linears, self.activations = nn.ModuleList(), nn.ModuleList()
        channels, rows, columns = shape
        counts = {"conv": 0, "fc": 0}
        for k, layer in enumerate(config.layers):
            last = k + 1 == len(config.layers)
            kind = "conv" if layer.conv is not None else "fc"
            counts[kind] += 1
            inputs = channels if kind == "conv" else channels * rows * columns
            self.linears.append(LinearLayer(layer, f"{kind}{counts[kind]}", inputs, bias=last,
                                            whitening=whitening if k == 0 else None))
            channels = layer.outputs
            if kind == "conv":
                top, left, bottom, right = layer.pads
                rows = ((rows + top + bottom - layer.kernel) // layer.stride + 1) // layer.pool
                columns = ((columns + left + right - layer.kernel) // layer.stride + 1) // layer.pool
            else:
                rows = columns = 1
            if not last:
                self.activations.append(QuadraticActivation(channels) if config.activation == "quadratic"
                                        else ReluActivation(channels, layer.pool))

    def scaled(self, pixels):
        x = pixels * self.pixel_scale.view(1, -1, 1, 1) + self.pixel_shift.view(1, -1, 1, 1)
        return x.to(self.dtype, memory_format=torch.channels_last)

    def fix(self, count):
        self.fixed = count
        for k, linear in enumerate(self.linears):
            linear.requires_grad_(k >= count)
        for k, activation in enumerate(self.activations):
            activation.requires_grad_(k >= count)

    @torch.no_grad()
    def input_of(self, layer, pixels):
        """What a layer reads, with fixed statistics."""
        x = self.scaled(pixels)
        for linear, activation in zip(self.linears[:layer], self.activations):
            x = activation.evaluate(linear(x))[0].to(self.dtype)
        return x

    def _trained_part(self):
        return zip(self.linears[self.fixed:], self.activations[self.fixed:])

    def forward(self, pixels, bound=math.inf, weight=0.0):
        """(scores, penalty) of a training batch; activation.py says what the penalty is."""
        x, penalty = self.input_of(self.fixed, pixels), 0.0
        for linear, activation in self._trained_part():
            x, held = activation(linear(x), bound, weight)
            penalty = penalty + held
        return self.linears[-1](x), penalty

    def guarded(self, pixels, bound, score_bound):
        """[images]: the sum of squares by which pre-activations and scores exceed their bounds."""
        x, total = self.input_of(self.fixed, pixels), 0.0
        for linear, activation in self._trained_part():
            x, excess = activation.guarded(linear(x), bound)
            total = total + excess
        scores = clamped_forward(self.linears[-1](x), 2 * score_bound)
        return total + excess_squares(scores, score_bound).sum(1)

    def evaluate(self, pixels):
        """(scores, [z of every activation]) with fixed statistics."""
        x, values = self.scaled(pixels), []
        for linear, activation in zip(self.linears, self.activations):
            x, z = activation.evaluate(linear(x))
            values.append(z)
        return self.linears[-1](x), values

    @torch.no_grad()
    def reestimate(self, batches):
        """Sets the statistics of the activations to their means over batches of pixels."""
        kept = [activation.momentum for activation in self.activations]
        for count, pixels in enumerate(batches, start=1):
            for activation in self.activations:
                activation.momentum = 1 / count
            self(pixels)
        for activation, momentum in zip(self.activations, kept):
            activation.momentum = momentum

    def project(self):
        for activation in self.activations:
            activation.project()


def build(config, train, index):
    """A fresh network for the data of `train` (Images); pixel statistics and whitening come from its images `index`."""
    pixels = train.pixels[index]
    mean, std = pixel_statistics(pixels)
    whitening = None
    first = config.layers[0]
    if config.whitening:
        sample = pixels[:2000].float()
        sample = (sample - mean.view(1, -1, 1, 1)) / std.view(1, -1, 1, 1)
        patches = F.unfold(sample, first.kernel, stride=2).transpose(1, 2).flatten(0, 1)
        whitening = whitening_matrix(patches, config.whitening, config.whitening_least)
    return Network(config, tuple(train.pixels.shape[1:]), mean, std, whitening)
