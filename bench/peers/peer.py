"""What the peers' programs share: test images, and answers to run.py.

First comes a description: parameters, and how decrypted scores compare with the same network's unencrypted ones; or
{"missing": reason} where the network cannot run. Then every line on standard input is answered by the microseconds of
one evaluation. Answers are lines of JSON; what libraries print goes to standard error.
"""

import itertools
import json
import os
import sys
import time
from pathlib import Path

import numpy
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
IMAGES = 3  # evaluated and compared once, which also warms up; then timed in turn


def images(data):
    """The first test images of samples/: pixels 0 to 255, channels first."""
    names = [entry["file"] for entry in json.loads((SAMPLES / data / "labels.json").read_text())["images"][:IMAGES]]
    pixels = [numpy.asarray(Image.open(SAMPLES / data / name), dtype=numpy.float32) for name in names]
    return [image[None] if image.ndim == 2 else image.transpose(2, 0, 1) for image in pixels]


def agreement(expected, decrypted):
    """Of scores, an image a row."""
    expected, decrypted = numpy.array(expected), numpy.array(decrypted)
    return {"images": len(expected), "agree": int((expected.argmax(1) == decrypted.argmax(1)).sum()),
            "max_score_error": float(numpy.abs(expected - decrypted).max()),
            "largest_score": float(numpy.abs(expected).max())}


def prepared(network):
    """Its description, and its encrypted images without end."""
    inputs = [network.encrypt(image) for image in images(network.data)]
    decrypted = [network.decrypt(network.evaluate(image)) for image in inputs]
    expected = [network.clear(image) for image in images(network.data)]
    return {**network.description, **agreement(expected, decrypted)}, itertools.cycle(inputs)


def serve(make):
    """make() gives a network: data, description, encrypt, evaluate, decrypt, clear."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    try:
        network = make()
        description, inputs = prepared(network)
    except Exception as error:  # whatever keeps a peer from running is a result of the comparison
        answer({"missing": f"{type(error).__name__}: {error}"})
        return
    answer(description)
    for _ in sys.stdin:
        image = next(inputs)
        start = time.perf_counter_ns()
        network.evaluate(image)
        answer((time.perf_counter_ns() - start) / 1000)
