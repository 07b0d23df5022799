"""STL-10: 13,000 labelled and 100,000 other colour images of 96 x 96."""

from __future__ import annotations

import os
from typing import Any

import lantern
from lantern.data.collate import NumPyValue
from lantern.tensor import Tensor

from .archive import InArchive
from .utils import verify_str_arg
from .vision import HeldImages, Transform


class STL10(InArchive, HeldImages):
    """Ten kinds of things (A. Coates et al., AISTATS 2011), in the folder `root/stl10_binary`.

    `split` is "train", "test", "unlabeled" (targets are -1) or "train+unlabeled"; `folds` chooses
    one of ten parts of 1,000 images to train on. Has `data`, a NumPy array `(N, 3, 96, 96)`.
    Raises ValueError for another split or fold, RuntimeError where files are missing or damaged.
    """

    base_folder = "stl10_binary"
    filename = "stl10_binary.tar.gz"
    tgz_md5 = "91f7769df0f17e558f3565bffb0c7dfb"
    mirrors = ["http://ai.stanford.edu/~acoates/stl10/"]
    class_names_file = "class_names.txt"
    folds_list_file = "fold_indices.txt"
    train_list = [
        ["train_X.bin", "918c2871b30a85fa023e0c44e0bee87f"],
        ["train_y.bin", "5a34089d4802c674881badbb80307741"],
        ["unlabeled_X.bin", "5242ba1fed5e4be9e1e742405eb56ca4"],
    ]
    test_list = [
        ["test_X.bin", "7f263ba9f9e0b06b93213547f721ac82"],
        ["test_y.bin", "36f9794fa4beb8a2c72628de14fa638e"],
    ]
    splits = ("train", "train+unlabeled", "unlabeled", "test")

    def __init__(
        self,
        root: str | os.PathLike,
        split: str = "train",
        folds: int | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", self.splits)
        if folds is not None and not isinstance(folds, int):
            raise ValueError(
                f"Expected type None or int for argument folds, but got type {type(folds)}."
            )
        if folds is not None and folds not in range(10):
            raise ValueError(
                f"Value for argument folds should be in the range [0, 10), but got {folds}."
            )
        self.folds = folds
        if download:
            self.download()
        self._check_files()
        data, labels = self._load_data()
        self.data: Any = data.numpy()
        self.labels: Any = labels.numpy()
        names = os.path.join(self._folder, self.class_names_file)
        if os.path.isfile(names):
            with open(names, encoding="ascii") as file:
                self.classes = file.read().splitlines()

    def _files(self) -> list[list[str]]:
        return [*self.train_list, *self.test_list]

    def _bytes(self, name: str) -> Tensor:
        with open(os.path.join(self._folder, name), "rb") as file:
            return lantern.frombuffer(bytearray(file.read()), dtype=lantern.uint8)

    def _images(self, name: str) -> Tensor:
        # Columns come first in the file.
        return self._bytes(name).view(-1, 3, 96, 96).transpose(2, 3)

    def _load_data(self) -> tuple[Tensor, Tensor]:
        if self.split == "test":
            images, labels = [name for name, _ in self.test_list]
            return self._images(images), self._bytes(labels).to(lantern.int64) - 1
        images, labels, others = [name for name, _ in self.train_list]
        if self.split == "unlabeled":
            data = self._images(others)
            return data, lantern.full((len(data),), -1)
        data, targets = self._images(images), self._bytes(labels).to(lantern.int64) - 1
        if self.folds is not None:
            chosen = self._fold()
            data, targets = data[chosen], targets[chosen]
        if self.split == "train+unlabeled":
            more = self._images(others)
            data = lantern.cat([data, more])
            targets = lantern.cat([targets, lantern.full((len(more),), -1)])
        return data, targets

    def _fold(self) -> Tensor:
        path = os.path.join(self._folder, self.folds_list_file)
        with open(path, encoding="ascii") as file:
            line = file.read().splitlines()[self.folds]  # type: ignore[index]
        return lantern.tensor([int(number) for number in line.split()])

    def _sample(self, index: Any) -> tuple[Any, Any]:
        return self.data[index].transpose(1, 2, 0), int(self.labels[index])

    def _batch(self, indices: Tensor) -> tuple[Tensor, Tensor] | None:
        data, labels = self.data, self.labels
        if not (isinstance(data, NumPyValue) and isinstance(labels, NumPyValue)):
            return None
        if data.dtype.name != "uint8" or labels.dtype.name != "int64":
            return None
        pixels = lantern.from_numpy(data)[indices].permute(0, 2, 3, 1)
        return pixels, lantern.from_numpy(labels)[indices]

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        """Which split this is."""
        return f"Split: {self.split}"
