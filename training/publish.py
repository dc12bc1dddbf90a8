#!/usr/bin/env python3
"""Takes finished runs into the repository: models/MODEL.onnx and its card, training/runs/NAME with log and curve.

The network itself goes there too, in half precision: others that learn or start from it need no run of it.

    training/publish.py build/train/mnist-lola build/train/cifar-lola
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

from ffconv_training import runs

REPOSITORY = Path(__file__).resolve().parent.parent
RUN_FILES = ("config.json", "log.jsonl", "curve.png", "report.json")


def publish(folder):
    """Copies what belongs into the repository; the files written."""
    config = json.loads((folder / "config.json").read_text())
    run = runs.PUBLISHED / config["name"]
    run.mkdir(parents=True, exist_ok=True)
    copies = [(folder / name, run / name) for name in RUN_FILES]
    if config["export"]:
        for suffix in (".onnx", ".md"):
            name = config["model"] + suffix
            copies.append((folder / name, REPOSITORY / "models" / name))
    for source, target in copies:
        shutil.copyfile(source, target)
    runs.save_halved(folder / runs.NETWORK, run / runs.NETWORK)
    return [target for _, target in copies] + [run / runs.NETWORK]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    for folder in parser.parse_args().folders:
        if not (folder / "done").is_file():
            sys.exit(f"publish.py: {folder}: not a finished run")
        for path in publish(folder):
            print(path.relative_to(REPOSITORY))


if __name__ == "__main__":
    main()
