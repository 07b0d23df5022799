"""Image transforms: the names of `torchvision.transforms`."""

from __future__ import annotations

from lantern.compat.missing import missing

from . import autoaugment, functional, transforms
from .autoaugment import AugMix, AutoAugment, AutoAugmentPolicy, RandAugment, TrivialAugmentWide
from .transforms import *  # noqa: F403

__all__ = [
    "AugMix",
    "AutoAugment",
    "AutoAugmentPolicy",
    "RandAugment",
    "TrivialAugmentWide",
    "autoaugment",
    "functional",
    *transforms.__all__,
]

__getattr__ = missing(__name__)
