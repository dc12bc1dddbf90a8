"""MNIST and CIFAR-10 from their official files, checked by SHA-256.

The files may be unpacked or compressed (.gz, .xz); the sums are of the unpacked contents. The folder is the option
--data or $FFCONV_DATA, else data/ or ../shared/data beside the repository, and holds mnist/ and cifar10/. Any other
data set NAME is a file NAME.npz there, with the arrays of OWN_ARRAYS and optionally class_names.
"""

import dataclasses
import gzip
import hashlib
import lzma
import os
from pathlib import Path

import numpy as np
import torch

REPOSITORY = Path(__file__).resolve().parents[2]

MNIST_FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
CIFAR10_FILES = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
ADDRESSES = {
    "mnist": "http://yann.lecun.com/exdb/mnist/",
    "cifar10": "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
}
OWN_ARRAYS = ("train_pixels", "train_labels", "test_pixels", "test_labels")
CIFAR10_CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


class DataError(Exception):
    """A data set that is missing or not the published one."""


@dataclasses.dataclass
class Images:
    pixels: torch.Tensor  # uint8 [n, channels, rows, columns]
    labels: torch.Tensor  # int64 [n]

    def __len__(self):
        return len(self.labels)

    def part(self, index):
        return Images(self.pixels[index], self.labels[index])


@dataclasses.dataclass
class Dataset:
    name: str
    train: Images
    test: Images
    class_names: list  # empty where the classes are just numbered

    @property
    def shape(self):
        return tuple(self.train.pixels.shape[1:])


def find(name, root=None):
    """The path of `name` in root, or in the first of the usual places that has it."""
    if root is not None:
        roots = [Path(root)]
    else:
        variable = os.environ.get("FFCONV_DATA")
        roots = [Path(variable)] if variable else []
        roots += [REPOSITORY / "data", REPOSITORY.parent / "shared" / "data"]
    for candidate in roots:
        if (candidate / name).exists():
            return candidate / name
    source = f"get it from {ADDRESSES[name]} and " if name in ADDRESSES else ""
    raise DataError(f"there is no {', nor '.join(str(r / name) for r in roots)}; {source}name the folder that holds "
                    f"{name} by --data or FFCONV_DATA")


def read_published(folder, name, sums):
    """The unpacked contents of a published file, as bytes."""
    for suffix, unpack in ((".gz", gzip.decompress), (".xz", lzma.decompress), ("", bytes)):
        path = folder / (name + suffix)
        if path.is_file():
            break
    else:
        raise DataError(f"{folder / name}: not there, nor as .gz or .xz; get it from {ADDRESSES[folder.name]}")
    try:
        contents = unpack(path.read_bytes())
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    found = hashlib.sha256(contents).hexdigest()
    if found != sums[name]:
        raise DataError(f"{path}: not the published file: its contents have SHA-256 {found}, expected {sums[name]}")
    return contents


def _mnist_images(folder, prefix):
    pixels = read_published(folder, f"{prefix}-images-idx3-ubyte", MNIST_FILES)
    labels = read_published(folder, f"{prefix}-labels-idx1-ubyte", MNIST_FILES)
    pixels = np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 1, 28, 28)
    labels = np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)
    return Images(torch.from_numpy(pixels.copy()), torch.from_numpy(labels))


def _cifar10_images(folder, names):
    """A record is a label and the red, green and blue planes."""
    records = np.concatenate([np.frombuffer(read_published(folder, name, CIFAR10_FILES), np.uint8).reshape(-1, 3073)
                              for name in names])
    pixels = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy())
    return Images(pixels, torch.from_numpy(records[:, 0].astype(np.int64)))


def _own_images(arrays, part, path):
    pixels, labels = arrays[f"{part}_pixels"], arrays[f"{part}_labels"]
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or labels.shape != pixels.shape[:1]:
        raise DataError(f"{path}: {part}_pixels: expected uint8 [n, channels, rows, columns] and n labels, got "
                        f"{pixels.dtype} {list(pixels.shape)} and {list(labels.shape)}")
    return Images(torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64)))


def _load_own(name, path):
    with np.load(path) as arrays:
        missing = [array for array in OWN_ARRAYS if array not in arrays]
        if missing:
            raise DataError(f"{path}: {', '.join(missing)}: missing")
        names = [str(text) for text in arrays["class_names"]] if "class_names" in arrays else []
        return Dataset(name, _own_images(arrays, "train", path), _own_images(arrays, "test", path), names)


def load(name, root=None):
    """The data set "mnist", "cifar10", or one's own. Raises DataError."""
    if name not in ADDRESSES:
        return _load_own(name, find(f"{name}.npz", root))
    folder = find(name, root)
    if name == "mnist":
        return Dataset(name, _mnist_images(folder, "train"), _mnist_images(folder, "t10k"), [])
    names = list(CIFAR10_FILES)
    return Dataset(name, _cifar10_images(folder, names[:5]), _cifar10_images(folder, names[5:]), CIFAR10_CLASSES)


def split(count, validation, seed=0):
    """(training, validation) indices of `count` images. One seed for all networks: a teacher must not have been trained
    on the images that its student is chosen by."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[validation:], order[:validation]
