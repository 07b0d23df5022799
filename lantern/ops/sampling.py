"""Random draws, taken from a generator at the moment the op runs (under trace: at each run)."""

from __future__ import annotations

from ..tensor import wrap
from .creation import namespace


def draw(kind, shape, dtype, generator, *parameters):
    """A tensor of draws of one kind (`uniform`, `normal`, ...) from a generator."""
    return wrap(namespace().draw(kind, tuple(shape), dtype, generator, *parameters))
