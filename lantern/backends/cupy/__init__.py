"""The vocabulary computed on NVIDIA's GPUs by CuPy.

CuPy has NumPy's names, so most primitives are its functions; what it lacks, or does otherwise, is
made up in the files beside this one. Files of the folder above that are written over `library`
(views and copies, convolution, random draws) are loaded here a second time, over CuPy; and what is
rare and gains little there (factors of matrices, slopes of random draws) is computed by the NumPy
backend on copies.
"""

from __future__ import annotations

import sys
from pathlib import Path

try:
    import cupy
except ImportError as error:
    raise ImportError(
        "Lantern computes on a GPU by CuPy, which is not installed: pip install 'lantern-dl[cuda]' "
        f"({error})"
    ) from error

from lantern import dtypes
from lantern.backends import NAMESPACES
from lantern.backends import numpy as host
from lantern.backends.kinds import NUMPY_DTYPE, dtype_of
from lantern.shape import range_size

__path__.append(str(Path(__file__).parents[1]))  # where the shared files are

from . import placing  # noqa: E402
from .arrangement import *  # noqa: E402, F403  (primitives)
from .convolution import conv, conv_input, conv_weight, windows, windows_add  # noqa: E402
from .hosted import (  # noqa: E402  (primitives)
    beta_slope,
    cholesky,
    cholesky_packed,
    cofactor,
    det,
    eigh_packed,
    exponent,
    gamma_slope,
    inv,
    inv_packed,
    lu_packed,
    mantissa,
    matrix_exp,
    pinv,
    qr_packed,
    slogdet_packed,
    solve,
    svd_packed,
)
from .indices import nonzero, rows  # noqa: E402  (a primitive, a service)
from .memory import Meter  # noqa: E402
from .places import (  # noqa: E402  (primitives)
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
from .placing import current_index, device_of, index_of, name_of, transfer, use  # noqa: E402
from .pointwise import *  # noqa: E402, F403  (primitives)
from .special import (  # noqa: E402  (primitives)
    digamma,
    erf,
    erfc,
    erfcx,
    erfinv,
    gammainc,
    gammaincc,
    i0e,
    i1e,
    lgamma,
    ndtri,
    polygamma,
)

ndarray = cupy.ndarray
NAMESPACES[ndarray] = sys.modules[__name__]
meter = Meter()
BLOCK = 1 << 62  # elements that an update works on at a time: all of them


def out_of_memory(error):
    """Returns the figures of an error of CuPy's for want of memory; None for any other error."""
    if not isinstance(error, cupy.cuda.memory.OutOfMemoryError):
        return None
    free, total = cupy.cuda.runtime.memGetInfo()
    return {"free": free, "total": total, "used": cupy.get_default_memory_pool().used_bytes()}


def set_tf32(on):
    """Has products of float32 computed with operands rounded to 10 bits, or in full."""
    kinds = cupy._core._routines_linalg
    kind = kinds.COMPUTE_TYPE_TF32 if on else kinds.COMPUTE_TYPE_DEFAULT
    cupy._core.set_compute_type("float32", kind)


# --- services of the frame
def asarray(value, dtype=None):
    """Returns an array, or a Python number, as an array on the current GPU."""
    return cupy.asarray(value, None if dtype is None else NUMPY_DTYPE[dtype])


as_array = cupy.asarray


def to_numpy(x, force):
    """Returns a copy as a NumPy array where it is asked for by force; raises TypeError else."""
    if not force:
        raise TypeError(
            f"can't convert {device_of(x)} device type tensor to numpy. Use Tensor.cpu() to copy "
            "the tensor to host memory first."
        )
    return transfer(x, None)


def to_list(x):
    """Returns the elements as nested lists of Python numbers."""
    return transfer(x, None).tolist()


def side_by_side(arrays):
    """Returns the elements of several arrays in one flat array."""
    return cupy.concatenate([each.ravel() for each in arrays])


def unit(x):
    """Returns the number 1 in the dtype of an array."""
    return cupy.ones((), x.dtype)


def copy_into(target, source):
    """Writes `source`, from wherever it is, into the memory of `target`, cast and broadcast."""
    if not isinstance(source, ndarray) or index_of(source) != index_of(target):
        source = transfer(source, index_of(target))
    target[...] = source if source.dtype == target.dtype else source.astype(target.dtype)


def is_array(value):
    """Says whether a value is a CuPy array."""
    return isinstance(value, ndarray)


def to_dlpack(array, **wishes):
    """Returns a DLPack capsule over the memory of an array."""
    return array.__dlpack__(**wishes)


def one_pass(formula, operands, together, *settings):
    """Returns `formula(xp, *operands, *settings)`, whose steps are passes over memory here."""
    return formula(NAMESPACES[ndarray], *operands, *settings)


# --- element by element
maximum, minimum = cupy.maximum, cupy.minimum


def sign(x):
    if x.dtype.kind == "b":
        return x.copy()
    if x.dtype.kind == "f":
        return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)  # 0 for NaN, as PyTorch has it
    return cupy.sign(x)


def sigmoid(x):
    return 1 / (1 + cupy.exp(-x))


def _refuse_zero(x, y):
    # CUDA gives any number for an integer divided by zero; asking costs a wait for the GPU.
    x, y = _alike(x, y)
    if y.dtype.kind in "iu" and x.size and not bool(y.all()):
        raise RuntimeError("ZeroDivisionError")


def floor_divide(x, y):
    _refuse_zero(x, y)
    return cupy.floor_divide(x, y)


def remainder(x, y):
    _refuse_zero(x, y)
    result = cupy.remainder(x, y)
    if result.dtype.kind == "f":  # a zero has the sign of x
        return cupy.where(result == 0, cupy.fmod(x, y), result)
    return result


def fmod(x, y):
    _refuse_zero(x, y)
    return cupy.fmod(x, y)


def pow(x, y):
    if type(y) in (int, float) and y == 2:
        return cupy.square(x)
    if type(y) in (int, float) and y == 0.5 and x.dtype.kind == "f":
        return cupy.sqrt(x)
    x, y = _alike(x, y)
    if x.dtype.kind == "i" and bool((y < 0).any()):
        return _integer_power(x, y)
    return cupy.power(x, y)


def _alike(x, y):
    # A number takes the dtype of the array beside it.
    if not isinstance(x, ndarray):
        return cupy.asarray(x, y.dtype), y
    return x, y if isinstance(y, ndarray) else cupy.asarray(y, x.dtype)


def _integer_power(x, y):
    # With a negative exponent an integer power is 1/x**|y| cut to an integer.
    result = cupy.power(x, cupy.where(y < 0, 0, y))
    minus = cupy.where((y & 1) == 1, x, 1)
    small = cupy.where(x == 1, 1, cupy.where(x == -1, minus, 0))
    return cupy.where(y < 0, small, result).astype(x.dtype)


def where(condition, x, y):
    return cupy.where(condition, x, y)


def cast(x, dtype):
    return x.astype(NUMPY_DTYPE[dtype])


# --- sums and the like
def _axes(x, dim):
    return dim if dim is None or type(dim) is int else tuple(dim)


def sum(x, dim=None, keepdim=False):
    if dim == ():
        return x.copy()
    return x.sum(_axes(x, dim), dtype=x.dtype, keepdims=keepdim)


def prod(x, dim=None, keepdim=False):
    if dim == ():
        return x.copy()
    return x.prod(_axes(x, dim), dtype=x.dtype, keepdims=keepdim)


def amax(x, dim=None, keepdim=False):
    return x.copy() if dim == () else x.max(_axes(x, dim), keepdims=keepdim)


def amin(x, dim=None, keepdim=False):
    return x.copy() if dim == () else x.min(_axes(x, dim), keepdims=keepdim)


def any(x, dim=None, keepdim=False):
    return x.astype(bool) if dim == () else x.any(_axes(x, dim), keepdims=keepdim)


def all(x, dim=None, keepdim=False):
    return x.astype(bool) if dim == () else x.all(_axes(x, dim), keepdims=keepdim)


def argmax(x, dim=None, keepdim=False):
    return x.argmax(dim, keepdims=keepdim).astype("int64")


def argmin(x, dim=None, keepdim=False):
    return x.argmin(dim, keepdims=keepdim).astype("int64")


def cumsum(x, dim):
    return cupy.cumsum(x, dim, dtype=x.dtype) if x.ndim else x.copy()


def cumprod(x, dim):
    return cupy.cumprod(x, dim, dtype=x.dtype) if x.ndim else x.copy()


def argcummax(x, dim):
    return _arg_extreme(x, dim, cupy.maximum)


def argcummin(x, dim):
    return _arg_extreme(x, dim, cupy.minimum)


def _running(extreme, x, dim):
    # In log2(n) rounds, after each of which twice as many elements are taken into account.
    x = cupy.moveaxis(x, dim, 0).copy()
    step = 1
    while step < len(x):
        x[step:] = extreme(x[step:], x[:-step])
        step *= 2
    return cupy.moveaxis(x, 0, dim)


def _arg_extreme(x, dim, extreme):
    # Of equal elements the last counts, and so does the last NaN.
    if not x.ndim or not x.size:
        return cupy.zeros(x.shape, "int64")
    best = _running(extreme, x, dim)
    hit = (x == best) | (x != x)
    line = cupy.arange(x.shape[dim]).reshape([-1 if i == dim else 1 for i in range(x.ndim)])
    return cupy.ascontiguousarray(_running(cupy.maximum, cupy.where(hit, line, 0), dim))


# --- making, sorting, multiplying
def arange(start, end, step, dtype):
    # The CPU's numbers, so that the same place lies on the same side of a bound on both.
    if dtype.kind in "fe":
        return transfer(host.arange(start, end, step, dtype), current_index())
    return start + cupy.arange(range_size(start, end, step), dtype=NUMPY_DTYPE[dtype]) * step


def _sortable(x):
    return x.astype("float32") if x.dtype.char == "E" else x


def argsort(x, dim, descending, stable):
    if not x.ndim:
        return cupy.zeros((), "int64")
    if not descending:
        return cupy.argsort(_sortable(x), dim, kind="stable").astype("int64")
    # Sorting the reversed array keeps equal elements in order once reversed again.
    reverse = cupy.argsort(_sortable(cupy.flip(x, dim)), dim, kind="stable")
    return (x.shape[dim] - 1 - cupy.flip(reverse, dim)).astype("int64")


def argsearch(sequence, x, right):
    side = "right" if right else "left"
    if sequence.ndim == 1:
        return cupy.searchsorted(sequence, x, side).astype("int64")
    sorted_rows = sequence.reshape(-1, sequence.shape[-1])
    wanted = x.reshape(len(sorted_rows), -1) if x.size else x
    result = cupy.zeros(wanted.shape, "int64")
    for i in range(len(sorted_rows) if x.size else 0):
        result[i] = cupy.searchsorted(sorted_rows[i], wanted[i], side)
    return result.reshape(x.shape)


def argtopk(x, k, dim, largest, sorted):
    order = argsort(x, dim, largest, True)
    return cupy.ascontiguousarray(order[(slice(None),) * dim + (slice(k),)]) if x.ndim else order


def matmul(x, y):
    return cupy.matmul(x, y)


def linear(x, weight, bias):
    result = cupy.matmul(x, weight.T)
    return result if bias is None else result + bias


def draw(kind, shape, dtype, generator, *parameters):
    stream = placing.stream_of(generator)
    method = getattr(stream, kind)
    if kind in host.DRAWN_BY_ARRAYS:
        return method(*parameters)
    if kind == "permutation":
        return method(shape[0], NUMPY_DTYPE[dtype])
    return method(shape, NUMPY_DTYPE[dtype], *parameters)
