import gzip
import hashlib
import lzma

import numpy as np
import pytest

from ffconv_training import data


@pytest.fixture
def mnist(tmp_path, monkeypatch):
    """A folder with two tiny files a split, whose sums stand in for the published ones."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    sums = {}
    for prefix, count in (("train", 3), ("t10k", 2)):
        pixels = bytes(16) + bytes(i % 256 for i in range(count * 784))
        labels = bytes(8) + bytes(range(count))
        for name, contents in ((f"{prefix}-images-idx3-ubyte", pixels), (f"{prefix}-labels-idx1-ubyte", labels)):
            (folder / f"{name}.gz").write_bytes(gzip.compress(contents))
            sums[name] = hashlib.sha256(contents).hexdigest()
    monkeypatch.setattr(data, "MNIST_FILES", sums)
    return folder


def test_mnist_is_read_in_the_files_order(mnist):
    dataset = data.load("mnist", mnist.parent)
    assert dataset.shape == (1, 28, 28)
    assert dataset.train.labels.tolist() == [0, 1, 2] and dataset.test.labels.tolist() == [0, 1]
    assert dataset.train.pixels[1, 0, 0, :3].tolist() == [784 % 256, 785 % 256, 786 % 256]


def test_a_file_that_is_not_the_published_one_is_refused_by_name(mnist):
    path = mnist / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(bytes(10)))
    with pytest.raises(data.DataError, match="t10k-labels.*not the published file"):
        data.load("mnist", mnist.parent)
    path.write_bytes(b"no gzip")
    with pytest.raises(data.DataError, match="t10k-labels.*cannot be read"):
        data.load("mnist", mnist.parent)
    path.unlink()
    with pytest.raises(data.DataError, match="t10k-labels.*not there.*get it from"):
        data.load("mnist", mnist.parent)


def test_cifar10_records_are_a_label_and_three_planes(tmp_path, monkeypatch):
    folder = tmp_path / "cifar10"
    folder.mkdir()
    sums = {}
    for k, name in enumerate(data.CIFAR10_FILES):
        contents = bytes([k]) + bytes([10 + k]) * 1024 + bytes([20]) * 1024 + bytes([30]) * 1024
        (folder / f"{name}.xz").write_bytes(lzma.compress(contents))
        sums[name] = hashlib.sha256(contents).hexdigest()
    monkeypatch.setattr(data, "CIFAR10_FILES", sums)
    dataset = data.load("cifar10", tmp_path)
    assert dataset.train.labels.tolist() == [0, 1, 2, 3, 4] and dataset.test.labels.tolist() == [5]
    assert dataset.train.pixels[3, :, 7, 9].tolist() == [13, 20, 30]


def test_a_missing_data_set_names_the_places_and_the_source(tmp_path, monkeypatch):
    monkeypatch.setenv("FFCONV_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(data, "REPOSITORY", tmp_path / "checkout")
    with pytest.raises(data.DataError) as error:
        data.load("cifar10")
    assert "elsewhere" in str(error.value) and data.ADDRESSES["cifar10"] in str(error.value)


def test_ones_own_data_set_is_an_npz_file(tmp_path):
    pixels, labels = np.zeros((4, 2, 5, 6), np.uint8), np.arange(4)
    arrays = {"train_pixels": pixels, "train_labels": labels, "test_pixels": pixels, "test_labels": labels}
    np.savez(tmp_path / "mine.npz", class_names=["a", "b"], **arrays)
    dataset = data.load("mine", tmp_path)
    assert dataset.shape == (2, 5, 6) and dataset.class_names == ["a", "b"] and len(dataset.test) == 4
    np.savez(tmp_path / "mine.npz", **{**arrays, "train_labels": labels[:3]})
    with pytest.raises(data.DataError, match="train_pixels"):
        data.load("mine", tmp_path)
    del arrays["test_labels"]
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(data.DataError, match="test_labels: missing"):
        data.load("mine", tmp_path)


def test_validation_images_are_apart_and_the_same_every_time():
    train, validation = data.split(1000, 100)
    assert len(validation) == 100 and sorted([*train.tolist(), *validation.tolist()]) == list(range(1000))
    assert data.split(1000, 100)[1].tolist() == validation.tolist()
