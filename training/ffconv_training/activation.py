"""The degree-2 activation: batch normalization and a quadratic whose terms are normalized, in one step.

For a layer's output u, per channel:

    z = (u - mean) / sqrt(var + VARIANCE_EPSILON)
    y = c1 z + c2 (z^2 - 1) / s,    s = sqrt(E z^4 - 1 + SPREAD_EPSILON)

s is close to the standard deviation of z^2, so both terms keep their sizes whatever the distribution of z.
(0.5, 0.2821), from the Hermite expansion of ReLU, is where training starts (AESPA, arXiv 2201.06699). The expansion's
constant is left out: y then has mean zero, and rounding errors of the gradients cannot add up along the next layer's
mean input. Gradients flow through mean, var and s. With fixed statistics all of it is a z^2 + b z + c with a = c2 / s,
b = c1, c = -a.

Two penalties hold the values: in training, weight / 2 times the sum of (|z| - bound)+ squared; and, for images that
no data set has (extremes.py), guarded(), which uses the running statistics and leaves them alone. There |z| is
clamped to CLIP, so that a network that is not tamed yet cannot overflow.
"""

import math

import torch
from torch import nn

from . import kernels

HERMITE_OF_RELU = (0.5, 0.2821)
VARIANCE_EPSILON = 1e-5
SPREAD_EPSILON = 0.1
CLIP = 16.0
# The largest |b / (2 a)|: by so much completing the square shifts z, and with it the range of what is squared.
MAX_SHIFT = 4.0


def _channel_view(tensor, like):
    return tensor.view(1, -1, *[1] * (like.dim() - 2))


def _rows_last(x):
    """x as contiguous [rows, channels] in memory: channels-last for images."""
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x.contiguous()


def excess_squares(z, bound):
    """(|z| - bound)+ squared."""
    return (z.abs() - bound).clamp(min=0).square()


def clamped_forward(x, bound):
    """x clamped to bound in value, with x's gradient."""
    return x + (x.clamp(-bound, bound) - x).detach()


def _spread(fourth):
    """s of the head of this file; E z^4 is below 1 where a channel hardly varies."""
    return (fourth.clamp(min=1) - 1 + SPREAD_EPSILON).sqrt()


def plain_quadratic(u, c1, c2, bound, weight):
    """(y, penalty, statistics [mean, var, E z^4]) in plain differentiable PyTorch."""
    x = u.float()
    rows = x.transpose(0, 1).flatten(1)
    mean = rows.mean(1)
    var = (rows - mean[:, None]).square().mean(1)
    rstd = (var + VARIANCE_EPSILON).rsqrt()
    z = (x - _channel_view(mean, x)) * _channel_view(rstd, x)
    fourth = z.transpose(0, 1).flatten(1).pow(4).mean(1)
    a = c2 / _spread(fourth)
    y = (_channel_view(a, x) * z + _channel_view(c1, x)) * z - _channel_view(a, x)
    penalty = weight / 2 * excess_squares(z, bound).sum()
    return y.to(u.dtype), penalty, torch.stack([mean, var, fourth]).detach()


class _FusedQuadratic(torch.autograd.Function):
    """plain_quadratic by the loops of quadratic_kernels.c."""

    @staticmethod
    def forward(ctx, u, c1, c2, bound, weight):
        u = _rows_last(u)
        channels = u.shape[1]
        rows = u.numel() // channels
        # moments about a rough mean: the mean may exceed the deviation by far
        shift = u.movedim(1, -1).reshape(rows, channels)[::max(1, rows // 64)].float().mean(0)
        sums = torch.zeros(4, channels, dtype=torch.float64)
        kernels.call("moments", u.dtype, u, rows, channels, shift, sums)
        m1, m2, m3, m4 = sums / rows
        mean = shift + m1
        var = (m2 - m1 * m1).clamp(min=0)
        rstd = (var + VARIANCE_EPSILON).rsqrt()
        third = (m3 - 3 * m1 * m2 + 2 * m1 ** 3) * rstd ** 3
        fourth = (m4 - 4 * m1 * m3 + 6 * m1 ** 2 * m2 - 3 * m1 ** 4) * rstd ** 4
        spread = _spread(fourth)
        a = c2 / spread
        mean_f, rstd_f, a_f, c_f = (t.float() for t in (mean, rstd, a, -a))
        y = torch.empty_like(u)
        squares = torch.zeros(1, dtype=torch.float64)
        kernels.call("forward", u.dtype, u, y, rows, channels, mean_f, rstd_f, a_f, c1, c_f, float(bound), squares)
        ctx.save_for_backward(u, mean_f, rstd_f, a_f, c1, c2, spread, third, fourth)
        ctx.bound, ctx.weight = float(bound), weight
        statistics = torch.stack([mean, var, fourth]).float()
        ctx.mark_non_differentiable(statistics)
        return y, (weight / 2 * squares.float()).squeeze(), statistics

    @staticmethod
    def backward(ctx, dy, d_penalty, _):
        u, mean, rstd, a, c1, c2, spread, third, fourth = ctx.saved_tensors
        dy = _rows_last(dy)
        channels = u.shape[1]
        rows = u.numel() // channels
        weight = ctx.weight * float(d_penalty)
        sums = torch.zeros(5, channels, dtype=torch.float64)
        kernels.call("backward_sums", u.dtype, u, dy, rows, channels, mean, rstd, ctx.bound, weight, sums)
        g, gz, gz2, p, pz = sums
        dc2 = (gz2 - g) / spread
        k3 = torch.where(fourth > 1, -2 * c2 * dc2 / (spread ** 2 * rows), 0.0)
        k0 = -(2 * a * gz + c1 * g + p) / rows - k3 * third
        k1 = -(2 * a * gz2 + c1 * gz + pz) / rows - k3 * fourth
        k0, k1, k3 = (t.float() for t in (k0, k1, k3))
        du = torch.empty_like(u)
        kernels.call("backward", u.dtype, u, dy, du, rows, channels, mean, rstd, a, c1, k0, k1, k3, ctx.bound, weight)
        return du, gz.float(), dc2.float(), None, None


class QuadraticActivation(nn.Module):
    """See the head of this file. `momentum` is the weight of a new batch in the running statistics."""

    def __init__(self, channels, momentum=0.02):
        super().__init__()
        for name, value in zip(("c1", "c2"), HERMITE_OF_RELU):
            self.register_parameter(name, nn.Parameter(torch.full((channels,), value)))
        self.register_buffer("statistics", torch.tensor([[0.0], [1.0], [3.0]]).repeat(1, channels))
        self.momentum = momentum

    def forward(self, u, bound, weight):
        """(y, penalty) of a training batch."""
        if kernels.available(u):
            y, penalty, statistics = _FusedQuadratic.apply(u, self.c1, self.c2, bound, weight)
        else:
            y, penalty, statistics = plain_quadratic(u, self.c1, self.c2, bound, weight)
        if torch.isfinite(statistics).all():  # else one failed step would spoil them for good
            self.statistics.lerp_(statistics, self.momentum)
        return y, penalty

    def folded(self):
        """(mean, rstd, a, b, c), each [channels]: y = a z^2 + b z + c, z = (u - mean) rstd."""
        mean, var, fourth = self.statistics
        a = self.c2 / _spread(fourth)
        return mean, (var + VARIANCE_EPSILON).rsqrt(), a, self.c1, -a

    @torch.no_grad()
    def estimate(self, batches):
        """Sets the statistics to their means over batches of the layer's outputs."""
        statistics = [plain_quadratic(u, self.c1, self.c2, math.inf, 0.0)[2] for u in batches]
        self.statistics.copy_(torch.stack(statistics).mean(0))

    def evaluate(self, u):
        """(y, z) with fixed statistics and nothing clamped."""
        mean, rstd, a, b, c = (_channel_view(t, u) for t in self.folded())
        z = (u - mean) * rstd
        return (a * z + b) * z + c, z

    def guarded(self, u, bound):
        """(y, [images] excess squares) with fixed statistics, |z| clamped; beyond CLIP the excess keeps its slope."""
        mean, rstd, a, b, c = (_channel_view(t, u) for t in self.folded())
        z = (u - mean) * rstd
        clamped = z.clamp(-CLIP, CLIP)
        y = (a * clamped + b) * clamped + c
        return y.to(u.dtype), excess_squares(clamped_forward(z, CLIP), bound).flatten(1).sum(1)

    @torch.no_grad()
    def project(self):
        """Keeps the quadratic term large enough that completing the square shifts z by at most MAX_SHIFT."""
        smallest = self.c1.abs().clamp(min=0.01) * _spread(self.statistics[2]) / (2 * MAX_SHIFT)
        self.c2.copy_(torch.maximum(self.c2, smallest))
