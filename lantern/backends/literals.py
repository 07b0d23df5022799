"""Arrays from numbers, nested sequences and arrays, by the rules of `torch.tensor`.

Nested lists of Python's own numbers are recognised by the types of their elements and left to
NumPy; all else is measured, typed and collected element by element.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np

from .. import dtypes
from ..naming import type_name
from .kinds import NUMPY_DTYPE, dtype_of
from .numpy import adopt

Array = np.ndarray[Any, Any]

MOST_DIMENSIONS = 128  # PyTorch's bound; a text, whose first letter is a text, has no end
NUMBERS = frozenset({int, float, bool})
LISTS = frozenset({list, tuple})
LONG = 1 << 63


def from_data(data: Any, dtype: dtypes.dtype | None, default: dtypes.dtype) -> Array:
    """Returns a fresh array of numbers, nested sequences or an array.

    Raises ValueError for ragged sequences and for integers that do not fit, TypeError or
    RuntimeError for what is no number, RuntimeError for numbers out of the range of `dtype`.
    """
    kind = type(data)
    if kind in NUMBERS:
        return _from_numbers(data, {kind}, dtype, default)
    if kind in LISTS:
        kinds = _kinds(data)
        if kinds is not None:
            return _from_numbers(data, kinds, dtype, default)
    if isinstance(data, np.ndarray | np.generic):
        return _from_array(data, dtype)
    if isinstance(data, str | bytes):
        raise TypeError(f"new(): invalid data type '{kind.__name__}'")
    if hasattr(kind, "__array__") and _is_nested(data):
        return _from_array(np.asarray(data), dtype)
    return _by_element(data, dtype, default)


def _kinds(data: Any) -> set[type] | None:
    """Returns the types of the numbers in nested lists; None if there is anything else."""
    kinds = set(map(type, data))
    if kinds <= NUMBERS:
        return kinds
    if not kinds <= LISTS:
        return None
    found: set[type] = set()
    for each in data:
        inner = _kinds(each)
        if inner is None:
            return None
        found |= inner
    return found


def _from_array(data: Any, dtype: dtypes.dtype | None) -> Array:
    if isinstance(data, np.ndarray):
        adopt(data, shared=False)
    kind = dtype_of(data) if dtype is None else dtype
    return np.array(data).astype(NUMPY_DTYPE[kind], copy=False)


def _from_numbers(
    data: Any, kinds: set[type], dtype: dtypes.dtype | None, default: dtypes.dtype
) -> Array:
    if dtype is None:
        whole = dtypes.int64 if int in kinds else dtypes.bool_
        dtype = default if float in kinds or not kinds else whole
    try:
        return _fitted(data, kinds, dtype)
    except OverflowError:
        if dtype.kind == "f" and float in kinds:
            raise
        raise _overflow(data, dtype) from None
    except ValueError:
        return _by_element(data, dtype, default)  # says where the lengths differ


def _overflow(data: Any, dtype: dtypes.dtype) -> Exception:
    if dtype is not dtypes.uint64:
        return ValueError("Overflow when unpacking long long")
    if min(np.array(data, object).reshape(-1)) < 0:
        return OverflowError("can't convert negative int to unsigned")
    return OverflowError("int too big to convert")


def _fitted(data: Any, kinds: set[type], dtype: dtypes.dtype) -> Array:
    """Returns Python numbers as an array; raises RuntimeError where they do not fit the dtype."""
    target = NUMPY_DTYPE[dtype]
    if dtype.kind == "f":  # half types are rounded from float32, as PyTorch does
        return np.array(data, target) if dtype.itemsize > 2 else np.array(data, "f").astype(target)
    if dtype.kind == "b":
        return np.array(data, object).astype(bool) if int in kinds else np.array(data, bool)
    if float in kinds:
        if dtype is dtypes.uint64:
            raise TypeError("an integer is required")
        values = np.asarray(np.trunc(np.array(data, np.float64)))
        if not np.all((np.abs(values) < LONG) & _in_range(values, dtype)):  # NaN is in no range
            raise _too_large(dtype)
        return values.astype(np.int64).astype(target)
    if dtype is dtypes.int64 or dtype is dtypes.uint64:
        return np.array(data, target)
    values = np.array(data, np.int64)
    if not np.all(_in_range(values, dtype)):
        raise _too_large(dtype)
    return values.astype(target)


def _in_range(values: Array, dtype: dtypes.dtype) -> Any:
    least = -dtype.most if dtype.kind == "u" else -dtype.most - 1  # -1 wraps around, as in C
    return (values >= least) & (values <= dtype.most)


def _too_large(dtype: dtypes.dtype) -> RuntimeError:
    return RuntimeError(f"value cannot be converted to type {dtype.name} without overflow")


# --- one element after the other: for what NumPy reads otherwise, and to say what is wrong


def _by_element(data: Any, dtype: dtypes.dtype | None, default: dtypes.dtype) -> Array:
    sizes = _sizes(data)
    kind = _inferred(data, default) if dtype is None else dtype
    flat: list[Any] = []
    if 0 not in sizes[:1]:
        _collect(data, sizes, 0, kind, flat)
    kinds = set(map(type, flat))
    return _from_numbers(flat, kinds, kind, default).reshape(sizes)


def _is_nested(data: Any) -> bool:
    if isinstance(data, np.generic | dict) or isinstance(data, np.ndarray) and not data.ndim:
        return False
    if hasattr(data, "_storage"):  # a tensor
        return bool(data.ndim)
    return hasattr(type(data), "__getitem__") and hasattr(type(data), "__len__")


def _sizes(data: Any) -> tuple[int, ...]:
    sizes: list[int] = []
    while _is_nested(data) and not (sizes and hasattr(data, "_storage")):  # tensors are numbers
        sizes.append(len(data))
        if len(sizes) > MOST_DIMENSIONS:
            raise ValueError(f"too many dimensions '{type(data).__name__}'")
        if not sizes[-1]:
            break
        data = data[0]
    return tuple(sizes)


def _inferred(data: Any, default: dtypes.dtype) -> dtypes.dtype:
    if isinstance(data, np.generic | np.ndarray):
        return dtype_of(data)
    if hasattr(data, "_storage"):
        return data.dtype
    if isinstance(data, bool | int | float):
        return dtypes.of_number(data) if not isinstance(data, float) else default
    if isinstance(data, str | bytes):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    if isinstance(data, complex):
        raise NotImplementedError("complex tensors are not in Lantern yet")
    if not _is_nested(data):
        raise RuntimeError(f"Could not infer dtype of {type_name(data)}")
    if not len(data):
        return default
    kinds = [_inferred(data[i], default) for i in range(len(data))]
    return functools.reduce(dtypes.promote_types, kinds)


def _collect(
    data: Any, sizes: tuple[int, ...], dim: int, kind: dtypes.dtype, flat: list[Any]
) -> None:
    if dim == len(sizes):
        flat.append(_number(data, kind))
        return
    if not _is_nested(data):
        raise TypeError("not a sequence")
    if len(data) != sizes[dim]:
        if dim and not sizes[dim]:
            return
        raise ValueError(f"expected sequence of length {sizes[dim]} at dim {dim} (got {len(data)})")
    if isinstance(data, np.ndarray):
        _warn_of_arrays()
        flat += data.reshape(-1).tolist() if data.shape == sizes[dim:] else []
        if data.shape == sizes[dim:]:
            return
    for i in range(sizes[dim]):
        _collect(data[i], sizes, dim + 1, kind, flat)


_warned: list[bool] = []


def _warn_of_arrays() -> None:
    if not _warned:
        _warned.append(True)
        warnings.warn(
            "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider "
            "converting the list to a single numpy.ndarray with numpy.array() before converting "
            "to a tensor.",
            UserWarning,
            stacklevel=2,
        )


def _number(data: Any, kind: dtypes.dtype) -> Any:
    if hasattr(data, "_storage"):
        return _number_of_tensor(data, kind)
    if isinstance(data, np.generic | np.ndarray):
        if data.ndim:
            raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
        return data.item()
    if type(data) in NUMBERS:
        return data
    if isinstance(data, bool | int):
        return int(data)
    if isinstance(data, float):
        return float(data)
    if kind.kind == "b":
        return bool(data)
    name = type(data).__name__
    if kind.kind == "f":
        raise TypeError(f"must be real number, not {name}")
    raise TypeError(f"'{name}' object cannot be interpreted as an integer")


def _number_of_tensor(tensor: Any, kind: dtypes.dtype) -> Any:
    return float(tensor) if kind.kind == "f" else tensor.__index__()
