"""Activation functions, each with the formula of its gradient."""

from __future__ import annotations

from ..op import FLOAT, SAME, op
from ..shape import wrap_dim


@op(promote=SAME, inplace=True)
def relu(xp, input):
    """The larger of each element and 0; NaN stays NaN.

    >>> import lantern
    >>> lantern.relu(lantern.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return xp.maximum(input, 0)


relu.vjp(input=lambda xp, g, out: g * xp.cast(xp.gt(out, 0), xp.dtype_of(g)))


@op(promote=FLOAT)
def softmax(xp, input, dim, *, dtype=None):
    """exp(x) over its sum along `dim`."""
    dims = (wrap_dim(dim, input.ndim),) if input.ndim else None
    if dtype is not None:
        input = xp.cast(input, dtype)
    shifted = xp.exp(input - xp.amax(input, dims, True))
    return shifted / xp.sum(shifted, dims, True)


def _softmax_input(xp, g, out, dim, input_dtype):
    dims = (wrap_dim(dim, out.ndim),) if out.ndim else None
    weighted = g * out
    return weighted - out * xp.sum(weighted, dims, True)


softmax.vjp(input=_softmax_input)


@op(promote=FLOAT)
def log_softmax(xp, input, dim, *, dtype=None):
    """The logarithm of softmax, computed without overflow."""
    dims = (wrap_dim(dim, input.ndim),) if input.ndim else None
    if dtype is not None:
        input = xp.cast(input, dtype)
    shifted = input - xp.amax(input, dims, True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), dims, True))


log_softmax.vjp(
    input=lambda xp, g, out, dim: g - xp.exp(out) * xp.sum(
        g, (wrap_dim(dim, out.ndim),) if out.ndim else None, True
    )
)
