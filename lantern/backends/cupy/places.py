"""Reading and writing a CuPy array at places: by an index, along a dimension, with additions.

CuPy wraps places around that lie outside of an array, so they are all looked at first; that waits
for the GPU, as a wrong number would be worse.
"""

from __future__ import annotations

import cupy
import cupyx

from lantern.backends.numpy import places  # noqa: F401  (a service)

from .arrangement import clone
from .hosted import scatter_reduce  # noqa: F401  (a primitive)
from .indices import along


def _checked(x, index):
    """Returns an index tuple; raises IndexError for places that `x` does not have."""
    axis = 0
    left = x.ndim - sum(_width(each) for each in index)
    for each in index:
        if each is Ellipsis:
            axis += left
        elif isinstance(each, cupy.ndarray) and each.dtype.kind in "iu":
            size = x.shape[axis]
            wrong = outside(each, -size, size)
            if wrong is not None:
                raise IndexError(
                    f"index {wrong} is out of bounds for dimension {axis} with size {size}"
                )
        axis += _width(each)
    return tuple(index)


def _width(each):
    if each is None or each is Ellipsis:
        return 0
    return each.ndim if isinstance(each, cupy.ndarray) and each.dtype.kind == "b" else 1


def getitem(x, index):
    result = x[(*_checked(x, index), ...)]
    by_array = any(isinstance(each, cupy.ndarray) for each in index)
    return cupy.ascontiguousarray(result) if by_array else result


def write(target, index, value, accumulate=False):
    """Writes into the memory of `target`, at index arrays if there are any."""
    index = _checked(target, index)
    if accumulate:
        _add_at(target, index, value)
    else:
        target[(*index, ...)] = value


def outside(index, low, high):
    """Returns a place that is not in [low, high); None if all are."""
    if index.size:
        least, most = int(index.min()), int(index.max())
        if least < low or most >= high:
            return least if least < low else most
    return None


def put(x, index, value):
    result = clone(x)
    result[(*_checked(x, index), ...)] = value
    return result


def put_add(x, index, value):
    result = x.copy("C")
    _add_at(result, _checked(x, index), value)
    return result


def _add_at(target, index, value):
    """Adds at places that may be named several times, in a dtype that the GPU adds one by one."""
    char = target.dtype.char
    if char in "fd":
        cupyx.scatter_add(target, index, value)
    elif target.dtype.kind in "iu" and target.itemsize == 8:  # as bits, where signs do not matter
        bits = value.view("uint64") if isinstance(value, cupy.ndarray) else value % (1 << 64)
        cupyx.scatter_add(target.view("uint64"), index, bits)
    else:
        wide = target.astype("float32" if char in "eE" else "int32")
        value = value.astype(wide.dtype) if isinstance(value, cupy.ndarray) else value
        cupyx.scatter_add(wide, index, value)
        target[...] = wide.astype(target.dtype)


def gather(x, dim, index):
    _refuse_outside(index, x.shape[dim] if x.ndim else 1, dim)
    if not x.ndim:
        return cupy.broadcast_to(x, index.shape).copy()
    return x[along(dim, index)]


def pick(x, dim, index):
    if outside(index, 0, x.shape[dim]) is not None:
        raise IndexError("index out of range in self")
    return cupy.take(x, index, dim)


def _refuse_outside(index, size, dim):
    wrong = outside(index, 0, size)
    if wrong is not None:
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")


def scatter(x, dim, index, src):
    _refuse_outside(index, x.shape[dim] if x.ndim else 1, dim)
    result = x.copy("C")
    part = src[tuple(slice(size) for size in index.shape)]
    if x.ndim:
        result[along(dim, index)] = part
    else:
        result[...] = part.reshape(-1)[-1]
    return result


def scatter_add(x, dim, index, src):
    _refuse_outside(index, x.shape[dim] if x.ndim else 1, dim)
    result = x.copy("C")
    part = src[tuple(slice(size) for size in index.shape)]
    if x.ndim:
        _add_at(result, along(dim, index), cupy.ascontiguousarray(part))
        return result
    return result + part.sum(dtype=x.dtype)


def repeat_places(repeats):
    """Returns each place as often as `repeats` says there."""
    if repeats.size and int(repeats.min()) < 0:
        raise RuntimeError("repeats can not be negative")
    ends = cupy.cumsum(repeats)
    count = int(ends[-1]) if repeats.size else 0
    return cupy.searchsorted(ends, cupy.arange(count), "right")
