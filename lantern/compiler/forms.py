"""Which primitives have a native form, and what decides it: dtypes, shapes, constants."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import dtypes
from ..backends.vocabulary import POINTWISE, VOCABULARY
from ..shape import contiguous_strides
from . import scalar
from .ir import Value
from .simplify import constant

NARROW = 32  # columns of a matrix that is kept column by column
BATCH = 16  # images that fill vectors: convolutions run along the batch, which lies innermost
TAPS = 12  # of a kernel's last dimension, that are written one by one
CHEAP = frozenset("add sub mul neg abs square maximum minimum cast where eq".split())
CHEAP |= frozenset("eq ne lt le gt ge logical_not logical_and logical_or".split())


def is_native_pointwise(value: Value) -> bool:
    """Says whether a primitive is pointwise and has machine instructions."""
    if VOCABULARY[value.name].kind not in POINTWISE:
        return False
    return scalar.lowered(value.name, operand_dtype(value), value.args)


def operand_dtype(value: Value) -> dtypes.dtype:
    """Returns the dtype that a pointwise primitive computes in."""
    args = value.args[1:] if value.name == "where" else value.args
    return next((each.dtype for each in args if isinstance(each, Value)), value.dtype)


def is_narrow(value: Value) -> bool:
    """Says whether a matrix has many short rows, so that vectors run along its columns."""
    if value.ndim != 2 or value.dtype.kind not in "fb":
        return False
    rows, columns = value.shape
    return rows >= max(64, 2 * columns) and columns <= NARROW


def batch_innermost(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the strides of a tensor whose first dimension lies innermost."""
    return (1, *(shape[0] * each for each in contiguous_strides(shape[1:])))


def convolves(value: Value) -> bool:
    """Says whether a convolution has a native form."""
    if value.dtype not in (dtypes.float32, dtypes.float64) or value.ndim < 3:
        return False
    weight = value.shape if value.name == "conv_weight" else value.args[1].shape
    images = value.args[0]
    return weight[-1] <= TAPS and images.size > 0 and 0 not in weight


def immediate(value: Value) -> Any:
    """Returns the number that instructions can hold in place of a value, or None."""
    return None if value.dtype.char in "eE" else constant(value)


def pick_of(value: Value) -> tuple[Value, Value, int]:
    """Returns what a value is taken from by index, the index, and along which dimension."""
    if value.name in ("getitem", "put_add"):
        base, places = value.args[:2]
        dim = next(i for i, each in enumerate(places) if isinstance(each, Value))
        return base, places[dim], dim
    base, dim, index = value.args[:3]
    return base, index, dim % max(base.ndim, 1)


def picks(value: Value) -> bool:
    """Says whether an op by index has a native form: one integer array along one dimension."""
    if value.dtype not in scalar.COMPUTED or value.dtype.kind == "b":
        return False
    if value.name in ("getitem", "put_add"):
        arrays = [each for each in value.args[1] if isinstance(each, Value)]
        rest = [each for each in value.args[1] if not isinstance(each, Value)]
        if len(arrays) != 1 or any(each != slice(None) for each in rest):
            return False
    base, index, dim = pick_of(value)
    if index.dtype not in (dtypes.int64, dtypes.int32) or not base.ndim or not base.shape[dim]:
        return False
    if value.name == "put_add":
        shape = VOCABULARY["getitem"].rule(base, value.args[1])[0]
        return value.args[2].ndim <= len(shape)
    if value.name in ("scatter", "scatter_add"):
        source = value.args[3]
        return (
            source.ndim == index.ndim == base.ndim
            and _inside(index, source, None)
            and _inside(index, base, dim)
        )
    return value.name != "gather" or index.ndim == base.ndim and _inside(index, base, dim)


def _inside(index: Value, base: Value, dim: int | None) -> bool:
    return all(
        i <= b for d, (i, b) in enumerate(zip(index.shape, base.shape, strict=True)) if d != dim
    )


def reduced_dims(value: Value) -> tuple[int, ...]:
    """Returns the dimensions that a reduction goes over, in order."""
    x, dim = value.args[0], value.args[1] if len(value.args) > 1 else None
    if dim is None:
        return tuple(range(x.ndim))
    return (dim,) if isinstance(dim, int) else tuple(sorted(dim))


def reducible(value: Value) -> bool:
    """Says whether a reduction has a native form."""
    x = value.args[0]
    if value.name not in scalar.JOIN or x.dtype not in scalar.COMPUTED:
        return False
    if value.name in ("sum", "prod") and x.dtype.kind == "b":
        return False
    dims = reduced_dims(value)
    if not dims or not x.ndim:
        return False
    empty = prod(x.shape[d] for d in dims) == 0
    return not (empty and value.name in ("amax", "amin"))
