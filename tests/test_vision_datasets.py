"""Datasets of colour images, folders of images and MNIST's larger relatives, from small files.

The files have torchvision's layout; downloads are tested in `test_vision_files.py`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

import lantern
from lantern import data
from lantern.vision import datasets, transforms
from lantern.vision.datasets import download, utils


def md5(content):
    return hashlib.md5(content).hexdigest()


def idx(array):
    kind = {"uint8": 0x08, "int32": 0x0C}[array.dtype.name]
    head = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


class PythonTwo(pickle._Pickler):
    """Writes bytes as Python 2 wrote its strings, as in the published files."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        value = value.encode() if isinstance(value, str) else value
        self.write(b"T" + struct.pack("<I", len(value)) + value)
        self.memoize(value)

    dispatch[bytes] = dispatch[str] = save_string


def python_two(value):
    stream = io.BytesIO()
    PythonTwo(stream, 2).dump(value)
    return stream.getvalue()


def tar(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


# CIFAR


def cifar_files(kind, write):
    """Small files of CIFAR in the published form, by name."""
    random = np.random.RandomState(0)
    labels = "labels" if kind == "CIFAR10" else "fine_labels"

    def batch(count):
        pixels = random.randint(0, 256, (count, 3072)).astype(np.uint8)
        return write({"data": pixels, labels: [int(n) for n in random.randint(0, 3, count)]})

    if kind == "CIFAR10":
        parts = {f"data_batch_{number}": batch(4) for number in range(1, 6)} | {
            "test_batch": batch(3)
        }
        return parts | {"batches.meta": write({"label_names": ["cat", "dog", "frog"]})}
    parts = {"train": batch(6), "test": batch(2)}
    return parts | {"meta": write({"fine_label_names": ["apple", "bear", "crab"]})}


@pytest.fixture(params=["CIFAR10", "CIFAR100"])
def cifar(request, tmp_path, monkeypatch):
    """A class of CIFAR whose checksums are those of small files, which lie in a mirror."""
    kind = getattr(datasets, request.param)
    files = cifar_files(request.param, python_two)
    for name in ("train_list", "test_list"):
        listed = [[file, md5(files[file])] for file, _ in getattr(kind, name)]
        monkeypatch.setattr(kind, name, listed)
    meta = kind.meta | {"md5": md5(files[kind.meta["filename"]])}
    monkeypatch.setattr(kind, "meta", meta)
    archive = tar({f"{kind.base_folder}/{name}": content for name, content in files.items()})
    monkeypatch.setattr(kind, "tgz_md5", md5(archive))
    place = tmp_path / "mirror" / request.param
    place.mkdir(parents=True)
    (place / kind.filename).write_bytes(archive)
    monkeypatch.setenv("LANTERN_MIRROR", str(tmp_path / "mirror"))
    return kind


def test_cifar_downloads_and_reads(cifar, tmp_path):
    train = cifar(tmp_path, download=True)
    test = cifar(tmp_path, train=False)
    assert (len(train), len(test)) == ((20, 3) if cifar is datasets.CIFAR10 else (6, 2))
    assert train.data.shape == (len(train), 32, 32, 3)
    assert train.data.dtype == np.uint8
    assert type(train.targets) is list
    assert train.classes[train.class_to_idx[train.classes[1]]] == train.classes[1]
    image, target = train[1]
    assert (image.mode, image.size, target) == ("RGB", (32, 32), train.targets[1])
    np.testing.assert_array_equal(np.asarray(image), train.data[1])
    assert "Split: Test" in repr(test)


def test_channels_of_cifar_are_in_the_order_of_the_file(cifar, tmp_path):
    train = cifar(tmp_path, download=True)
    name = cifar.train_list[0][0]
    with open(tmp_path / cifar.base_folder / name, "rb") as file:
        stored = pickle.load(file, encoding="latin1")["data"]
    np.testing.assert_array_equal(train.data[0], stored[0].reshape(3, 32, 32).transpose(1, 2, 0))


def test_damaged_files_of_cifar_are_named_and_fetched_again(cifar, tmp_path):
    with pytest.raises(RuntimeError, match="(?s)Dataset not found or corrupted.*put "):
        cifar(tmp_path)
    cifar(tmp_path, download=True)
    path = tmp_path / cifar.base_folder / cifar.test_list[0][0]
    path.write_bytes(b"other")
    with pytest.raises(RuntimeError, match=f"put {cifar.test_list[0][0]}, as"):
        cifar(tmp_path)
    assert len(cifar(tmp_path, download=True)) in (20, 6)


@pytest.mark.parametrize("cut", [False, True])
def test_batches_of_colour_images_equal_images_one_by_one(cifar, tmp_path, cut):
    pipeline = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.4, 0.5, 0.6), (0.2, 0.3, 0.1))]
    )
    train = cifar(tmp_path, transform=pipeline, download=True)
    if cut:  # what scripts do to see less
        train.data, train.targets = train.data[1:5].copy(), train.targets[1:5]
    assert train.__gather__(lantern.tensor([1])) is not None
    singly = lambda samples: data.default_collate(samples)  # noqa: E731
    for left, right in zip(
        data.DataLoader(train, 3), data.DataLoader(train, 3, collate_fn=singly), strict=True
    ):
        for first, second in zip(left, right, strict=True):
            assert first.stride() == second.stride()
            lantern.testing.assert_close(first, second, rtol=0, atol=0)
    train.targets = np.array(train.targets)
    assert train.__gather__(lantern.tensor([1])) is None


def test_a_pickle_of_images_runs_nothing(cifar, tmp_path, monkeypatch):
    cifar(tmp_path, download=True)
    name = cifar.test_list[0][0]
    hostile = pickle.dumps({"data": os.getcwd})
    (tmp_path / cifar.base_folder / name).write_bytes(hostile)
    monkeypatch.setattr(cifar, "test_list", [[name, md5(hostile)]])
    with pytest.raises(pickle.UnpicklingError, match="getcwd does not belong into a file of"):
        cifar(tmp_path, train=False)


# Relatives of MNIST


def grey(count, seed=0):
    random = np.random.RandomState(seed)
    return random.randint(0, 256, (count, 4, 5)).astype(np.uint8)


def test_emnist_downloads_and_reads_its_splits(tmp_path, monkeypatch):
    files = {}
    for place, split in enumerate(datasets.EMNIST.splits):
        for part, count in (("train", 5 + place), ("test", 2)):
            name = f"gzip/emnist-{split}-{part}"
            files[f"{name}-images-idx3-ubyte.gz"] = gzip.compress(idx(grey(count)))
            labels = np.arange(count, dtype=np.uint8)
            files[f"{name}-labels-idx1-ubyte.gz"] = gzip.compress(idx(labels))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    (tmp_path / "EMNIST").mkdir()
    (tmp_path / "EMNIST" / "gzip.zip").write_bytes(stream.getvalue())
    monkeypatch.setenv("LANTERN_MIRROR", str(tmp_path))
    monkeypatch.setattr(datasets.EMNIST, "resources", [("gzip.zip", md5(stream.getvalue()))])
    letters = datasets.EMNIST(tmp_path / "x", "letters", download=True)
    assert (len(letters), len(letters.classes), letters.classes[0]) == (8, 27, "N/A")
    assert letters.targets.tolist() == list(range(8))
    np.testing.assert_array_equal(np.asarray(letters[3][0]), grey(8)[3])
    assert len(datasets.EMNIST(tmp_path / "x", split="byclass", train=False)) == 2
    assert [len(datasets.EMNIST.classes_split_dict[split]) for split in datasets.EMNIST.splits] == [
        62,
        47,
        47,
        27,
        10,
        10,
    ]
    with pytest.raises(ValueError, match="Unknown value 'words' for argument split. Valid values"):
        datasets.EMNIST(tmp_path, "words")
    with pytest.raises(RuntimeError, match="emnist-digits-train-images-idx3-ubyte"):
        datasets.EMNIST(tmp_path / "empty", "digits")


def test_qmnist_has_more_to_say_of_each_digit(tmp_path):
    raw = tmp_path / "QMNIST" / "raw"
    raw.mkdir(parents=True)
    labels = np.arange(24, dtype=np.int32).reshape(3, 8)
    (raw / "qmnist-train-images-idx3-ubyte").write_bytes(idx(grey(3)))
    (raw / "qmnist-train-labels-idx2-int.gz").write_bytes(gzip.compress(idx(labels)))
    (raw / "xnist-images-idx3-ubyte.xz").write_bytes(lzma.compress(idx(grey(3, 1))))
    (raw / "xnist-labels-idx2-int").write_bytes(idx(labels))
    train = datasets.QMNIST(tmp_path)
    assert [target for _, target in train] == [0, 8, 16]
    assert "Split: train" in repr(train)
    whole = datasets.QMNIST(tmp_path, "nist", compat=False)
    assert whole[1][1].tolist() == list(range(8, 16))
    np.testing.assert_array_equal(np.asarray(whole[2][0]), grey(3, 1)[2])
    for dataset, wanted in ((train, [0, 8, 16]), (whole, labels.tolist())):
        dataset.transform = transforms.ToTensor()
        (batch,) = data.DataLoader(dataset, 3)
        assert batch[1].tolist() == wanted
    with pytest.raises(RuntimeError, match="or put qmnist-test-images-idx3-ubyte"):
        datasets.QMNIST(tmp_path, train=False)
    with pytest.raises(ValueError, match="for argument what"):
        datasets.QMNIST(tmp_path, "all")


# STL-10


def test_stl10_reads_its_splits(tmp_path, monkeypatch):
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    random = np.random.RandomState(0)
    pixels = random.randint(0, 256, (4, 3, 96, 96)).astype(np.uint8)
    for name in ("train", "test", "unlabeled"):
        (folder / f"{name}_X.bin").write_bytes(pixels.tobytes())
        (folder / f"{name}_y.bin").write_bytes(bytes([1, 3, 10, 2]))
    (folder / "class_names.txt").write_text("airplane\nbird\n")
    (folder / "fold_indices.txt").write_text("0 2 \n1 3 \n")
    for name in ("train_list", "test_list"):
        listed = [[file, None] for file, _ in getattr(datasets.STL10, name)]
        monkeypatch.setattr(datasets.STL10, name, listed)
    train = datasets.STL10(tmp_path, transform=transforms.PILToTensor())
    assert train.classes == ["airplane", "bird"]
    assert train.labels.tolist() == [0, 2, 9, 1]
    np.testing.assert_array_equal(train[2][0].numpy(), pixels[2].transpose(0, 2, 1))
    (batch,) = data.DataLoader(train, 4)
    np.testing.assert_array_equal(batch[0].numpy(), pixels.transpose(0, 1, 3, 2))
    assert datasets.STL10(tmp_path, folds=1).labels.tolist() == [2, 1]
    both = datasets.STL10(tmp_path, "train+unlabeled", folds=0)
    assert both.labels.tolist() == [0, 9, -1, -1, -1, -1]
    assert both[4][1] == -1
    assert len(datasets.STL10(tmp_path, "unlabeled")) == 4
    with pytest.raises(ValueError, match=r"range \[0, 10\), but got 11"):
        datasets.STL10(tmp_path, folds=11)


# Folders


@pytest.fixture
def folders(tmp_path):
    for name, colour in (("b/2.png", 2), ("b/deep/1.PNG", 1), ("a/0.jpg", 0), ("a/notes.txt", 9)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("txt"):
            path.write_text("none")
        else:
            Image.new("L", (3, 2), colour).save(path)
    return tmp_path


def test_folders_are_classes(folders):
    images = datasets.ImageFolder(str(folders))
    assert images.classes == ["a", "b"]
    assert images.class_to_idx == {"a": 0, "b": 1}
    names = [(os.path.relpath(path, folders), target) for path, target in images.imgs]
    assert names == [("a/0.jpg", 0), ("b/2.png", 1), ("b/deep/1.PNG", 1)]
    assert images.targets == [0, 1, 1]
    image, target = images[1]
    assert (image.mode, image.size, image.getpixel((0, 0)), target) == ("RGB", (3, 2), (2,) * 3, 1)
    texts = datasets.DatasetFolder(
        folders, len, is_valid_file=lambda path: "deep" not in path, target_transform=str
    )
    assert len(texts) == 3
    assert texts[1] == (len(str(folders / "a" / "notes.txt")), "0")


def test_folders_without_images_are_named(folders):
    (folders / "c").mkdir()
    with pytest.raises(FileNotFoundError, match="valid file for the classes c. Supported exten"):
        datasets.ImageFolder(folders)
    assert datasets.ImageFolder(folders, allow_empty=True).classes == ["a", "b", "c"]
    with pytest.raises(FileNotFoundError, match="Couldn't find any class folder in"):
        datasets.ImageFolder(folders / "c")
    with pytest.raises(ValueError, match="cannot be None or not None at the same time"):
        datasets.DatasetFolder(folders, len)


def test_images_in_folders_are_read_by_workers(folders):
    images = datasets.ImageFolder(folders, transforms.ToTensor())
    (batch,) = data.DataLoader(images, 3, num_workers=2)
    assert batch[0].mul(255).round()[:, 0, 0, 0].tolist() == [0, 2, 1]


# Noise


def test_fake_data_are_those_of_torchvision():
    fake = datasets.FakeData(2, (3, 4, 5))
    lantern.manual_seed(5)
    before = lantern.rand(1)
    lantern.manual_seed(5)
    found = [(int(np.asarray(image).sum()), target) for image, target in fake]
    assert found == [(7980, 9), (7052, 5)]  # torchvision 0.29
    assert lantern.equal(before, lantern.rand(1))
    assert datasets.FakeData(1, (3, 4, 5), random_offset=1)[0][1] == 5


# Archives


def test_archives_keep_to_their_folder(tmp_path):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(tar({"../outside": b"x"}))
    with pytest.raises(RuntimeError, match=r"x\.tar\.gz is damaged"):
        download.extract(str(path), str(tmp_path / "y"))
    assert sorted(os.listdir(tmp_path)) == ["x.tar.gz"]


@pytest.mark.parametrize("name", ["x.tar.gz", "x.zip"])
def test_cut_archives_leave_nothing(tmp_path, name):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a/b", b"b" * 100000)
    content = stream.getvalue() if name.endswith("zip") else tar({"a/b": os.urandom(100000)})
    path = tmp_path / name
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(RuntimeError, match="is damaged"):
        utils.extract_archive(path)
    assert os.listdir(tmp_path) == [name]


def test_helpers_for_datasets_of_ones_own(tmp_path):
    (tmp_path / "served").mkdir()
    archive = tar({"a/b.txt": b"hello"})
    (tmp_path / "served" / "x.tgz").write_bytes(archive)
    url = (tmp_path / "served" / "x.tgz").as_uri()
    utils.download_and_extract_archive(url, tmp_path / "to", md5=md5(archive))
    assert (tmp_path / "to" / "a" / "b.txt").read_text() == "hello"
    assert utils.check_integrity(tmp_path / "to" / "x.tgz", md5(archive))
    assert not utils.check_integrity(tmp_path / "to" / "absent")
    with pytest.raises(RuntimeError, match="put y.tgz into the folder"):
        utils.download_url(url.replace("x.tgz", "y.tgz"), tmp_path / "to")
    (tmp_path / "z.gz").write_bytes(gzip.compress(b"z"))
    assert utils.extract_archive(tmp_path / "z.gz", tmp_path / "q") == str(tmp_path / "q" / "z")
    with pytest.raises(RuntimeError, match="Unknown compression or archive type: '.rar'"):
        utils.extract_archive("x.rar")
