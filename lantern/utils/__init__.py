"""Import paths of `torch.utils`: thin names for what lives elsewhere in Lantern."""

from __future__ import annotations

from lantern.compat.missing import missing

from . import data

__all__ = ["checkpoint", "data", "dlpack"]

__getattr__ = missing(__name__)  # imports the other files when they are asked for
