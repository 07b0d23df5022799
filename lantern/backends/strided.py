"""Where the elements of a NumPy array lie: addresses, and views of memory by strides."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import NamedTuple

import numpy as np

from .. import shape as shapes


def address_of(x):
    """Returns the address of the first element."""
    return x.__array_interface__["data"][0] if x.dtype.char != "E" else x.ctypes.data


_word = ctypes.c_size_t.from_address


_DATA = object.__basicsize__  # NumPy's array object begins with the address of its data


_probe = np.zeros(3)


_IS_FIRST = _word(id(_probe) + _DATA).value == _probe.ctypes.data


def dense_address(x):
    """Returns the address of row-major memory, None where elements lie otherwise."""
    if not isinstance(x, np.ndarray) or not x.flags.c_contiguous:
        return None  # NumPy's scalars say that they are contiguous, but are made otherwise
    return _word(id(x) + _DATA).value if _IS_FIRST else address_of(x)


def byte_span(x):
    """Returns the first address of the memory that an array shows and the one behind its last."""
    return np.lib.array_utils.byte_bounds(x) if isinstance(x, np.ndarray) and x.size else (0, 0)


def strides_of(x):
    """Returns the strides in elements."""
    item = x.itemsize
    return tuple([each // item for each in x.strides])


def strided(x, shape, strides):
    """Returns a writable view of `x` with a shape and byte strides that stay within its memory."""
    if x.flags.c_contiguous and x.dtype.char != "E":
        return np.ndarray(shape, x.dtype, x, 0, strides)
    return np.lib.stride_tricks.as_strided(x, shape, strides)


def memory_of(x):
    """Returns the memory from the first element of `x` to its last as a 1-d array."""
    length = shapes.offsets_range(x.shape, strides_of(x))
    return np.lib.stride_tricks.as_strided(x, (length,), (x.itemsize,))


def window(x, size, stride, offset):
    """Returns the memory of `x` from its first element on, seen with strides in elements.

    The caller knows that the view stays within the memory.
    """
    item = x.itemsize
    memory = x if x.flags.c_contiguous else memory_of(x)
    strides = [each * item for each in stride]
    if 0 in size:
        return np.lib.stride_tricks.as_strided(x.reshape(-1)[:0], size, strides)
    if x.dtype.char == "E":  # the buffer protocol has no bfloat16
        bits = memory.view(np.uint16)
        return np.ndarray(size, np.uint16, bits, offset * item, strides).view(x.dtype)
    return np.ndarray(size, x.dtype, memory, offset * item, strides)


def bytes_of(x):
    """Returns the memory from the first to the last element of an array as writable bytes."""
    return memoryview(memory_of(x).view(np.uint8) if x.size else bytearray())


def diagonal_view(x, offset, dim1, dim2):
    """Returns a view of a diagonal; NumPy's own could only be read."""
    result = x.diagonal(offset, dim1, dim2)
    result.flags.writeable = x.flags.writeable
    return result


def copies_in_order(x):
    """Says whether `x.copy("K")` leaves the dimensions in the order that PyTorch leaves them in."""
    # NumPy takes a stride of 0 for the innermost, PyTorch leaves such a dimension where it is.
    return x.flags.forc or 0 not in x.strides


class Fields(NamedTuple):
    """How far into an array's object its data, rank, shape, strides and dtype are noted."""

    data: int
    ndim: int
    shape: int
    strides: int
    dtype: int


@cache
def array_fields():
    """Returns where the objects of arrays keep what they are; None where that is elsewhere."""
    size = ctypes.sizeof(ctypes.c_size_t)
    found = Fields(_DATA, *(_DATA + n * size for n in (1, 2, 3, 5)))
    probe = np.zeros((2, 3, 4), np.float32)[:, :, ::2]
    start = id(probe)
    words = [ctypes.POINTER(ctypes.c_ssize_t).from_address(start + at) for at in found[2:4]]
    as_expected = (
        _IS_FIRST
        and ctypes.c_int.from_address(start + found.ndim).value == 3
        and [tuple(each[:3]) for each in words] == [probe.shape, probe.strides]
        and _word(start + found.dtype).value == id(probe.dtype)
    )
    return found if as_expected else None
