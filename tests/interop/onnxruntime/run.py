#!/usr/bin/env python3
"""Holds FFConv's importer, exporter and float executor against onnxruntime (docs/interop.md).

onnxruntime_peer writes random models over all operators, the same as exported again, and inputs for these and for
every network of models/, with FFConv's scores; onnxruntime runs the same files. Scores must agree to 1e-5 of the
largest one (of 1, where all are smaller). onnxruntime comes from the package index into a virtual environment
under DIRECTORY, which is kept.

Usage: run.py ONNXRUNTIME_PEER MODELS_DIRECTORY DIRECTORY [--seeds COUNT] [--first SEED]
Exit code 0: all agree; 77: skipped, with the reason; 1: otherwise.
"""

import argparse
import array
import math
import pathlib
import subprocess
import sys
import tempfile

REQUIREMENTS = pathlib.Path(__file__).resolve().parent / "requirements.txt"
SKIPPED = 77
FETCH_SECONDS = 300
RELATIVE = 1e-5


def skip(reason):
    print(f"SKIPPED: {reason}; FFConv was not compared with onnxruntime")
    return SKIPPED


def tool(*command):
    """None, or why the command failed."""
    try:
        result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=False,
                                stderr=subprocess.STDOUT, text=True, timeout=FETCH_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {error}"
    if result.returncode == 0:
        return None
    return (result.stdout.strip().splitlines() or [f"{command[0]}: no message"])[-1]


def fetch(folder):
    """A Python that has onnxruntime, or None and why there is none."""
    python = folder / "bin" / "python"
    if not python.exists():
        reason = tool(sys.executable, "-m", "venv", folder)
        if reason is not None:
            return None, f"no virtual environment can be made ({reason})"
    reason = tool(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS)
    if reason is not None:
        return None, f"onnxruntime cannot be fetched ({reason})"
    return python, None


def runtime_scores(model, pixels):
    """The scores that onnxruntime gives for an array of pixels. Executed by the virtual environment's Python."""
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    # As the file says: fused operators would round otherwise.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    image = session.get_inputs()[0]
    batch = numpy.array(pixels, numpy.float32).reshape([1] + image.shape[1:])
    return session.run(None, {image.name: batch})[0].reshape(-1).tolist()


def read_numbers(path, typecode):
    numbers = array.array(typecode)
    numbers.frombytes(path.read_bytes())
    return numbers


def compare(models, folder, scores_of):
    """Whether scores_of(model, pixels) gives FFConv's scores for every model."""
    worst, wrong = 0.0, 0
    for model in models:
        expected = read_numbers(folder / f"{model.stem}.scores", "d")
        got = scores_of(model, read_numbers(folder / f"{model.stem}.input", "f"))
        if len(got) != len(expected):
            print(f"{model.name}: {len(got)} scores, here {len(expected)}")
            wrong += 1
            continue
        differences = [abs(x - y) for x, y in zip(got, expected)]
        # Not a number is larger than any bound, which max() would not see.
        largest = math.nan if any(map(math.isnan, differences)) else max(differences)
        error = largest / max(1.0, *map(abs, expected))
        if not error <= RELATIVE:
            print(f"{model.name}: scores differ by {error:.3g} of the largest")
            wrong += 1
        worst = max(worst, error)
    print(f"{len(models) - wrong} of {len(models)} models agree, the worst to {worst:.2g}")
    return wrong == 0 and len(models) > 0


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("peer", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--compare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    networks = sorted(options.models.glob("*.onnx"))
    if options.compare:
        models = sorted(options.directory.glob("*.onnx")) + networks
        return 0 if compare(models, options.directory, runtime_scores) else 1

    python, reason = fetch(options.directory.resolve() / "onnxruntime")
    if python is None:
        return skip(reason)
    with tempfile.TemporaryDirectory(prefix="ffconv-onnxruntime-") as folder:
        print(f"seeds {options.first} to {options.first + options.seeds - 1}")
        sys.stdout.flush()
        for command in ((options.peer, "random", options.first, options.seeds, folder),
                        (options.peer, "files", folder, *networks),
                        (python, __file__, options.peer, options.models, folder, "--compare")):
            if subprocess.run([str(word) for word in command], check=False).returncode != 0:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
