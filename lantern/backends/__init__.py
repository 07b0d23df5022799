"""Array libraries behind one closed vocabulary; each registers the values that it computes on."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..compat.missing import missing

NAMESPACES: dict[type, Any] = {}


class _Here(threading.local):
    """The namespace in which a thread makes new values; None is that of the CPU."""

    namespace: Any = None


here = _Here()


class _GPU:
    """The namespace of GPUs and its type of arrays, once a GPU has been asked for."""

    __slots__ = ("namespace", "kind")

    def __init__(self) -> None:
        self.namespace: Any = None
        self.kind: Any = None


gpu = _GPU()


def default() -> ModuleType:
    """Returns the namespace in which new values are made on the CPU."""
    return numpy


from . import blas, cuda, heap, numpy  # noqa: E402  (numpy registers itself in NAMESPACES)

blas.chosen = blas.choose_kernels()
heap.keep_memory()
silence, restore = numpy.silence, numpy.restore


def silently(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that computes without the warnings NumPy gives of infinities and NaN."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        token = silence()
        try:
            return function(*args, **kwargs)
        finally:
            restore(token)

    return wrapped


__getattr__ = missing(__name__)
