"""Images far from any data set: on them too a network's values must stay within the model file's bounds."""

import torch

WHITE = 255.0


def _board(rows, columns, dy, dx):
    """0/1 [rows, columns], changing every dy rows and dx columns (0: never)."""
    y = torch.arange(rows) // dy if dy else torch.zeros(rows, dtype=torch.long)
    x = torch.arange(columns) // dx if dx else torch.zeros(columns, dtype=torch.long)
    return (y[:, None] + x[None, :]) % 2


def _noise(shape, block, binary, generator):
    """Noise in blocks of block x block pixels, uniform or of 0 and 255 only."""
    channels, rows, columns = shape
    small = torch.rand(channels, -(-rows // block), -(-columns // block), generator=generator)
    small = small.round() if binary else small
    return WHITE * small.repeat_interleave(block, 1).repeat_interleave(block, 2)[:, :rows, :columns]


def random_extremes(count, shape, generator):
    """`count` images [count, *shape] of 0 to 255: boards, stripes and plain areas in two extreme colours, and noise."""
    def below(n):
        return int(torch.randint(0, n, (1,), generator=generator))
    images = []
    for _ in range(count):
        if below(3) == 0:
            images.append(_noise(shape, (1, 1, 2, 4)[below(4)], below(2) == 0, generator))
            continue
        dy, dx = ((1, 1), (1, 0), (0, 1), (2, 2), (2, 0), (0, 2), (3, 3), (4, 4), (8, 8), (0, 0))[below(10)]
        colours = WHITE * torch.randint(0, 2, (2, shape[0], 1, 1), generator=generator).float()
        images.append(torch.where(_board(*shape[1:], dy, dx).bool(), colours[0], colours[1]))
    return torch.stack(images)


class Guards:
    """Extreme images for training steps: half of them random, half from the worst that were met.

    Every `period` steps a pool of `pool` images, the worst of the last one among them, is ranked by excess(images), a
    function to [images]; the worst sixteenth is kept. What random draws meet once in thousands of steps, a board of one
    pixel's width in the wrong two colours, would otherwise escape.
    """

    def __init__(self, shape, count, pool, period, excess):
        self.shape, self.count, self.pool, self.period, self.excess = shape, count, pool, period, excess
        self.worst, self.draws = None, 0

    def draw(self, generator):
        """[count, *shape]"""
        if self.draws % self.period == 0:
            self._rank(generator)
        self.draws += 1
        half = self.count // 2
        chosen = torch.randint(0, len(self.worst), (half,), generator=generator)
        return torch.cat([self.worst[chosen], random_extremes(self.count - half, self.shape, generator)])

    def _rank(self, generator):
        kept = [] if self.worst is None else [self.worst]
        images = torch.cat([*kept, random_extremes(self.pool - sum(map(len, kept)), self.shape, generator)])
        self.worst = images[self.excess(images).topk(self.pool // 16).indices]


def named_extremes(shape, noise_images=400):
    """{name: float [n, *shape]}: what model cards report. The same images on every call."""
    channels, rows, columns = shape
    generator = torch.Generator().manual_seed(2024)
    black, white = torch.zeros(1, *shape), torch.full((1, *shape), WHITE)
    corners = torch.stack([torch.tensor([WHITE * (code >> c & 1) for c in range(channels)])
                           for code in range(1 << channels)])
    boards = []
    for dy, dx in ((1, 1), (2, 2), (4, 4), (8, 8), (1, 0), (0, 1), (2, 0), (0, 2), (4, 0), (0, 4)):
        board = _board(rows, columns, dy, dx).float()
        boards += [board, 1 - board]
    noise = [_noise(shape, (1, 1, 2, 4)[k % 4], k % 2 == 0, generator) for k in range(noise_images)]
    extremes = {
        "black": black,
        "white": white,
        "checkerboards and stripes": WHITE * torch.stack(boards)[:, None].repeat(1, channels, 1, 1),
        "noise": torch.stack(noise),
    }
    if channels > 1:
        extremes["plain colours"] = corners[1:-1, :, None, None].repeat(1, 1, rows, columns)
    return extremes
