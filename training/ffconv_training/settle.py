"""Holds what extreme images excite in a trained network's layers, at the least change of what data excite.

Training alone does not hold the values of images that no data set has (extremes.py): in the last epochs, while the rate
falls, single boards and stripes grow from layer to layer, as every square doubles their excess. Here each layer is
changed once, every output channel w by itself:

    minimize d C d'  over d,  subject to  rstd |(w + d) (x - m)| <= bound  for all inputs x that extreme images give,

with m and C the mean and covariance of the layer's inputs on data: d C d' is the mean square by which data see the change.
Only the worst inputs matter, so they are added in rounds (cutting planes). With L L' = C and the active inputs as rows of
A = +-rstd (x - m)' L^-T, the dual problem is

    minimize l (A A' + e I) l' / 2 - b l'  over l >= 0,  b = rstd |w (x - m)| - bound,

and d = -l A L^-1; the small e lets bounds that contradict each other be missed a little. It is solved by active sets
(Hintermueller, Ito, Kunisch, SIAM J. Optim. 13, 2002, algorithm 1). Layers are settled in order, each on what the settled
ones before it give, so that early layers, where it costs data next to nothing, take most of the excess. After each the
trainer fixes it and trains the ones behind a little more (trainer.py).
"""

import torch
import torch.nn.functional as F

BATCH = 250
ROWS = 60000  # inputs of a layer that covariances are taken over
RIDGE = 1e-4  # of the mean variance: the directions that data never had
SLACK = 1e-3  # e, of the mean diagonal of A A'
TARGET = 0.9  # of the bound: the statistics that are estimated anew shift values a little
DATA_MARGIN = 1.2  # no bound is below what data reach, times this
MOST_ROUNDS = 12
PATIENCE = 3  # rounds without a smaller value: the bounds contradict each other
NEW_INPUTS = 12  # a channel and round, of as many images


class _Part:
    """What is changed of a layer: its weights or, factorized, those of the 1 x 1 that gives the outputs."""

    def __init__(self, linear):
        self.linear = linear
        self.parameter = linear.u if linear.layer.rank else linear.weight

    def patches(self, x):
        """A view [images, rows, columns, ...] of what each output position reads; a dense layer's is 1 x 1."""
        layer = self.linear.layer
        if layer.rank:
            x = self.linear.first(x)
            return x.permute(0, 2, 3, 1) if layer.conv is not None else x[:, None, None]
        if layer.conv is None:
            return x.flatten(1)[:, None, None]
        top, left, bottom, right = layer.pads
        padded = F.pad(x, (left, right, top, bottom))
        windows = padded.unfold(2, layer.kernel, layer.stride).unfold(3, layer.kernel, layer.stride)
        return windows.permute(0, 2, 3, 1, 4, 5)

    def inputs(self, patches, images, positions):
        """Chosen patches as the rows that the weights multiply, in doubles."""
        columns = patches.shape[2]
        rows = patches[images, positions // columns, positions % columns].flatten(1).double()
        if self.linear.layer.rank:
            return rows
        if self.linear.whitening is not None:
            rows = rows @ self.linear.whitening.double().T
        return rows * self.linear.layer.input_scale


def _mean_and_covariance(part, x, generator):
    """Of the inputs at ROWS random positions; the covariance has its ridge."""
    patches = part.patches(x)
    positions = patches.shape[1] * patches.shape[2]
    chosen = torch.randperm(len(patches) * positions, generator=generator)[:ROWS]
    inputs = part.inputs(patches, chosen // positions, chosen % positions)
    mean = inputs.mean(0)
    inputs = inputs - mean
    covariance = inputs.T @ inputs / len(inputs)
    return mean, covariance + RIDGE * covariance.diagonal().mean() * torch.eye(len(covariance), dtype=torch.double)


def _largest(linear, activation, x):
    """([images, channels]: the largest |z| over positions, and where it is)."""
    parts = [activation.evaluate(linear(part))[1].abs().reshape(len(part), linear.layer.outputs, -1).max(2)
             for part in x.split(BATCH)]
    return torch.cat([part.values for part in parts]), torch.cat([part.indices for part in parts])


def least_change(a, b):
    """The multipliers [n] >= 0 of rows a [n, K] whose combination -l a is the shortest d with a d' <= -b, nearly.

    Raises torch.linalg.LinAlgError for values that are not finite.
    """
    gram = a @ a.T
    gram += SLACK * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    active = b > 0
    multipliers = torch.zeros_like(b)
    for _ in range(20):
        index = active.nonzero().flatten()
        multipliers = torch.zeros_like(b)
        multipliers[index] = torch.linalg.solve(gram[index][:, index], b[index])
        changed = torch.where(active, multipliers > 0, b - gram @ multipliers > 0)
        if torch.equal(changed, active):
            break
        active = changed
    return multipliers.clamp(min=0)


class _Channel:
    """The inputs that one output channel is held on: rows of A and right-hand sides b, of the head of this file."""

    def __init__(self):
        self.a, self.b = [], []

    def add(self, whitened, inputs, weights, rstd, target):
        z = rstd * (inputs @ weights)
        self.a.append(whitened * (z.sign() * rstd)[:, None])
        self.b.append(z.abs() - target)

    def change(self):
        """d L."""
        a, b = torch.cat(self.a), torch.cat(self.b)
        return -(least_change(a, b) @ a)


def _settle_layer(linear, activation, data, extreme, bound, generator):
    """Changes the layer's weights and its activation's mean. (largest |z| before, after, relative change on data)"""
    largest, places = _largest(linear, activation, extreme)
    before = largest.max().item()
    if before <= bound:
        return before, before, 0.0
    part = _Part(linear)
    mean, covariance = _mean_and_covariance(part, data, generator)
    root = torch.linalg.cholesky(covariance)
    original = part.parameter.detach().flatten(1).double()
    rstd = activation.folded()[1].double()
    changes, channels, reached = torch.zeros_like(original), {}, []
    patches = part.patches(extreme)
    for _ in range(MOST_ROUNDS):
        for k in (largest.max(0).values > bound).nonzero().flatten().tolist():
            values, images = largest[:, k].topk(min(NEW_INPUTS, len(largest)))
            images = images[values > TARGET * bound]
            inputs = part.inputs(patches, images, places[images, k]) - mean
            whitened = torch.linalg.solve_triangular(root, inputs.T, upper=False).T
            channel = channels.setdefault(k, _Channel())
            channel.add(whitened, inputs, original[k], rstd[k], TARGET * bound)
            changes[k] = torch.linalg.solve_triangular(root.T, channel.change()[:, None], upper=True)[:, 0]
        part.parameter.copy_((original + changes).view_as(part.parameter))
        activation.statistics[0] = (original + changes) @ mean
        largest, places = _largest(linear, activation, extreme)
        reached.append(largest.max().item())
        if reached[-1] <= bound or min(reached[-PATIENCE:]) >= min([before, *reached[:-PATIENCE]]):
            break
    return before, reached[-1], ((changes @ covariance * changes).sum() / (original @ covariance * original).sum()).item()


@torch.no_grad()
def settle(network, layer, data, extreme, bound):
    """Holds |z| of the images `extreme` to `bound`, where it can be had, in one layer of an evaluating float32 network.

    `data` and `extreme` are float pixels; no bound is below what data need. Statistics of the layer are estimated anew
    from `data`. Returns (largest |z| on data, on extremes before and after, the relative change on data, 0 for none).
    """
    generator = torch.Generator().manual_seed(7)
    x, y = (torch.cat([network.input_of(layer, part) for part in pixels.split(BATCH)]) for pixels in (data, extreme))
    linear, activation = network.linears[layer], network.activations[layer]
    reached = _largest(linear, activation, x)[0].max().item()
    before, after, change = _settle_layer(linear, activation, x, y, max(bound, DATA_MARGIN * reached), generator)
    if change:
        activation.estimate([linear(part) for part in x.split(BATCH)])
    return reached, before, after, change
