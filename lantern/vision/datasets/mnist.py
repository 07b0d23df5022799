"""MNIST and two datasets of the same form: 70,000 grey images of 28 x 28 in ten classes."""

from __future__ import annotations

import os
import warnings

import lantern
from lantern.tensor import Tensor

from .download import fetch, unpack
from .idx import read_idx
from .vision import GreyImages, Transform


class MNIST(GreyImages):
    """Handwritten digits (LeCun, Cortes, Burges), in the folder `root/MNIST/raw`.

    Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the `t10k-` pair, also with
    `.gz`; `download=True` fetches the ones that are missing, from the server or folder that the
    environment variable LANTERN_MIRROR names before all others. Raises RuntimeError where files
    are missing, cannot be downloaded, or are damaged.
    """

    mirrors = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://dataset.bj.bcebos.com/mnist/",
    ]
    resources = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    classes = [
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    ]

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
        missing = self._missing()
        if missing:
            names = ", ".join(name.removesuffix(".gz") for name in missing)
            raise RuntimeError(
                "Dataset not found. You can use download=True to download it, or put "
                f"{names} (or the same with .gz) into the folder {os.path.abspath(self.raw_folder)}"
            )
        self.data, self.targets = self._load_data()

    @property
    def raw_folder(self) -> str:
        """The folder that holds the files."""
        return os.path.join(self.root, type(self).__name__, "raw")  # type: ignore[arg-type]

    @property
    def train_data(self) -> Tensor:
        """The former name of `data`."""
        return self._renamed("train_data", "data")

    @property
    def test_data(self) -> Tensor:
        """The former name of `data`."""
        return self._renamed("test_data", "data")

    @property
    def train_labels(self) -> Tensor:
        """The former name of `targets`."""
        return self._renamed("train_labels", "targets")

    @property
    def test_labels(self) -> Tensor:
        """The former name of `targets`."""
        return self._renamed("test_labels", "targets")

    def _renamed(self, old: str, new: str) -> Tensor:
        warnings.warn(f"{old} has been renamed {new}", stacklevel=3)
        return getattr(self, new)

    def download(self) -> None:
        """Fetch and unpack the files that are missing."""
        for name, md5 in self.resources:
            if name in self._missing():
                unpack(fetch(name, self.raw_folder, self.mirrors, md5, type(self).__name__))

    def _missing(self) -> list[str]:
        """The archives that are there neither packed nor unpacked."""
        return [name for name, _ in self.resources if self._path(name.removesuffix(".gz")) is None]

    def _path(self, name: str) -> str | None:
        for candidate in (name, name + ".gz"):
            path = os.path.join(self.raw_folder, candidate)
            if os.path.isfile(path):
                return path
        return None

    def _load_data(self) -> tuple[Tensor, Tensor]:
        split = "train" if self.train else "t10k"
        images = self._read(f"{split}-images-idx3-ubyte", axes=3)
        labels = self._read(f"{split}-labels-idx1-ubyte", axes=1)
        if len(images) != len(labels):
            raise RuntimeError(
                f"{self.raw_folder} is damaged: {len(images)} images, but {len(labels)} labels. "
                "Delete the folder and use download=True to get it again"
            )
        return images, labels.to(lantern.int64)

    def _read(self, name: str, axes: int) -> Tensor:
        values = read_idx(self._path(name))  # type: ignore[arg-type]
        if values.dtype != lantern.uint8:
            raise TypeError(f"x should be of dtype torch.uint8 instead of {values.dtype}")
        if values.dim() != axes:
            raise ValueError(f"x should have {axes} dimension instead of {values.dim()}")
        return values


class FashionMNIST(MNIST):
    """Pictures of clothes (Zalando Research), in the folder `root/FashionMNIST/raw`."""

    mirrors = [
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "https://dataset.bj.bcebos.com/fashion_mnist/",
    ]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


class KMNIST(MNIST):
    """Cursive Japanese characters (CODH), in the folder `root/KMNIST/raw`."""

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
