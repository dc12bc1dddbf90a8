"""Random views of training images, in bulk.

An augmentation draws the parameters of views for many images at once and applies them to a batch. Apart, the two let
a teacher's answers be stored for a list of views (teacher.py) and a view be repeated.
"""

import math

import torch
import torch.nn.functional as F


class CropFlip:
    """Shifts by up to `pad` pixels, the border reflected, and left-right flips."""

    name = "crop-flip"

    def __init__(self, pixels, pad=4):
        self.pad = pad
        # reflect is for floating point only; byte values survive the way there and back
        chunks = [F.pad(part.float(), [pad] * 4, mode="reflect").to(torch.uint8) for part in pixels.split(1000)]
        self.padded = torch.cat(chunks)
        size = 2 * pad + 1
        n, channels, rows, columns = pixels.shape
        strides = self.padded.stride()
        # [n, dy, dx, channels, rows, columns], without copies
        self.windows = self.padded.as_strided((n, size, size, channels, rows, columns),
                                              (strides[0], strides[2], strides[3], *strides[1:]))

    def draw(self, count, generator):
        """int16 [count, 3]: dy, dx, flip."""
        shifts = torch.randint(0, 2 * self.pad + 1, (count, 2), generator=generator)
        flips = torch.randint(0, 2, (count, 1), generator=generator)
        return torch.cat([shifts, flips], 1).to(torch.int16)

    def apply(self, index, views):
        """Pixels (float) of the images `index` under their views."""
        dy, dx, flip = views.long().unbind(1)
        x = self.windows[index, dy, dx].float()
        return torch.where(flip.bool().view(-1, 1, 1, 1), x.flip(3), x)


class Affine:
    """Small rotations, scalings, shears and shifts, zeros beyond the border: for handwritten digits."""

    name = "affine"

    def __init__(self, pixels, degrees=12.0, scale=0.12, shear=0.15, shift=2.0):
        self.pixels = pixels
        self.degrees, self.scale, self.shear, self.shift = degrees, scale, shear, shift

    def draw(self, count, generator):
        """float [count, 2, 3]: the matrices that grid_sample's coordinates are taken from."""
        def uniform(bound):
            return (torch.rand(count, generator=generator) * 2 - 1) * bound
        angle, shear = uniform(math.radians(self.degrees)), uniform(self.shear)
        sx, sy = torch.exp(uniform(self.scale)), torch.exp(uniform(self.scale))
        rows, columns = self.pixels.shape[2:]
        tx, ty = uniform(2 * self.shift / columns), uniform(2 * self.shift / rows)
        cos, sin = angle.cos(), angle.sin()
        first = torch.stack([cos * sx, (cos * shear - sin) * sy, tx], 1)
        second = torch.stack([sin * sx, (sin * shear + cos) * sy, ty], 1)
        return torch.stack([first, second], 1)

    def apply(self, index, views):
        x = self.pixels[index].float()
        return F.grid_sample(x, F.affine_grid(views, x.shape, align_corners=False), align_corners=False)


AUGMENTATIONS = {kind.name: kind for kind in (CropFlip, Affine)}


def cut_out(x, size, fill, generator):
    """Sets a square of size x size pixels around a random centre of each image to fill [channels], in place."""
    n, _, rows, columns = x.shape
    cy = torch.randint(0, rows, (n, 1), generator=generator)
    cx = torch.randint(0, columns, (n, 1), generator=generator)
    in_rows = (torch.arange(rows) - cy + size // 2).div(size, rounding_mode="floor") == 0
    in_columns = (torch.arange(columns) - cx + size // 2).div(size, rounding_mode="floor") == 0
    inside = (in_rows[:, :, None] & in_columns[:, None, :])[:, None]
    return x.copy_(torch.where(inside, fill.view(1, -1, 1, 1), x))
