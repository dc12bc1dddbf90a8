"""What factorization costs in accuracy: one network at several ranks, by several methods.

A point is a part of the network's ranks (1, 1/2, ... 1/16) and a way to get there:

    weights     truncated singular value decomposition of the weights, then fine-tuning
    responses   principal components of the outputs on training images, then fine-tuning
    scratch     the factorized network trained from the start

Accuracies are of the validation images, which no training has seen; the test images are left to the model cards.
"""

import dataclasses
from fractions import Fraction

from . import config as configs

PARTS = tuple(Fraction(1, d) for d in (2, 4, 8, 16))
WAYS = ("weights", "responses", "scratch")
FINE_TUNING_RATE = 0.4  # of the original's peak rate


@dataclasses.dataclass(frozen=True)
class Matrix:
    """A layer as a matrix of rows outputs by columns inputs at every position."""
    rows: int
    columns: int
    positions: int

    def hma(self, rank=None):
        """Homomorphic multiply-accumulates, one a weight, as ffconv counts them (model/work.h)."""
        return rank * (self.rows + self.columns) if rank else self.rows * self.columns

    def mac(self, rank=None):
        """Multiply-accumulates for one image, those with padding included."""
        return self.positions * self.hma(rank)


def matrices(layers, shape):
    """The layers' matrices for images of `shape`."""
    channels, rows, columns = shape
    result = []
    for layer in layers:
        if layer.conv is not None:
            top, left, bottom, right = layer.pads
            inputs = channels * layer.kernel ** 2
            rows = (rows + top + bottom - layer.kernel) // layer.stride + 1
            columns = (columns + left + right - layer.kernel) // layer.stride + 1
        else:
            inputs = channels * rows * columns
            rows = columns = 1
        channels = layer.outputs
        result.append(Matrix(layer.outputs, inputs, rows * columns))
    return result


def ranks(layers, shape, part):
    """A rank a layer, None for those that stay whole: the last, and where the factorized layer costs no less."""
    chosen = []
    for layer, matrix in zip(layers, matrices(layers, shape)):
        rank = max(1, int(part * layer.outputs + Fraction(1, 2)))
        chosen.append(rank if matrix.hma(rank) < matrix.hma() else None)
    return chosen[:-1] + [None]


def total_work(layers, shape, chosen):
    """HMA and MAC of the network."""
    ranked = list(zip(matrices(layers, shape), chosen))
    return {"hma": sum(matrix.hma(rank) for matrix, rank in ranked),
            "mac": sum(matrix.mac(rank) for matrix, rank in ranked)}


def point_name(name, part, way):
    return f"{name}-{way}-{part.denominator}"


def point_config(config, shape, part, way, epochs):
    """The configuration of a point's run, beside the run of the original."""
    values = dataclasses.asdict(config)
    for layer, rank in zip(values["layers"], ranks(config.layers, shape, part)):
        layer["rank"] = rank
    values["name"] = values["model"] = point_name(config.name, part, way)
    values["export"] = False
    # Not settled: that takes longer than fine-tuning, and what is compared is accuracy.
    values["training"].update(epochs=epochs, evaluate_every=epochs, settle_bound=0)
    if way == "scratch":
        values["start_from"] = None
    else:
        values["start_from"], values["start_by"] = config.name, way
        values["training"]["rate"] *= FINE_TUNING_RATE
    return configs.parse(values, values["name"])


def point_result(config, shape, part, way, trainer):
    """A finished point, as it is kept."""
    last = trainer.history[-1]
    chosen = [layer.rank for layer in trainer.config.layers]
    return {"part": str(part), "way": way, "ranks": chosen, **total_work(config.layers, shape, chosen),
            **trainer.start, "epochs": last["epoch"], "trained": last["validation_accuracy"],
            "cpu_seconds": round(sum(row["cpu_seconds"] for row in trainer.history))}


def _percent(point, key):
    return f"{100 * point[key]:.2f}" if point and key in point else ""


def _work(point, original):
    """Cells: the HMA and the MAC of the point, and what part of the original's they are."""
    return [cell for unit in ("hma", "mac")
            for cell in (f"{point[unit]:,}", f"{100 * point[unit] / original[unit]:.0f} %")]


def table(results):
    """Markdown: a row a part."""
    points = {(point["part"], point["way"]): point for point in results["points"]}
    original = results["original"]
    lines = [
        "| ranks | HMA | | MAC | | SVD | SVD, fine-tuned | PCA | PCA, fine-tuned | trained from the start |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        f"| full | {' | '.join(_work(original, original))} | | | | | {100 * original['accuracy']:.2f} |",
    ]
    for part in dict.fromkeys(point["part"] for point in results["points"]):
        weights, responses, scratch = (points.get((part, way)) for way in WAYS)
        cells = [part, *_work(weights or responses or scratch, original),
                 _percent(weights, "factorized"), _percent(weights, "trained"),
                 _percent(responses, "factorized"), _percent(responses, "trained"), _percent(scratch, "trained")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def plot(results, path):
    """Accuracy against HMA, as a PNG."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(7, 4))
    original = results["original"]
    axes.axhline(100 * original["accuracy"], color="tab:grey", linewidth=0.8)
    curves = (("weights", "factorized", "SVD", "tab:orange", "--"),
              ("weights", "trained", "SVD, fine-tuned", "tab:orange", "-"),
              ("responses", "factorized", "PCA", "tab:blue", "--"),
              ("responses", "trained", "PCA, fine-tuned", "tab:blue", "-"),
              ("scratch", "trained", "trained from the start", "tab:green", "-"))
    for way, key, label, colour, style in curves:
        points = sorted((point["hma"], 100 * point[key]) for point in results["points"]
                        if point["way"] == way and key in point)
        points.append((original["hma"], 100 * original["accuracy"]))
        axes.plot(*zip(*points), style, color=colour, marker=".", label=label)
    axes.set_xscale("log")
    axes.set_xlabel("homomorphic multiply-accumulates (HMA)")
    axes.set_ylabel("validation accuracy, %")
    axes.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def replace_section(text, name, content):
    """`text` with what stands between the marks of `name` replaced. Raises ValueError where there are none."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    if begin not in text or end not in text:
        raise ValueError(f"expected the lines {begin} and {end}")
    before, rest = text.split(begin, 1)
    return f"{before}{begin}\n{content}\n{end}{rest.split(end, 1)[1]}"
