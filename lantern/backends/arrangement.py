"""Where the elements of an array lie, as far as it is alike over both array libraries.

`library` is NumPy here and `strided` has the views and addresses of NumPy's arrays; this file is
loaded once more as a part of `cupy/`, where both are CuPy's.
"""

from __future__ import annotations

from lantern import shape as _shapes

from .library import np as _np
from .strided import (  # noqa: F401  (some are primitives only)
    address_of,
    byte_span,
    bytes_of,
    copies_in_order,
    dense_address,
    diagonal_view,
    memory_of,
    strided,
    strides_of,
    window,
)


def offset_in(x, whole):
    """Returns how many elements lie between the start of `whole` and that of its part `x`."""
    return (address_of(x) - address_of(whole)) // x.itemsize


def extent(x):
    """Returns the shape and the strides in elements."""
    return x.shape, strides_of(x)


def is_packed(x):
    """Says whether the elements lie in row-major order without gaps."""
    return x.flags.c_contiguous


def keep(x, shared):
    """Returns the value as an array of its own, row-major, copied only where that is needed."""
    if type(x) is not _np.ndarray:
        return _np.asarray(x)
    return x.copy() if shared or x.base is not None or not x.flags.c_contiguous else x


def reshape(x, shape):
    if _is_plain(x):
        return x.reshape(shape)
    found = view_as(x, shape)
    return x.reshape(shape) if found is None else found


def _is_plain(x):
    # Then all strides of a reshaped view are those of a row-major array: a last dimension of
    # size 1 may have any stride, and PyTorch hands it on.
    return x.flags.c_contiguous and (not x.ndim or x.size > 0 and x.strides[-1] == x.itemsize)


def view_as(x, shape):
    """Returns a view that shows the elements in this shape; None where strides allow none."""
    if _is_plain(x):
        return x.reshape(shape)
    strides = _shapes.view_strides(x.shape, strides_of(x), shape)
    return None if strides is None else strided(x, shape, [each * x.itemsize for each in strides])


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


def diagonal(x, offset, dim1, dim2):
    result = diagonal_view(x, offset, dim1, dim2)
    if not result.shape[-1]:  # PyTorch leaves an empty diagonal at the start of the memory
        result = diagonal_view(x, 0, dim1, dim2)[..., :0]
    return result


def as_strided(x, size, stride, storage_offset):
    return window(_np.ascontiguousarray(x), size, stride, storage_offset)


def extended(x, length):
    """Returns a longer row of memory that starts with what `x` holds; what is new is 0."""
    result = _np.zeros(length, x.dtype)
    known = memory_of(x)
    result[: known.size] = known
    return result


def cat(tensors, dim):
    result = _np.concatenate(tensors, dim)
    return result if result.flags.c_contiguous else _np.ascontiguousarray(result)


def flip(x, dims):
    if not dims:
        return clone(x)
    result = _laid_out_as(x)
    result[...] = _np.flip(x, dims)
    return result


def clone(x):
    if copies_in_order(x):
        return x.copy("K")
    result = _laid_out_as(x)
    result[...] = x
    return result


def _laid_out_as(x):
    """Returns fresh memory with the dimensions in the same order as those of `x`."""
    if x.flags.c_contiguous:
        return _np.empty(x.shape, x.dtype)
    strides = _shapes.kept_strides(x.shape, strides_of(x))
    return window(_np.empty(x.size, x.dtype), x.shape, strides, 0)


def relaid(x, strides):
    """Returns a copy that lies in memory with these strides, in elements, without gaps."""
    result = window(_np.empty(x.size, x.dtype), x.shape, strides, 0)
    result[...] = x
    return result


def contiguous(x):
    return x.copy("C")
