"""Image datasets: the names of `torchvision.datasets`, and digits that need no download."""

from __future__ import annotations

from lantern.compat.missing import missing

from . import folder, utils
from .cifar import CIFAR10, CIFAR100
from .digits import Digits
from .fakedata import FakeData
from .folder import DatasetFolder, ImageFolder
from .mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from .stl10 import STL10
from .vision import VisionDataset

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "DatasetFolder",
    "Digits",
    "EMNIST",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "KMNIST",
    "MNIST",
    "QMNIST",
    "STL10",
    "VisionDataset",
    "folder",
    "utils",
]

__getattr__ = missing(__name__)
