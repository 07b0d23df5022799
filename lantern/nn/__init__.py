"""Layers, losses, their initial values and the functions behind them: PyTorch's `torch.nn`."""

from __future__ import annotations

from lantern.compat.missing import missing

from . import functional, init, modules, parallel, utils
from .modules import *  # noqa: F403
from .parallel import DataParallel
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter"]
__all__ += ["DataParallel", "functional", "init", "parallel", "utils", *modules.__all__]

__getattr__ = missing(__name__)
