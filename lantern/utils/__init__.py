"""Import paths of `torch.utils`: thin names for what lives elsewhere in Lantern."""

from __future__ import annotations

from . import data

__all__ = ["data"]


def __getattr__(name: str) -> object:
    raise AttributeError(f"torch.utils.{name} is not in Lantern yet")
