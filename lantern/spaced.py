"""Numbers spaced evenly between two ends, and the identity matrix."""

from __future__ import annotations

from typing import Any

from . import dtypes, ops
from .backends.kinds import NUMPY_DTYPE
from .backends.ranges import points_between
from .creation import checked_dtype, finish
from .moving import placed
from .tensor import Tensor, wrap

__all__ = ["eye", "linspace", "logspace"]


@placed
def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A 1-d tensor of `steps` numbers from `start` to `end`, both among them.

    Raises RuntimeError for a negative number of steps, TypeError for ends that are no numbers.

    >>> import lantern
    >>> lantern.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    dtype = checked_dtype(dtype, "linspace") or dtypes.get_default_dtype()
    if dtype is dtypes.bool_:
        raise NotImplementedError("\"linspace_cpu\" not implemented for 'Bool'")
    ends = (_number("linspace", "start", start), _number("linspace", "end", end))
    if not hasattr(steps, "__index__"):
        raise TypeError(f"linspace(): argument 'steps' must be int, not {type(steps).__name__}")
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    if dtype.kind == "f":
        return finish(
            wrap(points_between(*ends, int(steps), NUMPY_DTYPE[dtype])), requires_grad, out
        )
    points = wrap(points_between(*ends, int(steps), NUMPY_DTYPE[dtypes.float64]))
    return finish(points.to(dtype), requires_grad, out)  # type: ignore[attr-defined]


@placed
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A 1-d tensor of `steps` powers of `base`, the exponents going from `start` to `end`.

    >>> import lantern
    >>> lantern.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    if not isinstance(steps, Tensor) and hasattr(steps, "__index__") and steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    dtype = checked_dtype(dtype, "logspace") or dtypes.get_default_dtype()
    wide = dtype if dtype.kind == "f" else dtypes.float64
    exponents = linspace(start, end, steps, dtype=wide)
    powers = ops.pow(float(base), exponents)
    return finish(powers.to(dtype), requires_grad, out)


@placed
def eye(
    n: int,
    m: int | None = None,
    *,
    out: Tensor | None = None,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A matrix (n, m) of ones on the diagonal and zeros elsewhere; `m` is `n` if left out.

    Raises RuntimeError for a negative size.

    >>> import lantern
    >>> lantern.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    dtype = checked_dtype(dtype, "eye") or dtypes.get_default_dtype()
    m = n if m is None else m
    for place, (name, size) in enumerate((("n", n), ("m", m)), 1):
        if not hasattr(size, "__index__"):
            raise TypeError(
                f"eye(): argument '{name}' (position {place}) must be int, not "
                f"{type(size).__name__}"
            )
        if size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    rows = ops.reshape(ops.arange(0, int(n), 1, dtypes.int64), (int(n), 1))
    ones = ops.eq(rows, ops.arange(0, int(m), 1, dtypes.int64))
    return finish(ones.to(dtype), requires_grad, out)


def _number(function: str, name: str, value: Any) -> float:
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise TypeError(
            f"{function}(): argument '{name}' must be Number, not {type(value).__name__}"
        )
    return float(value)
