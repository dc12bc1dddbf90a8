#!/usr/bin/env python3
"""Trains one network for encrypted inference, after a configuration file of training/configs.

    training/train.py --config training/configs/mnist-lola.json --out build/train/mnist-lola

Ctrl-C or a kill loses at most the epoch in progress; the same command goes on. When training has finished, the folder
holds NAME.onnx, NAME.md (the model card), curve.png and the log. Other runs that the configuration names (a teacher,
the network that a factorized one starts from) are expected beside the folder.
"""

import argparse
import os
import sys
from pathlib import Path

UNFINISHED = 3  # exit code after --max-minutes


def set_environment(threads):
    """Starts this program anew where the environment lacks what is read before the first line runs."""
    wanted = {
        # Large tensors come from the heap and go back to it, not to the kernel: 10 to 15 % of the time.
        "MALLOC_MMAP_THRESHOLD_": "1073741824",
        "MALLOC_TRIM_THRESHOLD_": "4294967296",
        "OMP_NUM_THREADS": str(threads),
    }
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, *sys.argv])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--data", type=Path, help="folder that holds mnist/ and cifar10/ (else $FFCONV_DATA, data/)")
    parser.add_argument("--max-minutes", type=float,
                        help="stop, with a checkpoint, before the epoch that would exceed it")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    args = parser.parse_args()
    set_environment(args.threads)

    try:
        import torch
        from ffconv_training import config as configs, data, finish, trainer
    except ImportError as error:
        sys.exit(f"train.py: {error} for {sys.executable}; training/setup.sh installs it for Debian's /usr/bin/python3")
    torch.set_num_threads(args.threads)
    try:
        config = configs.read(args.config)
        dataset = data.load(config.dataset, args.data)
    except (configs.ConfigError, data.DataError) as error:
        sys.exit(f"train.py: {error}")
    run = trainer.Trainer(config, dataset, args.out, args.precision)
    if not run.run(args.max_minutes):
        return UNFINISHED
    finish.finish(run)
    return 0


if __name__ == "__main__":
    sys.exit(main())
