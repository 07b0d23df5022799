"""Windows: weights that rise and fall over a stretch of signal."""

from __future__ import annotations

import math
from typing import Any

from . import dtypes
from .creation import arange, ones
from .moving import placed
from .tensor import Tensor

__all__ = """
    bartlett_window blackman_window hamming_window hann_window kaiser_window
""".split()


def _checked(name: str, length: Any, dtype: dtypes.dtype | None) -> dtypes.dtype:
    if not hasattr(length, "__index__"):
        kind = type(length).__name__
        raise TypeError(f"{name}(): argument 'window_length' (position 1) must be int, not {kind}")
    dtype = dtypes.get_default_dtype() if dtype is None else dtype
    if dtype.kind != "f":
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype!r}")
    if length < 0:
        raise RuntimeError(
            f"{name} requires non-negative window_length, got window_length={length}"
        )
    return dtype


def _places(length: int, periodic: bool, dtype: dtypes.dtype) -> tuple[Tensor, int]:
    """Returns the numbers of the places and that of the last; a periodic one lies one behind."""
    return arange(length, dtype=dtype), length if periodic else length - 1


def _cosines(
    name: str,
    length: int,
    periodic: bool,
    weights: tuple[float, ...],
    dtype: dtypes.dtype | None,
    requires_grad: bool,
) -> Tensor:
    """Returns a sum of cosines, the first of no turn, the next of one, ..."""
    dtype = _checked(name, length, dtype)
    if length <= 1:
        return ones(length, dtype=dtype, requires_grad=requires_grad)
    places, last = _places(length, periodic, dtype)
    turn, *waves = weights
    window = places * 0 + turn
    for count, weight in enumerate(waves, 1):
        window = window + (places * (2 * math.pi * count / last)).cos() * weight
    return window.requires_grad_(requires_grad)


@placed
def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """One rise and fall of a cosine from 0 to 1; a periodic one leaves its last 0 out.

    Raises RuntimeError for a negative length or a dtype that is not floating point.

    >>> import lantern
    >>> lantern.hann_window(5, periodic=False)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    weights = (0.5, -0.5)
    return _cosines("hann_window", window_length, periodic, weights, dtype, requires_grad)


@placed
def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The window alpha - beta cos.

    >>> import lantern
    >>> lantern.hamming_window(3, periodic=False)
    tensor([0.0800, 1.0000, 0.0800])
    """
    weights = (alpha, -beta)
    return _cosines("hamming_window", window_length, periodic, weights, dtype, requires_grad)


@placed
def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The window 0.42 - 0.5 cos + 0.08 cos of twice the angle.

    >>> import lantern
    >>> lantern.blackman_window(4).abs().round(decimals=2)
    tensor([0.0000, 0.3400, 1.0000, 0.3400])
    """
    weights = (0.42, -0.5, 0.08)
    return _cosines("blackman_window", window_length, periodic, weights, dtype, requires_grad)


@placed
def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A straight rise from 0 to 1 and a straight fall.

    >>> import lantern
    >>> lantern.bartlett_window(5, periodic=False)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    dtype = _checked("bartlett_window", window_length, dtype)
    if window_length <= 1:
        return ones(window_length, dtype=dtype, requires_grad=requires_grad)
    places, last = _places(window_length, periodic, dtype)
    window = 1 - (places * (2 / last) - 1).abs()
    return window.requires_grad_(requires_grad)


@placed
def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The window of Kaiser (1980), narrower the greater `beta` is.

    >>> import lantern
    >>> lantern.kaiser_window(3, periodic=False, beta=2.0)
    tensor([0.4387, 1.0000, 0.4387])
    """
    dtype = _checked("kaiser_window", window_length, dtype)
    if window_length <= 1:
        return ones(window_length, dtype=dtype, requires_grad=requires_grad)
    inner = dtypes.float32 if dtype.itemsize < 4 else dtype  # the half precisions end rounded
    places, last = _places(window_length, periodic, inner)
    inside = 1 - (places * (2 / last) - 1) ** 2
    height = (inside.clamp(min=0).sqrt() * beta).i0()
    window = (height / (places[:1] * 0 + beta).i0()).to(dtype)
    return window.requires_grad_(requires_grad)
