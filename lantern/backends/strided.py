"""Where the elements of a NumPy array lie: views by strides, copies in an order, addresses."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import NamedTuple

import numpy as np

from .. import shape as shapes


def address_of(x):
    """Returns the address of the first element."""
    return x.__array_interface__["data"][0] if x.dtype.char != "E" else x.ctypes.data


def offset_in(x, whole):
    """Returns how many elements lie between the start of `whole` and that of its part `x`."""
    return (address_of(x) - address_of(whole)) // x.itemsize


def extent(x):
    """Returns the shape and the strides in elements."""
    return x.shape, strides_of(x)


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


def keep(x, shared):
    """Returns the value as an array of its own, row-major, copied only where that is needed."""
    if type(x) is not np.ndarray:
        return np.asarray(x)
    return x.copy() if shared or x.base is not None or not x.flags.c_contiguous else x


def reshape(x, shape):
    if _is_plain(x):
        return x.reshape(shape)
    strides = shapes.view_strides(x.shape, strides_of(x), shape)
    if strides is None:
        return x.reshape(shape)
    return strided(x, shape, [each * x.itemsize for each in strides])


def _is_plain(x):
    # Then all strides of a reshaped view are those of a row-major array: a last dimension of
    # size 1 may have any stride, and PyTorch hands it on.
    return x.flags.c_contiguous and (not x.ndim or x.size > 0 and x.strides[-1] == x.itemsize)


def strides_of(x):
    """Returns the strides in elements."""
    item = x.itemsize
    return tuple([each // item for each in x.strides])


def view_as(x, shape):
    """Returns a view that shows the elements in this shape; None where strides allow none."""
    if _is_plain(x):
        return x.reshape(shape)
    strides = shapes.view_strides(x.shape, strides_of(x), shape)
    return None if strides is None else strided(x, shape, [each * x.itemsize for each in strides])


def is_packed(x):
    """Says whether the elements lie in row-major order without gaps."""
    return x.flags.c_contiguous


def permute(x, dims):
    return x.transpose(dims)


def expand(x, shape):
    lead = len(shape) - x.ndim
    strides = [
        0 if size != target else stride
        for size, target, stride in zip(x.shape, shape[lead:], x.strides, strict=True)
    ]
    for i in reversed(range(lead)):
        outer = shape[i + 1] * strides[0] if strides else x.itemsize
        strides.insert(0, outer if shape[i] == 1 else 0)
    return strided(x, shape, strides)


def strided(x, shape, strides):
    """Returns a writable view of `x` with a shape and byte strides that stay within its memory."""
    if x.flags.c_contiguous and x.dtype.char != "E":
        return np.ndarray(shape, x.dtype, x, 0, strides)
    return np.lib.stride_tricks.as_strided(x, shape, strides)


def memory_of(x):
    """Returns the memory from the first element of `x` to its last as a 1-d array."""
    length = shapes.offsets_range(x.shape, strides_of(x))
    return np.lib.stride_tricks.as_strided(x, (length,), (x.itemsize,))


def extended(x, length):
    """Returns a longer row of memory that starts with what `x` holds; what is new is 0."""
    result = np.zeros(length, x.dtype)
    known = memory_of(x)
    result[: known.size] = known
    return result


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


def flip(x, dims):
    if not dims:
        return clone(x)
    result = _laid_out_as(x)
    result[...] = np.flip(x, dims)
    return result


def cat(tensors, dim):
    result = np.concatenate(tensors, dim)
    return result if result.flags.c_contiguous else np.ascontiguousarray(result)


def as_strided(x, size, stride, storage_offset):
    return window(np.ascontiguousarray(x), size, stride, storage_offset)


def diagonal(x, offset, dim1, dim2):
    result = x.diagonal(offset, dim1, dim2)
    if not result.shape[-1]:  # PyTorch leaves an empty diagonal at the start of the memory
        result = x.diagonal(0, dim1, dim2)[..., :0]
    result.flags.writeable = x.flags.writeable
    return result


def clone(x):
    if x.flags.forc or 0 not in x.strides:
        return x.copy("K")
    # NumPy takes a stride of 0 for the innermost, PyTorch leaves such a dimension where it is.
    result = _laid_out_as(x)
    result[...] = x
    return result


def _laid_out_as(x):
    """Returns fresh memory with the dimensions in the same order as those of `x`."""
    if x.flags.c_contiguous:
        return np.empty(x.shape, x.dtype)
    strides = shapes.kept_strides(x.shape, strides_of(x))
    return window(np.empty(x.size, x.dtype), x.shape, strides, 0)


def relaid(x, strides):
    """Returns a copy that lies in memory with these strides, in elements, without gaps."""
    result = window(np.empty(x.size, x.dtype), x.shape, strides, 0)
    result[...] = x
    return result


def contiguous(x):
    return x.copy("C")


def bytes_of(x):
    """Returns the memory from the first to the last element of an array as writable bytes."""
    if not x.size:
        return memoryview(bytearray())
    span = 1
    for size, stride in zip(x.shape, x.strides, strict=True):
        span += (size - 1) * stride // x.itemsize
    flat = np.lib.stride_tricks.as_strided(x, (span,), (x.itemsize,))
    return memoryview(flat.view(np.uint8))


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
