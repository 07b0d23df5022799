"""Image datasets: the names of `torchvision.datasets`, and digits that need no download."""

from __future__ import annotations

from .digits import Digits
from .mnist import KMNIST, MNIST, FashionMNIST
from .vision import VisionDataset

__all__ = ["KMNIST", "MNIST", "Digits", "FashionMNIST", "VisionDataset"]


def __getattr__(name: str) -> object:
    raise AttributeError(f"torchvision.datasets.{name} is not in Lantern yet")
