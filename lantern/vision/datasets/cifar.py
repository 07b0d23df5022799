"""CIFAR-10 and CIFAR-100: 60,000 colour images of 32 x 32, in the pickles they come in."""

from __future__ import annotations

import os
import pickle
from typing import IO, Any

import lantern

from .archive import InArchive
from .vision import ColourImages, Transform


class CIFAR10(InArchive, ColourImages):
    """Ten kinds of things (A. Krizhevsky), in the folder `root/cifar-10-batches-py`.

    `download=True` fetches and unpacks the archive where files are missing or damaged, from the
    server or folder that the environment variable LANTERN_MIRROR names before all others. Raises
    RuntimeError where files are missing, cannot be downloaded, or are damaged.
    """

    base_folder = "cifar-10-batches-py"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    mirrors = ["https://www.cs.toronto.edu/~kriz/", "https://dataset.bj.bcebos.com/cifar/"]
    train_list = [
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list = [["test_batch", "40351d587109b95175f43aff81a1287e"]]
    meta = {
        "filename": "batches.meta",
        "key": "label_names",
        "md5": "5ff9c542aee3614f3951f8cda6e48888",
    }

    def __init__(
        self,
        root: str | os.PathLike,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        self._check_files()
        self.data, self.targets = self._load_data()
        names = self._read(self.meta["filename"])[self.meta["key"]]
        self.classes = [_text(name) for name in names]
        self.class_to_idx = {name: number for number, name in enumerate(self.classes)}

    def _files(self) -> list[list[str]]:
        return [*self.train_list, *self.test_list, [self.meta["filename"], self.meta["md5"]]]

    def _load_data(self) -> tuple[Any, list[int]]:
        parts, targets = [], []
        for name, _ in self.train_list if self.train else self.test_list:
            entry = self._read(name)
            parts.append(lantern.from_numpy(entry["data"]))
            targets += entry["labels"] if "labels" in entry else entry["fine_labels"]
        pixels = lantern.cat(parts).view(-1, 3, 32, 32).permute(0, 2, 3, 1)
        return pixels.numpy(), [int(target) for target in targets]

    def _read(self, name: str) -> dict[str, Any]:
        with open(os.path.join(self._folder, name), "rb") as file:
            return {_text(key): value for key, value in _ArraysOnly(file).load().items()}


class CIFAR100(CIFAR10):
    """A hundred kinds of things (A. Krizhevsky), in the folder `root/cifar-100-python`."""

    base_folder = "cifar-100-python"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {
        "filename": "meta",
        "key": "fine_label_names",
        "md5": "7973b15100ade9c7d40fb424638fde48",
    }


class _ArraysOnly(pickle.Unpickler):
    """Reads pickles of numbers, texts and NumPy arrays, and runs nothing else they may name."""

    ALLOWED = {
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("_codecs", "encode"),
    }

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="latin1")  # what Python 2 wrote

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} does not belong into a file of images")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value
