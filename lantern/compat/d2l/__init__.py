"""The helpers of *Dive into Deep Learning* (d2l.ai) under their names, over Lantern.

`from d2l import torch as d2l` gives them under `lantern run` where the package d2l is not
installed; `from lantern.compat import d2l` gives them anywhere. Names that are missing say so: the
book's own package, once installed, runs on Lantern as well.
"""

from __future__ import annotations

from typing import Any

from . import torch
from .torch import *  # noqa: F403

__all__ = torch.__all__


def __getattr__(name: str) -> Any:
    return getattr(torch, name)
