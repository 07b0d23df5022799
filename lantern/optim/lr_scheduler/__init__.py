"""Schedules of the learning rate; compiled steps read the rate at each call."""

from __future__ import annotations

from ...compat.missing import missing as _missing
from .base import EPOCH_IS_OLD as EPOCH_DEPRECATION_WARNING
from .base import LRScheduler as LRScheduler
from .base import _LRScheduler as _LRScheduler
from .combined import ChainedScheduler as ChainedScheduler
from .combined import SequentialLR as SequentialLR
from .cosine import CosineAnnealingLR as CosineAnnealingLR
from .cosine import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from .cycles import CyclicLR as CyclicLR
from .cycles import OneCycleLR as OneCycleLR
from .plateau import ReduceLROnPlateau as ReduceLROnPlateau
from .scaling import ConstantLR as ConstantLR
from .scaling import ExponentialLR as ExponentialLR
from .scaling import LambdaLR as LambdaLR
from .scaling import LinearLR as LinearLR
from .scaling import MultiplicativeLR as MultiplicativeLR
from .scaling import MultiStepLR as MultiStepLR
from .scaling import PolynomialLR as PolynomialLR
from .scaling import StepLR as StepLR

__all__ = """
    ChainedScheduler ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR
    LRScheduler LambdaLR LinearLR MultiStepLR MultiplicativeLR OneCycleLR PolynomialLR
    ReduceLROnPlateau SequentialLR StepLR
""".split()
__getattr__ = _missing(__name__)
