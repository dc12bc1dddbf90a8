#!/usr/bin/env python3
"""Factorizes a trained network at ranks from 1/2 to 1/16, by all methods, and writes the table and the plot.

    training/factorization_study.py mnist-lola --runs build/train --out build/study

Accuracy of singular values, of principal components, of either plus fine-tuning, and of training from the start.
--runs holds the finished run of the network (and of its teacher, where it has one). Every point is a run of its own in
--out: Ctrl-C, a kill or --max-minutes loses at most the epoch in progress, and the same command goes on. After every
point, training/runs/NAME-factorization/results.json holds what is known; at the end the section NAME of
docs/factorization.md is written anew.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from train import UNFINISHED, set_environment

REPOSITORY = Path(__file__).resolve().parent.parent
CONFIGS = REPOSITORY / "training" / "configs"
DOCUMENT = REPOSITORY / "docs" / "factorization.md"


def link_runs(args, names):
    """The runs that others start from, as neighbours of theirs."""
    args.out.mkdir(parents=True, exist_ok=True)
    for name in filter(None, names):
        source = (args.runs / name).resolve()
        if not (source / "network.pt").is_file():
            sys.exit(f"factorization_study.py: {source}: not a finished run; train {name} first")
        link = args.out / name
        if link.resolve() != source:
            link.unlink(missing_ok=True)
            link.symlink_to(source, target_is_directory=True)


def write(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "results.json.part"
    part.write_text(json.dumps(results, indent=1) + "\n")
    part.replace(folder / "results.json")


def publish(results, name, folder):
    from ffconv_training import study
    study.plot(results, folder / "plot.png")
    picture = f"../training/runs/{folder.name}/plot.png"
    content = (f"{study.table(results)}\n\n![Accuracy against HMA]({picture})\n\n"
               f"Fine-tuning takes {results['fine_tuning_epochs']} epochs, training from the start "
               f"{results['scratch_epochs']}; the original had {results['original']['epochs']}.")
    DOCUMENT.write_text(study.replace_section(DOCUMENT.read_text(), name, content))


def total_epochs(config):
    """Of the network and of those that it starts from, one after the other."""
    from ffconv_training import config as configs
    before = config.start_from
    earlier = total_epochs(configs.read(CONFIGS / f"{before}.json")) if before else 0
    return earlier + config.training.epochs


def measure(args, config, dataset):
    """All points, one after the other; None where time is up."""
    from ffconv_training import study
    from ffconv_training.trainer import Trainer
    folder = REPOSITORY / "training" / "runs" / f"{config.name}-factorization"
    original = json.loads((args.out / config.name / "report.json").read_text())
    whole = [None] * len(config.layers)
    results = {
        "network": config.name, "fine_tuning_epochs": args.epochs, "scratch_epochs": args.scratch_epochs,
        "original": {**study.total_work(config.layers, dataset.shape, whole),
                     "accuracy": original["validation_accuracy"], "epochs": total_epochs(config)},
        "points": [],
    }
    started = time.monotonic()
    for part in study.PARTS:
        for way in study.WAYS:
            epochs = args.scratch_epochs if way == "scratch" else args.epochs
            point = study.point_config(config, dataset.shape, part, way, epochs)
            left = None if args.max_minutes is None else args.max_minutes - (time.monotonic() - started) / 60
            if left is not None and left <= 0:
                return None
            trainer = Trainer(point, dataset, args.out / point.name, args.precision)
            if len(trainer.history) < epochs and not trainer.run(left):
                return None
            results["points"].append(study.point_result(config, dataset.shape, part, way, trainer))
            write(results, folder)
    publish(results, config.name, folder)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="of a configuration in training/configs")
    parser.add_argument("--runs", type=Path, required=True, help="folder of the finished runs of training")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs made here")
    parser.add_argument("--data", type=Path, help="as for train.py")
    parser.add_argument("--epochs", type=int, help="of fine-tuning (default: a sixth of the original's)")
    parser.add_argument("--scratch-epochs", type=int, help="of training from the start (default: half the original's)")
    parser.add_argument("--max-minutes", type=float, default=115, help="stop before the epoch that would exceed it")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    args = parser.parse_args()
    set_environment(args.threads)

    import torch
    from ffconv_training import config as configs, data
    torch.set_num_threads(args.threads)
    try:
        config = configs.read(CONFIGS / f"{args.name}.json")
        dataset = data.load(config.dataset, args.data)
    except (configs.ConfigError, data.DataError) as error:
        sys.exit(f"factorization_study.py: {error}")
    args.epochs = args.epochs or max(1, config.training.epochs // 6)
    args.scratch_epochs = args.scratch_epochs or max(1, config.training.epochs // 2)
    link_runs(args, [config.name, config.distillation and config.distillation.teacher])
    return 0 if measure(args, config, dataset) else UNFINISHED


if __name__ == "__main__":
    sys.exit(main())
