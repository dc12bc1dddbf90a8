"""What follows training: the ONNX file with its ranges, the test accuracy, the curve and the model card."""

import dataclasses
import json
import math
from pathlib import Path

import onnx
import torch

from . import extremes, runs
from .export import CLASS_NAMES_KEY, RANGES_KEY, RMS_KEY, export
from .onnx_run import OnnxNetwork
from .trainer import evaluate, load_finished

RANGE_MARGIN = 1.25
SCORE_MARGIN = 1.5  # scores are sums of squares that nothing holds: a digit in 10,000 exceeds 1.25 times all others
LARGEST_BOUND = 1000.0  # no network that has learned to hold its values comes near
EXPORT_TOLERANCE = 1e-4  # of the largest score: float32 sums in another order
HALF_TOLERANCE = 1e-2  # weights of 11 bits
REPORT = "report.json"


def _accuracy(scores, labels):
    return (scores.argmax(1) == labels).float().mean().item()


def _rms(pixels):
    return math.sqrt(math.fsum(part.float().square().sum().item() for part in pixels.split(1000)) / pixels.numel())


def _bounds(*seen):
    """The margins apply to what the network computes, not to pixels; four digits are plenty."""
    margins = dict.fromkeys(seen[0], RANGE_MARGIN)
    margins[list(seen[0])[-1]] = SCORE_MARGIN
    bounds = {name: float(f"{margin * max(part[name] for part in seen):.4g}") for name, margin in margins.items()}
    large = [name for name, bound in bounds.items() if not bound < LARGEST_BOUND]
    if large:
        raise RuntimeError(f"values of {', '.join(large)} exceed {LARGEST_BOUND:g} on some images; train longer, with a "
                           "larger guard_clip or a smaller settle_bound")
    return {"input": extremes.WHITE, **bounds}


def _check_export(model, network, pixels):
    """Raises if the ONNX file and the network disagree; the largest difference of a score."""
    expected, _ = evaluate(network, pixels)
    got = OnnxNetwork(model).run(pixels)[0]
    difference = (got - expected).abs().max().item()
    tolerance = HALF_TOLERANCE if network.config.half_precision else EXPORT_TOLERANCE
    if not difference <= tolerance * expected.abs().max().item():
        raise RuntimeError(f"the exported network's scores differ by {difference}")
    return difference


def _augmented_ranges(network, augmentation, count, seed):
    """By layer, the largest |output| on one random view of each of the `count` training images."""
    generator = torch.Generator().manual_seed(seed)
    largest = {}
    for index in torch.arange(count).split(1000):
        _, seen, _ = network.run(augmentation.apply(index, augmentation.draw(len(index), generator)))
        largest = {name: max(value, largest.get(name, 0.0)) for name, value in seen.items()}
    return largest


def write_model(folder, config, network, dataset, training_index, augmentation):
    """Writes MODEL.onnx with its ranges; returns the report's part about it."""
    calibration = dataset.train.part(training_index).pixels
    plain = OnnxNetwork(export(network, config.model, calibration))
    _, training, rms = plain.run(dataset.train.pixels)
    rms = {name: float(f"{value:.4g}") for name, value in {"input": _rms(dataset.train.pixels), **rms}.items()}
    by_extreme = {name: plain.run(images)[1] for name, images in extremes.named_extremes(dataset.shape).items()}
    views = _augmented_ranges(plain, augmentation, len(dataset.train), config.training.seed)
    bounds = _bounds(training, views, *by_extreme.values())
    metadata = {RANGES_KEY: json.dumps(bounds), RMS_KEY: json.dumps(rms)}
    if dataset.class_names:
        metadata[CLASS_NAMES_KEY] = json.dumps(dataset.class_names)
    model = export(network, config.model, calibration, metadata)
    path = Path(folder) / f"{config.model}.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))

    stored = onnx.load(str(path))
    difference = _check_export(stored, network, calibration[:500])
    scores, test, _ = OnnxNetwork(stored).run(dataset.test.pixels)
    outside = [name for name, largest in test.items() if largest > bounds[name]]
    if outside:
        raise RuntimeError(f"test images leave the bounds of {', '.join(outside)}")
    return {
        "test_accuracy": _accuracy(scores, dataset.test.labels),
        "export_difference": difference, "bytes": path.stat().st_size,
        "layers": {name: {"shape": list(shape), "hma": hma, "mac": mac}
                   for name, (shape, hma, mac) in OnnxNetwork(stored).work(dataset.shape).items()},
        "ranges": {"bounds": bounds, "rms": rms, "training": training, "views": views, "test": test,
                   "extremes": by_extreme},
    }


def plot_curve(history, path):
    """Loss and accuracies by epoch, as a small PNG."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, left = pyplot.subplots(figsize=(6, 3.2))
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["loss"] for row in history], color="tab:grey", label="loss")
    left.set_xlabel("epoch")
    left.set_ylabel("loss")
    right = left.twinx()
    right.plot(epochs, [100 * row["train_accuracy"] for row in history], color="tab:orange", label="training")
    checked = [row for row in history if "validation_accuracy" in row]
    right.plot([row["epoch"] for row in checked], [100 * row["validation_accuracy"] for row in checked],
               color="tab:blue", marker=".", label="validation")
    right.set_ylabel("accuracy, %")
    lines = left.get_lines() + right.get_lines()
    right.legend(lines, [line.get_label() for line in lines], loc="center right", fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def _layer_table(report):
    lines = ["| layer | output | HMA | MAC | rms | training | views | test | " +
             " | ".join(report["ranges"]["extremes"]) + " | bound in the file |"]
    lines.append("| --- " * (lines[0].count("|") - 1) + "|")
    ranges = report["ranges"]
    for name, layer in report["layers"].items():
        seen = [ranges[part][name] for part in ("training", "views", "test")]
        seen += [part[name] for part in ranges["extremes"].values()]
        cells = [f"`{name}`", " x ".join(map(str, layer["shape"])), f"{layer['hma']:,}", f"{layer['mac']:,}", f"{ranges['rms'][name]:.3g}",
                 *(f"{value:.3g}" for value in seen), f"{ranges['bounds'][name]:.4g}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _percent(fraction):
    return f"{100 * fraction:.2f} %"


def card(config, report):
    """The model card, Markdown."""
    training = dataclasses.asdict(config.training)
    recipe = ", ".join(f"{name} {value}" for name, value in training.items())
    data = {"mnist": "MNIST (LeCun, Cortes)", "cifar10": "CIFAR-10 (Krizhevsky, 2009)"}.get(
        config.dataset, config.dataset)
    hma, mac = (sum(layer[unit] for layer in report["layers"].values()) for unit in ("hma", "mac"))
    hours = report["cpu_seconds"] / 3600
    factorized = ", factorized" if any(layer.rank for layer in config.layers) else ""
    lines = [
        f"# {config.model}", "", config.title + ".", "",
        f"- **Accuracy.** {_percent(report['test_accuracy'])} on the {report['test_images']:,} test images, looked at "
        f"once; {_percent(report['validation_accuracy'])} on {config.training.validation:,} images of the training set "
        "that were kept apart to choose by.",
        f"- **Size.** {hma:,} homomorphic multiply-accumulates (HMA, one a weight), {mac / 1e6:.2f} million "
        f"multiply-accumulates (MAC), {report['bytes'] / 1e6:.2f} MB.",
        f"- **Data.** {data}.",
        f"- **Budget.** {report['epochs']} epochs, those of settling included, {hours:.2f} hours of one processor core"
        + (f", beside those of `{config.distillation.teacher}` (validation accuracy "
           f"{_percent(report['teacher_accuracy'])}), whose scores it learns from" if config.distillation else "")
        + (f"; it starts from `{config.start_from}`{factorized} (validation accuracy before any training "
           f"{_percent(report['start']['factorized'])})" if config.start_from else "") + ".",
        f"- **Recipe.** [Configuration](../training/runs/{config.name}/config.json): {recipe}; "
        f"{config.augmentation} views. `training/train.py --config training/configs/{config.name}.json` repeats it.",
        f"- **Course.** [Log](../training/runs/{config.name}/log.jsonl) and "
        f"[curve](../training/runs/{config.name}/curve.png).",
        "- **Licence.** As this repository's.", "",
        "Pixels enter raw, 0 to 255. Root mean squares on the training images, and largest absolute values, of every "
        "linear layer's output, also on a random view of each; the bound is 1.25 times the largest of all columns but the "
        "test images', for the scores 1.5 times:", "",
        _layer_table(report), "",
    ]
    return "\n".join(lines)


def finish(trainer):
    """Completes a trained run: curve, and where the configuration says so ONNX file, report and card."""
    config, folder = trainer.config, trainer.folder
    plot_curve(trainer.history, folder / "curve.png")
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=2) + "\n")
    report = {
        "name": config.name, "epochs": len(trainer.history),
        "validation_accuracy": trainer.history[-1]["validation_accuracy"],
        "cpu_seconds": math.fsum(row["cpu_seconds"] for row in trainer.history),
    }
    if trainer.start:
        report["start"] = trainer.start
    if config.distillation is not None:
        teacher = json.loads((trainer.other_run(config.distillation.teacher) / REPORT).read_text())
        report["teacher_accuracy"] = teacher["validation_accuracy"]
    if config.export:
        network = load_finished(folder)
        report["test_images"] = len(trainer.dataset.test)
        report.update(write_model(folder, config, network, trainer.dataset, trainer.train_index, trainer.augmentation))
        (folder / f"{config.model}.md").write_text(card(config, report))
    (folder / REPORT).write_text(json.dumps(report, indent=1) + "\n")
    trainer.say(f"{config.name} is done: validation {report['validation_accuracy']:.4f}"
                + (f", test {report['test_accuracy']:.4f}" if config.export else ""))
    (folder / runs.DONE).write_text("")
