"""Square brackets: `x[...]` and `x[...] = value`, with everything that PyTorch takes between them.

An index is first cut into a part that only views (ints, slices, None, Ellipsis) and the index
tensors that are left; the first becomes views, the second one gather or put.
"""

from __future__ import annotations

from typing import Any

from . import creation, ops
from . import dtypes
from .autograd.mode import active
from .autograd.views import assign
from .tensor import Tensor


def getitem(self: Tensor, index: Any) -> Tensor:
    """Returns a view for ints, slices, None and Ellipsis; a copy where tensors index."""
    if type(index) is int:
        return _select_first(self, index)
    basic, places = parse(self, index)
    shown = _show(self, basic)
    return shown if places is None else ops.getitem(shown, places)


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """Writes a value, cast and broadcast, where the index points."""
    if _is_mask(self, index) and not _has_dims(value):
        _write_mask(self, index, value)
        return
    basic, places = parse(self, index)
    target = _show(self, basic) if basic else self
    value = _as_value(value, self)
    if places is None:
        shape = target.shape
        extra = value.ndim - len(shape)
        if extra > 0 and all(size == 1 for size in value.shape[:extra]):
            value = ops.reshape(value, value.shape[extra:])
        _check_broadcast(shape, value)
        target.copy_(value)
        return
    if value.dtype is not target.dtype:
        value = ops.cast(value, target.dtype)
    source = target if target._node is None else ops.clone(target)
    assign(target, ops.put(source, places, value))


def _check_broadcast(shape: tuple, value: Tensor) -> None:
    ok = value.ndim <= len(shape) and all(
        have in (1, want) for have, want in zip(reversed(value.shape), reversed(shape), strict=False)
    )
    if not ok:
        raise RuntimeError(
            f"The expanded size of the tensor ({shape[-1] if shape else 1}) must match the existing "
            f"size ({value.shape[-1]}) at non-singleton dimension {max(len(shape) - 1, 0)}.  Target "
            f"sizes: {list(shape)}.  Tensor sizes: {list(value.shape)}"
        )


def _select_first(self: Tensor, index: int) -> Tensor:
    shape = self._array.shape
    if not shape:
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` "
            "in C++ to convert a 0-dim tensor to a number"
        )
    if not -shape[0] <= index < shape[0]:
        raise IndexError(
            f"index {index} is out of bounds for dimension 0 with size {shape[0]}"
        )
    return ops.select(self, 0, index)


def _is_mask(self: Tensor, index: Any) -> bool:
    return (
        isinstance(index, Tensor)
        and index.dtype is dtypes.bool_
        and index.ndim > 0
        and index.shape == self.shape
    )


def _has_dims(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or bool(getattr(value, "shape", ()))


def _write_mask(self: Tensor, mask: Tensor, value: Any) -> None:
    # One value under a mask of the same shape needs no places, so it can be recorded as well.
    number = _as_value(value, self)
    if number.dtype is not self.dtype:
        number = ops.cast(number, self.dtype)
    source = self if self._node is None else ops.clone(self)
    assign(self, ops.where(mask, number, source))


def _as_value(value: Any, like: Tensor) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (bool, int, float)):
        return ops.full((), value, like)
    return creation.as_tensor(value)


def parse(self: Tensor, index: Any) -> tuple[tuple, tuple | None]:
    """Returns the viewing part of an index, and the index tuple for what that part shows."""
    entries = list(index) if isinstance(index, tuple) else [_listed(index)]
    entries = [_entry(each) for each in entries]
    used = sum(_width(each) for each in entries)
    shape = self._array.shape
    if used > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    if Ellipsis in [each if not isinstance(each, Tensor) else None for each in entries]:
        place = next(i for i, each in enumerate(entries) if each is Ellipsis)
        entries[place : place + 1] = [slice(None)] * (len(shape) - used)
    basic: list[Any] = []
    places: list[Any] = []
    dim = 0
    for each in entries:
        dim = _place(each, basic, places, shape, dim)
    if not any(isinstance(each, Tensor) for each in places):
        return tuple(basic), None
    while places and not isinstance(places[-1], Tensor):
        places.pop()
    return tuple(basic), tuple(places)


def _place(each: Any, basic: list, places: list, shape: tuple, dim: int) -> int:
    """Sorts one entry into the viewing part or the index tensors; returns the next dimension."""
    if each is None or each is True or each is False:
        basic.append(None)
        places.append(slice(None))
        if each is not None:
            places[-1] = creation.zeros(int(each), dtype=dtypes.int64)
        return dim
    if isinstance(each, slice):
        basic.append(_slice(each, shape[dim]))
        places.append(slice(None))
        return dim + 1
    if isinstance(each, Tensor):
        if each.dtype in (dtypes.bool_, dtypes.uint8):
            return _place_mask(each, basic, places, shape, dim)
        basic.append(slice(None))
        places.append(_checked(each, shape[dim], dim))
        return dim + 1
    if not -shape[dim] <= each < shape[dim]:
        raise IndexError(
            f"index {each} is out of bounds for dimension {dim} with size {shape[dim]}"
        )
    basic.append(each)
    return dim + 1


def _place_mask(mask: Tensor, basic: list, places: list, shape: tuple, dim: int) -> int:
    if not mask.ndim:
        basic.append(None)
        places.append(creation.zeros(int(bool(mask)), dtype=dtypes.int64))
        return dim
    for i, size in enumerate(mask.shape):
        if size != shape[dim + i]:
            raise IndexError(
                f"The shape of the mask {list(mask.shape)} at index {i} does not match the shape "
                f"of the indexed tensor {list(shape)} at index {dim + i}"
            )
    for column in ops.nonzero_tuple(mask):
        basic.append(slice(None))
        places.append(column)
    return dim + mask.ndim


def _checked(index: Tensor, size: int, dim: int) -> Tensor:
    if index.dtype.kind not in "iu":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if active.trace is None and index.numel():
        array = index._array
        low, high = array.min(), array.max()
        if low < -size or high >= size:
            wrong = int(low if low < -size else high)
            raise IndexError(
                f"index {wrong} is out of bounds for dimension {dim} with size {size}"
            )
    return index


def _listed(index: Any) -> Any:
    # A list is an index tensor, unless it holds slices or the like (the old tuple-like list).
    return index


def _width(each: Any) -> int:
    if each is None or each is Ellipsis or each is True or each is False:
        return 0
    if isinstance(each, Tensor) and each.dtype in (dtypes.bool_, dtypes.uint8):
        return each.ndim
    return 1


def _entry(each: Any) -> Any:
    if each is None or each is Ellipsis or isinstance(each, (bool, slice)):
        return each
    if isinstance(each, Tensor):
        if not each.ndim and each.dtype.kind in "iu" and each.dtype is not dtypes.uint8:
            return each if active.trace is not None else int(each.item())
        return each
    if hasattr(each, "__index__"):
        return each.__index__()
    if isinstance(each, (list, tuple, range)) or hasattr(each, "__array__"):
        found = creation.as_tensor(each)
        return found.long() if not found.numel() else found
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        f"indices (got {type(each).__name__})"
    )


def _slice(each: slice, size: int) -> slice:
    start, stop, step = (
        None if bound is None else bound.__index__()
        for bound in (each.start, each.stop, each.step)
    )
    if step is not None and step <= 0:
        raise ValueError("step must be greater than zero")
    return slice(*slice(start, stop, step).indices(size)) if step else slice(start, stop)


def _show(self: Tensor, basic: tuple) -> Tensor:
    while basic and isinstance(basic[-1], slice) and basic[-1] == slice(None):
        basic = basic[:-1]
    if not basic:
        return ops.alias(self)
    return ops.slice_view(self, basic)
