"""Evenly spaced numbers with PyTorch's rounding, bit for bit.

PyTorch fills a range in vectors of 32 bytes: the first number of a vector is rounded to the dtype,
the others are steps from there, each multiplied and added with one rounding. Loops take two vectors
at a time, and what is left over is computed from the start of the range. That decides on which side
of `x > 0.2` a number near 0.2 lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def steps_from(start: float, step: float, count: int, dtype: np.dtype) -> Array:
    """Returns `start + step * i` for each i below `count`, in a floating dtype."""
    if dtype.itemsize == 2:  # PyTorch computes half types in float32
        start, step = float(np.float32(start)), float(np.float32(step))
    lanes = 32 // dtype.itemsize
    places = np.arange(count, dtype=np.float64)
    vectors = places[: count - count % (2 * lanes)]
    lane = vectors % lanes
    first = _multiply_add(vectors - lane, step, start, dtype).astype(np.float64)
    rest = places[len(vectors) :]
    return np.concatenate(
        [_multiply_add(lane, step, first, dtype), _multiply_add(rest, step, start, dtype)]
    )


def _multiply_add(a: Array, b: float, c: Any, dtype: np.dtype) -> Array:
    """Returns `a * b + c` rounded to `dtype`, with nothing lost between the two operations."""
    product = a * b
    if dtype.itemsize != 8:
        total = product + c
        return (total.astype(np.float32) if dtype.itemsize == 2 else total).astype(dtype)
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    total = product + c
    back = total - product
    return total + ((product - (total - back)) + (c - back) + lost)


def _halves(x: Any) -> tuple[Any, Any]:
    """Splits float64 numbers into two parts of 26 bits, whose products are exact."""
    scaled = x * 134217729.0
    high = scaled - (scaled - x)
    return high, x - high


def points_between(start: float, end: float, count: int, dtype: np.dtype) -> Array:
    """Returns `count` numbers from `start` to `end`, both among them, in a floating dtype.

    The first half is stepped from the start, the second half back from the end.
    """
    kind = dtype.type
    if count == 1:
        return np.full(1, start, dtype)
    first, last = kind(start), kind(end)
    step = (last - first) / kind(max(count, 2) - 1)
    places = np.arange(count, dtype=np.float64)
    back = count - places - 1
    if dtype.itemsize == 2:  # each operation is rounded
        near, far = first + step * places.astype(dtype), last - step * back.astype(dtype)
    else:
        near = _multiply_add(places, float(step), float(first), dtype)
        far = _multiply_add(back, -float(step), float(last), dtype)
    return np.where(places < count // 2, near, far).astype(dtype)
