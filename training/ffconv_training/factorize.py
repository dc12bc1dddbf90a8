"""Starts a factorized network from a trained one, W ~ U V.

By responses (principal components). The outputs z of a layer (after batch normalization, so that every channel counts
alike) have a covariance over training images and positions. With its leading `rank` eigenvectors E,
z ~ mean + E E' (z - mean): so V = E' W gives rank channels, U = E gives the layer's outputs back, and the mean goes
into the batch normalization. No labels needed.

By weights (truncated singular value decomposition): the same with the leading left singular vectors of W. No images
needed either, and far worse, since it counts errors alike that the images hardly meet and those they meet most.
"""

import torch

IMAGES = 4000
BATCH = 250


@torch.no_grad()
def output_covariances(network, pixels):
    """Per activation: the covariance of z, [channels, channels]."""
    sums = [None] * len(network.activations)
    for batch in pixels[:IMAGES].split(BATCH):
        for k, z in enumerate(network.evaluate(batch.float())[1]):
            rows = z.transpose(0, 1).flatten(1)
            rows = torch.cat([rows, torch.ones(1, rows.shape[1])])  # the last row and column count and sum
            sums[k] = rows @ rows.T + (sums[k] if sums[k] is not None else 0)
    covariances = []
    for total in sums:
        mean = total[:-1, -1] / total[-1, -1]
        covariances.append(total[:-1, :-1] / total[-1, -1] - torch.outer(mean, mean))
    return covariances


def leading_components(covariance, rank):
    """[channels, rank], orthonormal."""
    return torch.linalg.eigh(covariance)[1].flip(1)[:, :rank]


@torch.no_grad()
def start_from(network, original, pixels, by):
    """Copies the trained `original` into `network`, factorizing the layers that only there have a rank."""
    covariances = output_covariances(original, pixels)
    network.pixel_scale.copy_(original.pixel_scale)
    network.pixel_shift.copy_(original.pixel_shift)
    for activation, source in zip(network.activations, original.activations):
        activation.load_state_dict(source.state_dict())
    for k, (linear, source) in enumerate(zip(network.linears, original.linears)):
        if linear.whitening is not None:
            linear.whitening.copy_(source.whitening)
        if linear.bias is not None:
            linear.bias.copy_(source.bias)
        if not linear.layer.rank:
            linear.weight.copy_(source.weight)
        elif source.layer.rank:
            linear.u.copy_(source.u)
            linear.v.copy_(source.v)
        elif by == "responses":
            rstd = original.activations[k].folded()[1]
            _set_factors(linear, source, leading_components(covariances[k], linear.layer.rank), rstd,
                         network.activations[k])
        else:
            kernel = source.kernel().flatten(1)
            _set_factors(linear, source, leading_components(kernel @ kernel.T, linear.layer.rank),
                         torch.ones(len(kernel)), network.activations[k])


def _set_factors(linear, source, components, scale, activation):
    """u v = E E' diag(scale) W for components E; the activation's statistics become those of the scaled outputs."""
    linear.v.copy_((components.T @ (scale[:, None] * source.weight.flatten(1))).view_as(linear.v))
    linear.u.copy_(components)
    mean, var, fourth = activation.statistics
    mean = components @ (components.T @ (scale * mean))
    activation.statistics.copy_(torch.stack([mean, scale ** 2 * var, fourth]))
