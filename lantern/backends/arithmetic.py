"""Primitives that NumPy can compute faster than its function of that name does.

A ufunc with a Python number, a sum over a few elements and a product of two small matrices spend
most of their time on finding out what to do; and the loops of NumPy that use vector instructions
want whole contiguous operands. What is chosen here by size and layout gives the same numbers, sums
in another order apart.
"""

from __future__ import annotations

import functools

import numpy as np

FEW = 1 << 10  # elements below which the call of a reduction costs more than adding up
ROW = 1 << 13  # elements of one constant row, which stays in the first-level cache
_FLOATS = "fd"
_f4, _f8 = np.dtype(np.float32), np.dtype(np.float64)


@functools.lru_cache(64)
def _constant(number, char, count):
    """Returns `count` times a number, to be read only."""
    return np.full(count, number, char)


@functools.cache
def _one(char):
    return np.ones((), char)


_signed = {"f": np.dtype(np.int32), "d": np.dtype(np.int64)}


# --- element by element
def maximum(x, y):
    return _with_number(np.maximum, x, y)


def minimum(x, y):
    return _with_number(np.minimum, x, y)


def _with_number(ufunc, x, y):
    """Computes `ufunc` where one operand may be a number, by a row of that number."""
    number, array = (x, y) if type(x) in (int, float) else (y, x)
    if type(number) not in (int, float) or array.dtype.char not in _FLOATS:
        return ufunc(x, y)
    if type(number) is float and not number:
        return ufunc(x, y)  # the cache does not tell the zeros apart
    size = array.size
    if not array.flags.c_contiguous or not array.ndim:
        return ufunc(x, y)
    if size <= ROW:
        row, flat = _constant(number, array.dtype.char, size), array.reshape(-1)
        return (ufunc(row, flat) if x is number else ufunc(flat, row)).reshape(array.shape)
    result, flat = np.empty_like(array), array.reshape(-1)
    row, out = _constant(number, array.dtype.char, ROW), result.reshape(-1)
    whole = size - size % ROW
    for part, target in (
        (flat[:whole].reshape(-1, ROW), out[:whole].reshape(-1, ROW)),
        (flat[whole:], out[whole:]),
    ):
        one = row[: part.shape[-1]]
        ufunc(*((one, part) if x is number else (part, one)), out=target)
    return result


def where(condition, x, y):
    if type(x) is int and x == 0:
        return _masked(~condition, y) if _maskable(y, condition) else np.where(condition, x, y)
    if type(y) is int and y == 0 and _maskable(x, condition):
        return _masked(condition, x)
    return np.where(condition, x, y)


def _maskable(values, condition):
    return (
        type(values) is np.ndarray
        and values.dtype.char in _FLOATS
        and type(condition) is np.ndarray
    )


def _masked(kept, values):
    # The bits times 1 or 0: NaN and infinities stay what they are, or vanish.
    return np.multiply(values.view(_signed[values.dtype.char]), kept).view(values.dtype)


def sigmoid(x):
    result = np.negative(x, out=np.empty_like(x))
    np.exp(result, out=result)
    one = _one(result.dtype.char)
    np.add(result, one, out=result)
    return np.divide(one, result, out=result)


# --- sums
def sum(x, dim=None, keepdim=False):
    kind = x.dtype
    if kind is not _f4 and kind.char in "eE":  # NumPy would round after each addition
        return sum(x.astype(_f4), dim, keepdim).astype(x.dtype)
    if type(dim) is tuple and len(dim) > 2 and x.size > FEW and kind in (_f4, _f8):
        if dim == (0, *range(2, x.ndim)) and x.flags.c_contiguous:
            return _sum_channels(x, keepdim)
    if not keepdim and type(x) is np.ndarray and (kind is _f4 or kind is _f8) and x.size:
        if dim is None:
            if x.size <= FEW and x.flags.c_contiguous:
                return _constant(1, kind.char, x.size).dot(x.ravel())
        elif dim == (0,) and x.ndim == 2 and x.flags.c_contiguous:
            if x.size <= FEW * 8:
                return _constant(1, kind.char, x.shape[0]).dot(x)
            if x.shape[0] > 256:
                return _sum_rows(x)
    return np.add.reduce(x, dim, None, None, keepdim)


def _sum_channels(x, keepdim):
    # Of `(N, C, *)`: the library adds up planes, as products with ones.
    batch, channels = x.shape[:2]
    size = x.size // (batch * channels)
    if not 32 <= size <= 1 << 14:
        return np.add.reduce(x, (0, *range(2, x.ndim)), None, None, keepdim)
    planes = x.reshape(-1, size).dot(np.ones(size, x.dtype)).reshape(batch, channels)
    total = np.add.reduce(planes, 0)
    return total.reshape(1, channels, *(1 for _ in x.shape[2:])) if keepdim else total


def _sum_rows(x):
    # NumPy adds rows of a narrow array one short row at a time; several rows side by side are
    # one long row, which also shortens the chains of rounding errors.
    rows, columns = x.shape
    fold = 2048 // columns if columns else 0
    if fold < 4:
        return np.add.reduce(x, 0)
    whole = rows - rows % fold
    wide = np.add.reduce(x[:whole].reshape(-1, fold * columns), 0)
    total = np.add.reduce(wide.reshape(fold, columns), 0)
    return total + np.add.reduce(x[whole:], 0) if whole != rows else total


# --- products of matrices
SMALL = 4800  # elements: `_turns` would be false of such a second operand, and is not asked


def _turns(x, y):
    """Says whether `x @ y` is sooner there by way of `y.T @ x.T`; not where `y` is `SMALL`.

    The library copies its operands into an order of its own, and slowly the second where its
    columns are contiguous. The other way round that is the first one, but then the product has to
    be turned. Small products (of up to 1,200 elements) are made without copies.
    """
    if x.dtype is not _f4 or not (x.flags.c_contiguous and y.flags.f_contiguous):
        return False
    rows, size = x.shape
    columns = y.shape[1]
    area = rows * columns
    return size * (columns - rows) > area << 2 and area > 1200


def matmul(x, y):
    if x.ndim == y.ndim == 2 and (x.dtype is _f4 or x.dtype is _f8):
        if y.size > SMALL and _turns(x, y):
            return np.ascontiguousarray(y.T.dot(x.T).T)
        return x.dot(y)  # as fast in the library, and sooner there
    if x.ndim > 2 and y.ndim == 2 and x.size and x.flags.c_contiguous:
        # NumPy multiplies the matrices of a stack one by one; on top of each other they are one.
        rows = x.reshape(-1, x.shape[-1])
        return matmul(rows, y).reshape(*x.shape[:-1], y.shape[1])
    return np.matmul(x, y)


def linear(x, weight, bias):
    flat = x.ndim == 2 and (x.dtype is _f4 or x.dtype is _f8)
    if flat:
        turned = weight.T
        if weight.size > SMALL and _turns(x, turned):
            result = weight.dot(x.T).T
            if bias is None:
                return np.ascontiguousarray(result)
            return np.add(result, bias, out=np.empty(result.shape, _f4))
        result = x.dot(turned)
    else:
        result = matmul(x, weight.T)
    if bias is None:
        return result
    if not result.ndim:
        return result + bias
    columns = bias.size
    if columns == 1:
        return np.add(result, bias.reshape(()), result)
    if columns > 64 or result.size < 256 * columns or not columns:
        return np.add(result, bias, out=result)
    # A narrow bias is repeated, so that each inner loop of the addition is long.
    fold = max(1, 512 // columns)
    repeated = np.empty((fold, columns), bias.dtype)
    repeated[:] = bias
    flat = result.reshape(-1)
    whole = flat.size - flat.size % (fold * columns)
    wide = flat[:whole].reshape(-1, fold * columns)
    np.add(wide, repeated.reshape(-1), out=wide)
    tail = flat[whole:].reshape(-1, columns)
    np.add(tail, bias, out=tail)
    return result
