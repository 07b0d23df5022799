"""`torch.nn.parallel`: what spreads a module over devices; Lantern computes on one at a time."""

from __future__ import annotations

from lantern.compat.missing import missing

from .data_parallel import DataParallel
from .distributed import DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel"]

__getattr__ = missing(__name__)
