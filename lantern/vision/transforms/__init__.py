"""Image transforms: the names of `torchvision.transforms`."""

from __future__ import annotations

from . import functional
from .transforms import Compose, ConvertImageDtype, Lambda, Normalize, PILToTensor, ToTensor

__all__ = [
    "Compose",
    "ConvertImageDtype",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "ToTensor",
    "functional",
]


def __getattr__(name: str) -> object:
    raise AttributeError(f"torchvision.transforms.{name} is not in Lantern yet")
