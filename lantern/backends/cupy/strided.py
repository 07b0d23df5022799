"""Where the elements of a CuPy array lie: addresses, and views of memory by strides."""

from __future__ import annotations

import cupy

from lantern import shape as shapes
from lantern.backends.strided import strides_of

from .placing import transfer

strided = cupy.lib.stride_tricks.as_strided


def address_of(x):
    """Returns the address of the first element."""
    return x.data.ptr


def dense_address(x):
    """Returns None: compiled code of the CPU cannot use the memory of a GPU."""
    return None


def byte_span(x):
    """Returns the first address of the memory that an array shows and the one behind its last."""
    if not x.size:
        return 0, 0
    length = shapes.offsets_range(x.shape, strides_of(x)) * x.itemsize
    return x.data.ptr, x.data.ptr + length


def bytes_of(x):
    """Returns a copy of the memory from the first to the last element as bytes."""
    if not x.size:
        return memoryview(bytearray())
    return memoryview(transfer(memory_of(x), None).view("uint8"))


def memory_of(x):
    """Returns the memory from the first element of `x` to its last as a 1-d array."""
    length = shapes.offsets_range(x.shape, strides_of(x))
    return strided(x, (length,), (x.itemsize,))


def window(x, size, stride, offset):
    """Returns the memory of `x` from its first element on, seen with strides in elements.

    The caller knows that the view stays within the memory.
    """
    row = memory_of(x) if x.size else x.reshape(-1)
    row = row[:0] if 0 in size else row[offset:]
    return strided(row, size, [each * x.itemsize for each in stride])


def diagonal_view(x, offset, dim1, dim2):
    """Returns a view of a diagonal."""
    return x.diagonal(offset, dim1, dim2)


def copies_in_order(x):
    """Says whether `x.copy("K")` leaves the dimensions in the order that PyTorch leaves them in."""
    return x.flags.c_contiguous
