"""Reading and writing a NumPy array at places: by an index, along a dimension, with additions."""

from __future__ import annotations

import functools

import numpy as np

from .arrangement import clone
from .indices import along


def getitem(x, index):
    try:
        result = x[*index, ...]  # the ellipsis keeps a single element an array, and a view
    except IndexError as error:
        raise _index_error(error) from None
    if result.base is not None and np.ndarray in map(type, index):
        if not result.flags.c_contiguous:  # NumPy puts the dimensions of the index outermost
            return result.copy()
        if 1 in result.shape:
            return (
                np.ndarray(result.shape, result.dtype, result)
                if result.dtype.char != "E"
                else result
            )
    return result


def write(target, places, value, accumulate=False):
    """Writes into the memory of `target`, at index arrays if there are any."""
    try:
        if accumulate:
            np.add.at(target, places, value)
        else:
            target[*places, ...] = value
    except IndexError as error:
        raise _index_error(error) from None


def _index_error(error):
    text = str(error).replace("axis", "dimension")
    if text.startswith("shape mismatch"):
        start, _, shapes = text.replace("arrays", "tensors").partition("with shapes ")
        lists = [f"[{each.strip(' (,')}]" for each in shapes.split(")") if each.strip()]
        text = f"{start}with shapes {', '.join(lists)}"
    return IndexError(text)


def outside(index, low, high):
    """Returns a place that is not in [low, high); None if all are."""
    if index.size:
        least, most = np.minimum.reduce(index, None), np.maximum.reduce(index, None)
        if least < low or most >= high:
            return int(least if least < low else most)
    return None


def put(x, index, value):
    result = clone(np.asarray(x))
    try:
        result[*index, ...] = value
    except IndexError as error:
        raise _index_error(error) from None
    return result


def put_add(x, index, value):
    result = np.array(x, order="C")
    np.add.at(result, index, value)
    return result


@functools.lru_cache(16)
def _starts(rows, width):
    """Returns where the rows of a matrix start in its memory, below each other; to be read only."""
    return np.arange(0, rows * width, width).reshape(rows, 1) if width else np.zeros((rows, 1), int)


def gather(x, dim, index):
    _refuse_outside(index, x.shape[dim] if x.ndim else 1, dim)
    if not x.ndim:
        return np.broadcast_to(x, index.shape).copy()
    if dim == 1 and x.ndim == 2 and x.flags.c_contiguous:
        return x.reshape(-1).take(index + _starts(len(index), x.shape[1]))
    return x[along(dim, index)]


def pick(x, dim, index):
    if not _is_within(index, x.shape[dim]):
        raise IndexError("index out of range in self")
    return np.take(x, index, dim)


def _is_within(index, size):
    # Seen as unsigned, negative numbers are large: one pass finds both kinds of wrong index.
    return not index.size or index.view(f"u{index.itemsize}").max() < size


def _refuse_outside(index, size, dim):
    if not _is_within(index, size):
        wrong = index[(index < 0) | (index >= size)][:1].item()
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")


def scatter(x, dim, index, src):
    _refuse_outside(index, x.shape[dim] if x.ndim else 1, dim)
    result = np.array(x, order="C")
    part = src if src.shape == index.shape else src[tuple([slice(size) for size in index.shape])]
    if dim == 1 and x.ndim == 2:
        result.reshape(-1)[index + _starts(len(index), x.shape[1])] = part
    elif x.ndim:
        result[along(dim, index)] = part
    else:
        result[()] = part.reshape(-1)[-1]
    return result


def scatter_add(x, dim, index, src):
    _refuse_outside(index, x.shape[dim] if x.ndim else 1, dim)
    result = np.array(x, order="C")
    part = src[tuple(slice(size) for size in index.shape)]
    if x.ndim:
        np.add.at(result, along(dim, index), part)
        return result
    return np.asarray(result + part.sum(dtype=x.dtype))


_AT = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def scatter_reduce(x, dim, index, src, reduce):
    _refuse_outside(index, x.shape[dim] if x.ndim else 1, dim)
    result = np.array(x, order="C")
    part = src[tuple(slice(size) for size in index.shape)]
    if not x.ndim:
        _AT[reduce].at(result.reshape(1), index.reshape(-1), part.reshape(-1))
    else:
        _AT[reduce].at(result, along(dim, index), part)
    return result


def repeat_places(repeats):
    """Returns each place as often as `repeats` says there."""
    if repeats.size and repeats.min() < 0:
        raise RuntimeError("repeats can not be negative")
    return np.repeat(np.arange(repeats.size), repeats)


def places(shape):
    """Returns the index of every element of an array of this shape."""
    return np.ndindex(*shape)
