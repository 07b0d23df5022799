"""Arrays from numbers, nested sequences and arrays, by the rules of `torch.tensor`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import dtypes
from .numpy import NUMPY_DTYPE, dtype_of

Array = np.ndarray[Any, Any]

MOST_DIMENSIONS = 128  # PyTorch's bound; a text, whose first letter is a text, has no end


def from_data(data: Any, dtype: dtypes.dtype | None, default: dtypes.dtype) -> Array:
    """Returns a fresh array of numbers, nested sequences or an array.

    Raises ValueError for ragged sequences and for integers that do not fit, TypeError or
    RuntimeError for what is no number, RuntimeError for numbers out of the range of `dtype`.
    """
    if isinstance(data, np.ndarray | np.generic):
        kind = dtype_of(data)
        return np.array(data).astype(NUMPY_DTYPE[kind if dtype is None else dtype], copy=False)
    if isinstance(data, str | bytes):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    if _holds_tensors(data):
        data = _without_tensors(data)
    try:
        array = np.array(data)
    except (ValueError, TypeError, OverflowError):
        return _by_element(data, dtype, default)
    if array.dtype.kind not in "bif" or dtype is dtypes.uint64 or _may_overflow(array):
        return _by_element(data, dtype, default)
    if dtype is None:
        plain = array.dtype == np.float64 and not _holds_numpy(data)
        return array.astype(NUMPY_DTYPE[default if plain else dtype_of(array)], copy=False)
    return _fitted(array, dtype)


def _may_overflow(array: Array) -> bool:
    """Asks whether NumPy may have taken integers that no int64 holds for floating numbers."""
    return array.dtype.kind == "f" and array.size > 0 and bool(np.abs(array).max() >= 2.0**63)


def _fitted(array: Array, dtype: dtypes.dtype) -> Array:
    if dtype.kind not in "iu":
        return array.astype(NUMPY_DTYPE[dtype], copy=False)
    limits = np.iinfo(NUMPY_DTYPE[dtype])
    low = limits.min if dtype.kind == "i" else -limits.max  # -1 wraps around, as in C
    if array.size and not (array.min() >= low and array.max() <= limits.max):  # NaN too
        raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow")
    if dtype.kind == "u" and array.dtype.kind == "f":
        array = array.astype(np.int64)  # what C makes of a negative fraction differs by machine
    return array.astype(NUMPY_DTYPE[dtype], copy=False)


# --- one element after the other: for what NumPy reads otherwise, and to say what is wrong


def _by_element(data: Any, dtype: dtypes.dtype | None, default: dtypes.dtype) -> Array:
    sizes = _sizes(data)
    kind = _inferred(data, default) if dtype is None else dtype
    flat: list[Any] = []
    _collect(data, sizes, 0, kind, flat)
    wide = {"f": np.float64, "b": np.bool_}.get(kind.kind, np.int64)
    try:
        array = np.array(flat, np.uint64 if kind is dtypes.uint64 else wide)
    except OverflowError:
        if kind is dtypes.uint64:
            raise OverflowError("int too big to convert") from None
        raise ValueError("Overflow when unpacking long long") from None
    return (array if kind is dtypes.uint64 else _fitted(array, kind)).reshape(sizes)


def _is_sequence(data: Any) -> bool:
    if isinstance(data, np.generic | dict) or isinstance(data, np.ndarray) and not data.ndim:
        return False
    return hasattr(data, "__getitem__") and hasattr(data, "__len__")


def _sizes(data: Any) -> tuple[int, ...]:
    sizes = []
    while _is_sequence(data):
        sizes.append(len(data))
        if len(sizes) > MOST_DIMENSIONS:
            raise ValueError(f"too many dimensions '{type(data).__name__}'")
        if not sizes[-1]:
            break
        data = data[0]
    return tuple(sizes)


def _inferred(data: Any, default: dtypes.dtype) -> dtypes.dtype:
    if isinstance(data, np.generic):
        return dtype_of(data)
    if isinstance(data, bool | int | float):
        return dtypes.of_number(data) if not isinstance(data, float) else default
    if isinstance(data, str | bytes):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    if isinstance(data, complex):
        raise NotImplementedError("complex tensors are not in Lantern yet")
    if not _is_sequence(data):
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    if not len(data):
        return default
    kinds = [_inferred(each, default) for each in data]
    return functools.reduce(dtypes.promote_types, kinds)


def _collect(
    data: Any, sizes: tuple[int, ...], dim: int, kind: dtypes.dtype, flat: list[Any]
) -> None:
    if dim == len(sizes):
        flat.append(_number(data, kind))
        return
    if not _is_sequence(data):
        raise TypeError("not a sequence")
    if len(data) != sizes[dim] and not (dim and not sizes[dim]):
        raise ValueError(f"expected sequence of length {sizes[dim]} at dim {dim} (got {len(data)})")
    for each in data if sizes[dim] else ():
        _collect(each, sizes, dim + 1, kind, flat)


def _number(data: Any, kind: dtypes.dtype) -> Any:
    if kind.kind == "b":
        return bool(data)
    if isinstance(data, bool | int | float | np.generic):
        if kind.kind == "f":
            return float(data)
        if kind is dtypes.uint64 and isinstance(data, float):
            raise TypeError("an integer is required")
        return _whole(data, kind) if isinstance(data, float) else data
    name = type(data).__name__
    if kind.kind == "f":
        raise TypeError(f"must be real number, not {name}")
    raise TypeError(f"'{name}' object cannot be interpreted as an integer")


def _whole(data: float, kind: dtypes.dtype) -> int:
    if not abs(data) < 2.0**63:
        raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow")
    return int(data)


def _holds_numpy(data: Any) -> bool:
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return isinstance(data, np.ndarray | np.generic) and data.dtype == np.float64


def _holds_tensors(data: Any) -> bool:
    return (
        isinstance(data, list | tuple)
        and len(data) > 0
        and (
            hasattr(data[0], "_storage")
            or _holds_tensors(data[0])
            or len(data) > 1
            and hasattr(data[-1], "_storage")
        )
    )


def _without_tensors(data: Any) -> Any:
    if isinstance(data, list | tuple):
        return [_without_tensors(each) for each in data]
    return data.tolist() if hasattr(data, "_storage") else data
