"""Convolution and sliding windows: windows are strided views, sums are matrix products.

Columns (the windows of a few samples as a matrix) are made for as many samples at a time as stay
in the cache. Paddings are pairs `(before, after)`, one per spatial dimension.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from lantern import dtypes
from lantern.shape import window_counts

from . import native
from .library import BLOCK, np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]
Pairs = tuple[tuple[int, int], ...]
Sizes = tuple[int, ...]


def windows(x: Array, size: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """A view `(*, *size, *counts)` of the windows over the last dimensions of `x`."""
    lead = x.ndim - len(size)
    counts = window_counts(x.shape[lead:], size, stride, dilation)
    steps = x.strides[lead:]
    strides = [step * d for step, d in zip(steps, dilation, strict=True)]
    strides += [step * s for step, s in zip(steps, stride, strict=True)]
    shape = (*x.shape[:lead], *size, *counts)
    return np.lib.stride_tricks.as_strided(x, shape, (*x.strides[:lead], *strides))


def windows_add(g: Array, input_shape: Sizes, size: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """Adds windows `(*, *size, *counts)` up where they were taken from."""
    ndim = len(size)
    lead = len(input_shape) - ndim
    counts = g.shape[lead + ndim :]
    sizes = input_shape[lead:]
    facts = list(zip(size, stride, dilation, counts, sizes, strict=True))
    apart = all(s > d * (k - 1) for k, s, d, _, _ in facts)
    covered = apart and all(k == s and n * s == whole for k, s, _, n, whole in facts)
    result = np.empty(input_shape, g.dtype) if covered else np.zeros(input_shape, g.dtype)
    front = (slice(None),) * lead
    for place in itertools.product(*map(range, size)):
        shown = tuple(
            slice(i * d, i * d + s * (n - 1) + 1 if n else i * d, s)
            for i, d, s, n in zip(place, dilation, stride, counts, strict=True)
        )
        part = result[(*front, *shown)]
        if apart:
            part[...] = g[(*front, *place)]
        else:
            np.add(part, g[(*front, *place)], out=part)
    return result


def _overlap(sizes: Sizes, padding: Pairs) -> tuple[tuple, tuple, Sizes]:
    """Returns where elements lie before and after padding, and the sizes after it.

    A negative padding takes elements away.
    """
    spans = list(zip(sizes, padding, strict=True))
    inside = [(max(0, -low), min(n, n + high)) for n, (low, high) in spans]
    here = tuple(slice(first, last) for first, last in inside)
    moved = zip(inside, padding, strict=True)
    there = tuple(slice(first + low, last + low) for (first, last), (low, _) in moved)
    return here, there, tuple(low + n + high for n, (low, high) in spans)


def _padded(x: Array, padding: Pairs) -> Array:
    if not any(low or high for low, high in padding):
        return x
    here, there, sizes = _overlap(x.shape[2:], padding)
    result = np.zeros((*x.shape[:2], *sizes), x.dtype)
    result[(..., *there)] = x[(..., *here)]
    return result


def _blocks(batch: int, bytes_each: int) -> list[slice]:
    step = max(1, BLOCK // max(bytes_each, 1))
    return [slice(i, min(i + step, batch)) for i in range(0, batch, step)]


def _is_pointwise(kernel: Sizes, stride: Sizes) -> bool:
    return math.prod(kernel) == 1 and math.prod(stride) == 1


def _columns(x: Array, kernel: Sizes, stride: Sizes, dilation: Sizes, groups: int) -> Array:
    """Returns padded samples `(N, C, *)` as matrices `(N, groups, C / groups * K, L)`."""
    batch, channels = x.shape[:2]
    if _is_pointwise(kernel, stride):
        length = math.prod(x.shape[2:])
    else:
        length = math.prod(window_counts(x.shape[2:], kernel, stride, dilation))
        x = windows(x, kernel, stride, dilation)
    return x.reshape(batch, groups, channels // groups * math.prod(kernel), length)


def _counts(sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Sizes:
    wide = [low + n + high for n, (low, high) in zip(sizes, padding, strict=True)]
    return tuple(window_counts(wide, kernel, stride, dilation))


def _native(
    name: str, operands: tuple[Array, ...], settings: tuple, shape: Sizes, work: int
) -> Array | None:
    """Returns what a native kernel computes; None where there is none or NumPy is as good."""
    if work < native.LEAST or operands[0].dtype.char not in "fd":
        return None
    kind = dtypes.float32 if operands[0].dtype.char == "f" else dtypes.float64
    facts = tuple([(tuple(each.shape), kind) for each in operands])
    run = native.find(name, facts, settings, work)
    if run is None:
        return None
    result: Array = np.empty(shape, operands[0].dtype)
    run([*map(np.ascontiguousarray, operands), result])
    return result


def conv(
    x: Array, weight: Array, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> Array:
    """Correlates `(N, C, *)` with `weight` `(O, C / groups, *)`."""
    kernel = weight.shape[2:]
    counts = _counts(x.shape[2:], kernel, stride, padding, dilation)
    shape = (x.shape[0], weight.shape[0], *counts)
    settings = (stride, padding, dilation, groups)
    found = _native("conv", (x, weight), settings, shape, math.prod(shape) * weight[:1].size)
    if found is not None:
        return found
    x = _padded(x, padding)
    batch, outputs, length = x.shape[0], weight.shape[0], math.prod(counts)
    if x.shape[1] == groups > 1 and weight.shape[1] == 1:
        return _depthwise(x, weight, stride, dilation, counts)
    matrix = weight.reshape(groups, outputs // groups, -1) if weight.size else None
    result = np.zeros((batch, groups, outputs // groups, length), x.dtype)
    if matrix is not None and result.size:
        each = x.itemsize * x.shape[1] * math.prod(kernel) * length
        for part in _blocks(batch, each):
            columns = _columns(x[part], kernel, stride, dilation, groups)
            np.matmul(matrix, columns, out=result[part])
    return result.reshape(batch, outputs, *counts)


def _depthwise(x: Array, weight: Array, stride: Sizes, dilation: Sizes, counts: Sizes) -> Array:
    # One channel per group would make a matrix of one row of each; whole planes are added instead.
    batch, groups = x.shape[:2]
    kernel = weight.shape[2:]
    rows = weight.reshape(groups, -1, *kernel)
    result = np.zeros((batch, groups, rows.shape[1], *counts), x.dtype)
    shown = windows(x, kernel, stride, dilation)
    for place in itertools.product(*map(range, kernel)):
        factor = rows[(slice(None), slice(None), *place)]
        factor = factor.reshape(*factor.shape, *(1 for _ in counts))
        result += shown[(slice(None), slice(None), *place)][:, :, None] * factor
    return result.reshape(batch, -1, *counts)


def conv_input(
    g: Array,
    weight: Array,
    input_shape: Sizes,
    stride: Sizes,
    padding: Pairs,
    dilation: Sizes,
    groups: int,
) -> Array:
    """The gradient of `conv` by its input, given that of its result."""
    kernel = weight.shape[2:]
    batch, outputs = g.shape[:2]
    counts = g.shape[2:]
    channels, length = input_shape[1], math.prod(counts)
    settings = (tuple(input_shape), stride, padding, dilation, groups)
    found = _native("conv_input", (g, weight), settings, input_shape, g.size * weight[:1].size)
    if found is not None:
        return found
    here, there, wide = _overlap(input_shape[2:], padding)
    result = np.zeros(input_shape, g.dtype)
    if not (g.size and weight.size):
        return result
    matrix = weight.reshape(groups, outputs // groups, -1).swapaxes(1, 2)
    g = g.reshape(batch, groups, outputs // groups, length)
    if _is_pointwise(kernel, stride):
        spread = np.matmul(matrix, g).reshape(batch, channels, *wide)
        result[(..., *here)] = spread[(..., *there)]
        return result
    for part in _blocks(batch, g.itemsize * channels * math.prod(kernel) * length):
        columns = np.matmul(matrix, g[part])
        shape = (columns.shape[0], channels, *wide)
        columns = columns.reshape(*shape[:2], *kernel, *counts)
        spread = windows_add(columns, shape, kernel, stride, dilation)
        result[(part, ..., *here)] = spread[(..., *there)]
    return result


def conv_weight(
    g: Array,
    x: Array,
    weight_shape: Sizes,
    stride: Sizes,
    padding: Pairs,
    dilation: Sizes,
    groups: int,
) -> Array:
    """The gradient of `conv` by its weight, given that of its result."""
    kernel = weight_shape[2:]
    batch, outputs = g.shape[:2]
    length = math.prod(g.shape[2:])
    settings = (tuple(weight_shape), stride, padding, dilation, groups)
    work = g.size * math.prod(weight_shape[1:])
    found = _native("conv_weight", (g, x), settings, weight_shape, work)
    if found is not None:
        return found
    result = np.zeros((groups, outputs // groups, math.prod(weight_shape[1:])), g.dtype)
    if not (g.size and result.size):
        return result.reshape(weight_shape)
    x = _padded(x, padding)
    g = g.reshape(batch, groups, outputs // groups, length)
    for part in _blocks(batch, x.itemsize * x.shape[1] * math.prod(kernel) * length):
        columns = _columns(x[part], kernel, stride, dilation, groups)
        # One product of long rows: samples side by side.
        rows = g[part].transpose(1, 2, 0, 3).reshape(groups, outputs // groups, -1)
        columns = columns.transpose(1, 0, 3, 2).reshape(groups, -1, columns.shape[2])
        result += np.matmul(rows, columns)
    return result.reshape(weight_shape)
