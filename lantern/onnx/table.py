"""The table from the primitives of the vocabulary to what writes them as ONNX nodes.

A handler takes the writer and the arguments of the primitive, among which numbers may be `Size`s,
and returns the name of its result. What has no entry has no form in ONNX.
The entries stand in `pointwise.py`, `parts.py` and `primitives.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..compiler.ir import Value
from ..dtypes import dtype
from .writer import Writer

TABLE: dict[str, Callable[..., str]] = {}


def writes(names: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Enters a handler into the table."""

    def enter(handler: Callable[..., str]) -> Callable[..., str]:
        TABLE.update(dict.fromkeys(names.split(), handler))
        return handler

    return enter


def kind_of(*operands: Any) -> dtype:
    """Returns the dtype of operands of which some are numbers."""
    return next(each.dtype for each in operands if isinstance(each, Value))


def truth(w: Writer, x: Any, kind: dtype) -> str:
    """Returns the name of an operand as true or false."""
    name = w(x, kind)
    return name if kind.kind == "b" else w.node("Cast", name, to=w.onnx.TensorProto.BOOL)


def variants_now(w: Writer) -> list[Value]:
    """Returns what is being written as it is in each recording."""
    assert w.now is not None
    return w.captured.variants(w.now)
