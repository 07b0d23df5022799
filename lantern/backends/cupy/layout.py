"""Where the elements of a CuPy array lie: views by strides, copies in an order, addresses."""

from __future__ import annotations

import cupy

from lantern import shape as shapes

from .placing import transfer

_strided = cupy.lib.stride_tricks.as_strided


def address_of(x):
    """Returns the address of the first element."""
    return x.data.ptr


def offset_in(x, whole):
    """Returns how many elements lie between the start of `whole` and that of its part `x`."""
    return (x.data.ptr - whole.data.ptr) // x.itemsize


def strides_of(x):
    """Returns the strides in elements."""
    item = x.itemsize
    return tuple([each // item for each in x.strides])


def extent(x):
    """Returns the shape and the strides in elements."""
    return x.shape, strides_of(x)


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


def keep(x, shared):
    """Returns the value as an array of its own, row-major, copied only where that is needed."""
    return x.copy() if shared or x.base is not None or not x.flags.c_contiguous else x


def is_packed(x):
    """Says whether the elements lie in row-major order without gaps."""
    return x.flags.c_contiguous


def reshape(x, shape):
    found = view_as(x, shape)
    return x.reshape(shape) if found is None else found


def view_as(x, shape):
    """Returns a view that shows the elements in this shape; None where strides allow none."""
    if x.flags.c_contiguous and (not x.ndim or x.size > 0 and x.strides[-1] == x.itemsize):
        return x.reshape(shape)
    strides = shapes.view_strides(x.shape, strides_of(x), shape)
    return None if strides is None else _strided(x, shape, [s * x.itemsize for s in strides])


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
    return _strided(x, shape, strides)


def memory_of(x):
    """Returns the memory from the first element of `x` to its last as a 1-d array."""
    length = shapes.offsets_range(x.shape, strides_of(x))
    return _strided(x, (length,), (x.itemsize,))


def extended(x, length):
    """Returns a longer row of memory that starts with what `x` holds; what is new is 0."""
    result = cupy.zeros(length, x.dtype)
    known = memory_of(x)
    result[: known.size] = known
    return result


def window(x, size, stride, offset):
    """Returns the memory of `x` from its first element on, seen with strides in elements.

    The caller knows that the view stays within the memory.
    """
    row = memory_of(x) if x.size else x.reshape(-1)
    row = row[:0] if 0 in size else row[offset:]
    return _strided(row, size, [each * x.itemsize for each in stride])


def flip(x, dims):
    if not dims:
        return clone(x)
    result = _laid_out_as(x)
    result[...] = cupy.flip(x, dims)
    return result


def cat(tensors, dim):
    return cupy.ascontiguousarray(cupy.concatenate(tensors, dim))


def as_strided(x, size, stride, storage_offset):
    return window(cupy.ascontiguousarray(x), size, stride, storage_offset)


def diagonal(x, offset, dim1, dim2):
    result = x.diagonal(offset, dim1, dim2)
    if not result.shape[-1]:  # PyTorch leaves an empty diagonal at the start of the memory
        result = x.diagonal(0, dim1, dim2)[..., :0]
    return result


def clone(x):
    if x.flags.c_contiguous:
        return x.copy()
    result = _laid_out_as(x)
    result[...] = x
    return result


def _laid_out_as(x):
    """Returns fresh memory with the dimensions in the same order as those of `x`."""
    if x.flags.c_contiguous:
        return cupy.empty(x.shape, x.dtype)
    strides = shapes.kept_strides(x.shape, strides_of(x))
    return window(cupy.empty(x.size, x.dtype), x.shape, strides, 0)


def relaid(x, strides):
    """Returns a copy that lies in memory with these strides, in elements, without gaps."""
    result = window(cupy.empty(x.size, x.dtype), x.shape, strides, 0)
    result[...] = x
    return result


def contiguous(x):
    return x.copy("C")
