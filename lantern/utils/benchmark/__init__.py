"""`torch.utils.benchmark`: how long a statement takes."""

from __future__ import annotations

from lantern.compat.missing import missing

from .timer import Measurement, Timer

__all__ = ["Measurement", "Timer"]

__getattr__ = missing(__name__)
