"""Takes out of a trained network's layers what extreme images excite and data do not.

Training alone does not hold the values of images that no data set has (extremes.py): in the last epochs, while the rate
falls, single boards and stripes grow from layer to layer, as every square doubles their excess. Here each layer is
changed once, by least squares: with the covariances C of its inputs on data and E on the extreme images that exceed the
bound, both about the data's mean,

    W' = argmin tr (W' - W) C (W' - W)' + weight tr W' E W'' = W C (C + weight E)^-1,

by the least weight that brings them down to it. What the data lose is the energy that they have in the same directions.
Layers are settled in order, each on what the settled ones before it give.
"""

import torch
import torch.nn.functional as F

BATCH = 250
ROWS = 60000  # inputs of a layer that covariances are taken over
LEAST_WEIGHT, LARGEST_WEIGHT, WEIGHT_STEP = 1e-5, 1.0, 1.5
RIDGE = 1e-4  # of the mean variance: the directions that data never had
NEAR = 0.8  # images that exceed this part of the bound are held, too


def _inputs(linear, x, generator):
    """[rows, inputs]: what each output position of the layer reads, a random ROWS of all."""
    layer = linear.layer
    if layer.conv is None:
        rows = x.float().flatten(1)
    else:
        top, left, bottom, right = layer.pads
        patches = F.unfold(F.pad(x.float(), (left, right, top, bottom)), layer.kernel, stride=layer.stride)
        rows = patches.transpose(1, 2).flatten(0, 1)
    return rows[torch.randperm(len(rows), generator=generator)[:ROWS]] if len(rows) > ROWS else rows


def _largest(linear, activation, x):
    """[images]: the largest |z|."""
    return torch.cat([activation.evaluate(linear(part))[1].abs().flatten(1).amax(1) for part in x.split(BATCH)])


def _covariance(rows, mean):
    rows = rows - mean
    return (rows.T @ rows / len(rows)).double()


def _settle_layer(linear, activation, data, extreme, bound, generator):
    """Changes the layer's weights; the weight that it took, 0: nothing was to be done or could be."""
    largest = _largest(linear, activation, extreme)
    if not largest.max() > bound:
        return 0.0
    rows = _inputs(linear, data, generator)
    mean = rows.mean(0)
    of_data = _covariance(rows, mean)
    of_extremes = _covariance(_inputs(linear, extreme[largest > NEAR * bound], generator), mean)
    ridge = RIDGE * of_data.diagonal().mean() * torch.eye(len(of_data), dtype=torch.double)
    parameter = linear.v if linear.layer.rank else linear.weight
    kept = parameter.detach().clone()
    original = kept.flatten(1).double()
    if linear.whitening is not None:
        original = original @ linear.whitening.double()
        back = torch.linalg.pinv(linear.whitening.double())
    weight = LEAST_WEIGHT
    while True:
        settled = torch.linalg.solve(of_data + ridge + weight * of_extremes, of_data @ original.T).T
        if linear.whitening is not None:
            settled = settled @ back
        parameter.copy_(settled.float().view_as(parameter))
        if _largest(linear, activation, extreme).max() <= bound:
            return weight
        weight *= WEIGHT_STEP
        if weight > LARGEST_WEIGHT:  # data and extremes excite the same directions
            parameter.copy_(kept)
            return 0.0


@torch.no_grad()
def settle(network, data, extreme, bound, say):
    """Holds |z| of the images `extreme` to `bound`, where it can be had, in every layer of an evaluating float32 network.

    `data` and `extreme` are float pixels. Statistics of the layers are estimated anew from `data` as they change. True
    if anything was changed.
    """
    generator = torch.Generator().manual_seed(7)
    x, y = network.scaled(data), network.scaled(extreme)
    changed = False
    for linear, activation in zip(network.linears, network.activations):
        weight = _settle_layer(linear, activation, x, y, bound, generator)
        if weight:
            say(f"{linear.name} settled to {bound:g} on extremes, weight {weight:.2g}")
            changed = True
        if changed:
            activation.estimate([linear(part) for part in x.split(BATCH)])
        x, y = (torch.cat([activation.evaluate(linear(part))[0] for part in z.split(BATCH)]) for z in (x, y))
    return changed
