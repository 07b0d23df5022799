"""The vocabulary computed by NumPy: the meaning of every primitive.

Dtypes arrive equal (promotion is the op's work) and half types arrive as float32. Where NumPy's
special values differ from PyTorch's, the difference is made up here.
"""

from __future__ import annotations

import contextvars
import functools
import sys
import warnings
from functools import partial

import numpy as np

from .. import dtypes
from .. import shape as shapes
from ..device import CPU
from ..naming import type_name
from . import NAMESPACES, dlpack
from .arithmetic import linear, matmul, maximum, minimum, sigmoid, sum, where  # noqa: F401  (primitives)
from .arrangement import *  # noqa: F403  (primitives)
from .arrangement import clone, copies_in_order
from .convolution import conv, conv_input, conv_weight, windows, windows_add  # noqa: F401
from .implicit import beta_slope, gamma_slope, gammainc, gammaincc  # noqa: F401  (primitives)
from .indices import nonzero, rows  # noqa: F401  (a primitive, a service)
from .kinds import NUMPY_DTYPE, dtype_of
from .lapack import (  # noqa: F401  (primitives)
    cholesky,
    cholesky_packed,
    cofactor,
    det,
    eigh_packed,
    inv,
    inv_packed,
    lu_packed,
    matrix_exp,
    pinv,
    qr_packed,
    slogdet_packed,
    solve,
    svd_packed,
)
from .passes import one_pass  # noqa: F401  (a service)
from .places import (  # noqa: F401  (primitives)
    gather,
    getitem,
    outside,
    pick,
    places,
    put,
    put_add,
    repeat_places,
    scatter,
    scatter_add,
    scatter_reduce,
    write,
)
from .pointwise import *  # noqa: F403  (primitives)
from .ranges import steps_from
from .special import digamma, erf, erfc, erfcx, erfinv, i0e, i1e, lgamma, ndtri, polygamma  # noqa: F401  (primitives)
from .strided import array_fields  # noqa: F401  (a service)

_BFLOAT16 = NUMPY_DTYPE[dtypes.bfloat16]

NAMESPACES[np.ndarray] = sys.modules[__name__]
for _scalar in (np.float32, np.float64, np.float16, _BFLOAT16.type, np.bool_, np.int64):
    NAMESPACES[_scalar] = sys.modules[__name__]

ndarray = np.ndarray
BLOCK = 1 << 14  # elements that an update works on at a time: they stay in the second-level cache


def _silencers():
    """Returns `silence` and `restore`, between whose calls infinities and NaN give no warnings.

    PyTorch computes them in silence, and the warnings of the user's own NumPy stay as they are.
    `np.errstate` sets a context variable of NumPy's; setting it at once takes a sixth of the time.
    """
    with np.errstate(all="ignore"):
        for variable, quiet in contextvars.copy_context().items():
            if variable.name == "numpy.ufunc.extobj":
                return functools.partial(variable.set, quiet), variable.reset
    return functools.partial(np.seterr, all="ignore"), lambda before: np.seterr(**before)


silence, restore = _silencers()


def device_of(x):
    """Returns the device that the array lies on."""
    return CPU


def asarray(value, dtype=None):
    """Returns a value of NumPy's (an array or a scalar) or a Python number as an array."""
    return np.asarray(value, None if dtype is None else NUMPY_DTYPE[dtype])


as_array = np.asarray


def blank_maker(shape, dtype):
    """Returns a function without arguments that makes arrays of any content."""
    kind = NUMPY_DTYPE[dtype]
    first = np.empty(shape, kind)
    return first.copy if first.nbytes < 1 << 12 else partial(np.empty, shape, kind)


def to_numpy(x, force):
    """Returns a NumPy array of the same memory, an object of its own that may be reshaped."""
    return x.view()


def to_list(x):
    """Returns the elements as nested lists of Python numbers."""
    return x.tolist()


def side_by_side(arrays):
    """Returns the elements of several arrays in one flat array."""
    return np.concatenate(arrays, None)


@functools.cache
def _ones(kind):
    return kind.type(1)


def unit(x):
    """Returns the number 1 in the dtype of an array, as NumPy's own kind of number."""
    return _ones(x.dtype)


def copy_into(target, source):
    """Writes `source` into the memory of `target`, cast and broadcast."""
    if target.dtype is source.dtype:
        np.copyto(target, source)
        return
    token = silence()
    try:
        np.copyto(target, source, casting="unsafe")
    finally:
        restore(token)


def sign(x):
    if x.dtype.kind == "b":
        return x.copy()
    if x.dtype.kind == "f":
        return np.subtract(x > 0, x < 0, dtype=x.dtype)  # 0 for NaN, as PyTorch has it
    return np.sign(x)


def mantissa(x):
    return np.frexp(x)[0]


def exponent(x):
    return np.asarray(np.where(np.isfinite(x), np.frexp(x)[1], 0), np.int32)


def _refuse_zero(x, y):
    x, y = np.asarray(x), np.asarray(y)
    if "f" in (x.dtype.kind, y.dtype.kind):  # a whole number beside floating point is one of them
        return
    if not np.all(y) and np.broadcast(x, y).size:
        raise RuntimeError("ZeroDivisionError")


def floor_divide(x, y):
    _refuse_zero(x, y)
    return np.floor_divide(x, y)


def remainder(x, y):
    _refuse_zero(x, y)
    result = np.remainder(x, y)
    if result.dtype.kind == "f":  # a zero has the sign of x, in NumPy that of y
        zero = result == 0
        if zero.any():
            return np.where(zero, np.fmod(x, y), result)
    return result


def fmod(x, y):
    _refuse_zero(x, y)
    return np.fmod(x, y)


def pow(x, y):
    if type(y) in (int, float):
        if y == 2:
            return np.square(x)
        if y == 0.5 and x.dtype.kind == "f":
            return np.sqrt(x)
    if (
        np.asarray(x).dtype.kind in "iu"
        and np.asarray(y).dtype.kind == "i"
        and np.any(np.less(y, 0))
    ):
        return _integer_power(x, y)
    return np.power(x, y)


def _integer_power(x, y):
    # With a negative exponent an integer power is 1/x**|y| cut to an integer.
    x, y = np.broadcast_arrays(x, y)
    result = np.power(x, np.where(y < 0, 0, y))
    minus = np.where(np.equal(y & 1, 1), x, 1)
    return np.where(y < 0, np.where(x == 1, 1, np.where(x == -1, minus, 0)), result).astype(x.dtype)


def cast(x, dtype):
    token = silence()
    try:
        if not copies_in_order(x):
            x = clone(x)
        return x.astype(NUMPY_DTYPE[dtype])
    finally:
        restore(token)


def prod(x, dim=None, keepdim=False):
    return np.multiply.reduce(x, dim, None, None, keepdim)


def amax(x, dim=None, keepdim=False):
    return np.maximum.reduce(x, dim, None, None, keepdim)


def amin(x, dim=None, keepdim=False):
    return np.minimum.reduce(x, dim, None, None, keepdim)


def any(x, dim=None, keepdim=False):
    return np.logical_or.reduce(x, dim, None, None, keepdim)


def all(x, dim=None, keepdim=False):
    return np.logical_and.reduce(x, dim, None, None, keepdim)


def argmax(x, dim=None, keepdim=False):
    return np.asarray(x.argmax(dim, keepdims=keepdim), np.int64)


def argmin(x, dim=None, keepdim=False):
    return np.asarray(x.argmin(dim, keepdims=keepdim), np.int64)


def cumsum(x, dim):
    return np.add.accumulate(x, dim) if x.ndim else x.copy()


def cumprod(x, dim):
    return np.multiply.accumulate(x, dim) if x.ndim else x.copy()


def argcummax(x, dim):
    return _arg_extreme(x, dim, np.maximum)


def argcummin(x, dim):
    return _arg_extreme(x, dim, np.minimum)


def _arg_extreme(x, dim, extreme):
    # Of equal elements the last counts, and so does the last NaN.
    if not x.ndim or not x.size:
        return np.zeros(x.shape, np.int64)
    best = extreme.accumulate(x, dim)
    hit = (x == best) | (x != x)
    line = np.arange(x.shape[dim]).reshape([-1 if i == dim else 1 for i in range(x.ndim)])
    return np.maximum.accumulate(np.where(hit, line, 0), dim)


def arange(start, end, step, dtype):
    if dtype.kind not in "fe":
        return np.arange(start, end, step, NUMPY_DTYPE[dtype])
    return steps_from(start, step, shapes.range_size(start, end, step), NUMPY_DTYPE[dtype])


def argsort(x, dim, descending, stable):
    if not x.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, dim, kind="stable")
    # Sorting the reversed array keeps equal elements in order once reversed again.
    reverse = np.argsort(np.flip(x, dim), dim, kind="stable")
    return x.shape[dim] - 1 - np.flip(reverse, dim)


def argsearch(sequence, x, right):
    side = "right" if right else "left"
    if sequence.ndim == 1:
        return np.asarray(sequence.searchsorted(x, side), np.int64)
    sorted_rows = sequence.reshape(-1, sequence.shape[-1])
    wanted = x.reshape(len(sorted_rows), -1) if x.size else x
    pairs = zip(sorted_rows, wanted, strict=False)
    found = [row.searchsorted(each, side) for row, each in pairs]
    return np.asarray(found, np.int64).reshape(x.shape)


def argtopk(x, k, dim, largest, sorted):
    order = argsort(x, dim, largest, True)
    return np.ascontiguousarray(order[(slice(None),) * dim + (slice(k),)]) if x.ndim else order


# Draws whose shape and dtype follow from the arrays among their parameters.
DRAWN_BY_ARRAYS = set("normal_around multinomial poisson slopes gamma dirichlet binomial".split())


def draw(kind, shape, dtype, generator, *parameters):
    method = getattr(generator.stream, kind)
    if kind in DRAWN_BY_ARRAYS:
        return method(*parameters)
    if kind == "permutation":
        return method(shape[0], NUMPY_DTYPE[dtype])
    return method(shape, NUMPY_DTYPE[dtype], *parameters)


def is_array(value):
    """Says whether a value is a NumPy array."""
    return isinstance(value, np.ndarray)


def from_dlpack(value):
    """Returns an array over the memory of an object that speaks the DLPack protocol."""
    capsule = dlpack.taken_from(value)
    if capsule.device != dlpack.CPU:
        raise RuntimeError(
            f"from_dlpack(): the memory is on device {capsule.device} of the DLPack standard, "
            "which is not in Lantern yet; copy it to the CPU first"
        )
    is_bfloat16 = capsule.is_bfloat16
    if is_bfloat16:
        capsule.set_code(dlpack.UINT)
    try:
        array = np.from_dlpack(capsule)
    except BufferError as error:
        raise RuntimeError(f"from_dlpack(): {error}") from None
    if not array.flags.writeable:  # tensors can be written, whoever else looks at the memory
        array = np.asarray(_Writable(array))
    return adopt(array.view(_BFLOAT16) if is_bfloat16 else array, shared=False)


class _Writable:
    """Shows the memory of an array that it keeps alive as memory that may be written."""

    def __init__(self, array):
        self.array = array
        place = (array.ctypes.data, False)
        self.__array_interface__ = {**array.__array_interface__, "data": place}


def to_dlpack(array, **wishes):
    """Returns a DLPack capsule over the memory of an array."""
    if array.dtype != _BFLOAT16:
        return array.__dlpack__(**wishes)
    capsule = dlpack.Capsule(array.view(np.uint16).__dlpack__(**wishes))
    capsule.set_code(dlpack.BFLOAT)
    return capsule.capsule


def adopt(value, shared=True):
    """Returns a NumPy array as memory for a tensor; raises where its type or strides have none.

    Where the memory is `shared`, a warning says so of an array that must not be written.
    """
    if not isinstance(value, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type_name(value)})")
    value = value.view(np.ndarray)  # an object of its own: the user's may be reshaped in place
    if not value.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion "
            "between byte orders is currently not supported."
        )
    dtype_of(value)
    for stride in value.strides:
        if stride < 0:
            raise ValueError(
                "At least one stride in the given numpy array is negative, and tensors with "
                "negative strides are not currently supported. (You can probably work around this "
                "by making a copy of your array  with array.copy().) "
            )
        if stride % value.itemsize:
            raise ValueError(
                "given numpy array strides not a multiple of the element byte size. Copy the numpy "
                "array to reallocate the memory."
            )
    if shared and not value.flags.writeable:
        _warn_of_read_only()
    return value


_warned = []


def _warn_of_read_only():
    if not _warned:
        _warned.append(True)
        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable "
            "tensors. This means writing to this tensor will result in undefined behavior. You may "
            "want to copy the array to protect its data or make it writable before converting it "
            "to a tensor.",
            UserWarning,
            stacklevel=4,
        )


def from_buffer(buffer, dtype, count, offset):
    """Returns a 1-d array of `count` elements over the memory of an object such as bytearray."""
    bits = np.frombuffer(buffer, np.uint8, count * dtype.itemsize, offset)
    return bits.view(NUMPY_DTYPE[dtype])


def from_any_buffer(buffer, dtype, count, offset):
    """Returns `from_buffer` of what a user gave; raises ValueError where that cannot be."""
    try:
        view = memoryview(buffer).cast("B")
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    length, item = len(view), dtype.itemsize
    if not length or not count:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length "
            f"({length} bytes) minus 1"
        )
    if count > 0 and count * item > length - offset:
        raise ValueError(
            f"requested buffer length ({count} * {item} bytes) after offset ({offset} bytes) must "
            f"not be greater than actual buffer length ({length} bytes)"
        )
    if count < 0 and (length - offset) % item:
        raise ValueError(
            f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a "
            f"multiple of element size ({item})"
        )
    return from_buffer(view, dtype, count if count > 0 else (length - offset) // item, offset)
