"""MNIST and its relatives: grey images of 28 x 28, in IDX files."""

from __future__ import annotations

import os
import shutil
import string
import warnings
from typing import Any

import lantern
from lantern.tensor import Tensor

from .download import extract, fetch, unpack
from .idx import read_idx
from .utils import verify_str_arg
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
        for candidate in (name, name + ".gz", name + ".xz"):
            path = os.path.join(self.raw_folder, candidate)
            if os.path.isfile(path):
                return path
        return None

    def _names(self) -> tuple[str, str]:
        """The unpacked files of images and labels of this split."""
        split = "train" if self.train else "t10k"
        return f"{split}-images-idx3-ubyte", f"{split}-labels-idx1-ubyte"

    def _load_data(self) -> tuple[Tensor, Tensor]:
        images, labels = self._names()
        data = self._read(images, axes=3)
        targets = self._read(labels, axes=1)
        self._check_lengths(data, targets)
        return data, targets.to(lantern.int64)

    def _check_lengths(self, images: Tensor, labels: Tensor) -> None:
        if len(images) != len(labels):
            raise RuntimeError(
                f"{self.raw_folder} is damaged: {len(images)} images, but {len(labels)} labels. "
                "Delete the folder and use download=True to get it again"
            )

    def _read(self, name: str, axes: int, dtype: lantern.dtype = lantern.uint8) -> Tensor:
        values = read_idx(self._path(name))  # type: ignore[arg-type]
        if values.dtype != dtype:
            raise TypeError(f"x should be of dtype {dtype} instead of {values.dtype}")
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


class EMNIST(MNIST):
    """Handwritten digits and letters (G. Cohen et al., arXiv 1702.05373), in `root/EMNIST/raw`.

    `split` is "byclass", "bymerge", "balanced", "letters", "digits" or "mnist"; the images lie on
    their side, as they are published. Other arguments are those of MNIST.
    Raises ValueError for another split.
    """

    mirrors = ["https://biometrics.nist.gov/cs_links/EMNIST/"]
    resources = [("gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e")]
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    # Letters that look alike in both cases are one class in the merged splits.
    _merged = sorted(set(string.digits + string.ascii_letters) - set("cijklmopsuvwxyz"))
    classes_split_dict = {
        "byclass": sorted(string.digits + string.ascii_letters),
        "bymerge": _merged,
        "balanced": _merged,
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": list(string.digits),
        "mnist": list(string.digits),
    }

    def __init__(self, root: str | os.PathLike, split: str, **kwargs: Any) -> None:
        self.split = verify_str_arg(split, "split", self.splits)
        self.classes = self.classes_split_dict[split]
        super().__init__(root, **kwargs)

    def _names(self) -> tuple[str, str]:
        part = f"emnist-{self.split}-{'train' if self.train else 'test'}"
        return f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"

    def _missing(self) -> list[str]:
        return [name for name in self._names() if self._path(name) is None]

    def download(self) -> None:
        """Fetch and unpack the archive with all splits, where the files are missing."""
        if not self._missing():
            return
        for name, md5 in self.resources:
            archive = fetch(name, self.raw_folder, self.mirrors, md5, type(self).__name__)
            extract(archive, self.raw_folder)
        packed = os.path.join(self.raw_folder, "gzip")  # the archive has a folder of its own
        for name in os.listdir(packed):
            if name.endswith(".gz"):
                unpacked = unpack(os.path.join(packed, name))
                os.replace(unpacked, os.path.join(self.raw_folder, name.removesuffix(".gz")))
        shutil.rmtree(packed)


class QMNIST(MNIST):
    """MNIST with 60,000 test digits and where each is from (C. Yadav, L. Bottou, 1905.10498).

    In the folder `root/QMNIST/raw`. `what` is "train", "test", "test10k" (MNIST's), "test50k"
    (the rest) or "nist"; by default `train` chooses. Without `compat` a target is a tensor `(8,)`
    of class, series, writer, ... Other arguments are those of MNIST.
    Raises ValueError for another `what`.
    """

    mirrors = ["https://raw.githubusercontent.com/facebookresearch/qmnist/master/"]
    subsets = {"train": "train", "test": "test", "test10k": "test", "test50k": "test"}
    subsets["nist"] = "nist"
    resources: Any = {
        "train": [
            ("qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
            ("qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4"),
        ],
        "test": [
            ("qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
            ("qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa"),
        ],
        "nist": [
            ("xnist-images-idx3-ubyte.xz", "7f124b3b8ab81486c9d8c2749c17f834"),
            ("xnist-labels-idx2-int.xz", "5ed0e788978e45d4a8bd4b7caec3d79d"),
        ],
    }

    def __init__(
        self,
        root: str | os.PathLike,
        what: str | None = None,
        compat: bool = True,
        train: bool = True,
        **kwargs: Any,
    ) -> None:
        what = ("train" if train else "test") if what is None else what
        self.what = verify_str_arg(what, "what", tuple(self.subsets))
        self.compat = compat
        self.resources = type(self).resources[self.subsets[what]]
        super().__init__(root, train, **kwargs)

    def _names(self) -> tuple[str, str]:
        images, labels = [os.path.splitext(name)[0] for name, _ in self.resources]
        return images, labels

    def _missing(self) -> list[str]:
        names = dict(zip(self._names(), self.resources, strict=True))
        return [file for name, (file, _) in names.items() if self._path(name) is None]

    def _load_data(self) -> tuple[Tensor, Tensor]:
        images, labels = self._names()
        data = self._read(images, axes=3)
        targets = self._read(labels, axes=2, dtype=lantern.int32).to(lantern.int64)
        self._check_lengths(data, targets)
        part = {"test10k": slice(0, 10000), "test50k": slice(10000, None)}.get(self.what)
        return (data, targets) if part is None else (data[part].clone(), targets[part].clone())

    def _sample(self, index: Any) -> tuple[Any, Any]:
        target = self.targets[index]
        return self.data[index].numpy(), int(target[0]) if self.compat else target

    def _batch(self, indices: Tensor) -> tuple[Tensor, Tensor] | None:
        if type(self.data) is not Tensor or self.data.dtype != lantern.uint8:
            return None
        # Only the class is known to be a number that a target transform was written for.
        if type(self.targets) is not Tensor or not self.compat:
            return None
        return self.data[indices], self.targets[indices, 0]

    def extra_repr(self) -> str:
        """Which part this is."""
        return f"Split: {self.what}"
