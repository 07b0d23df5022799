"""Reductions over dimensions: sums, products, extremes, moments, and the scans that run beside them."""

from __future__ import annotations

import warnings

from ..op import BOOL, INT_TO_LONG, KEEP, SAME, composite, op
from ..shape import wrap_dim, wrap_dims
from .layout import expand_as_reduced


def dims_of(dim, ndim):
    """Returns the reduced dimensions, None for all of them."""
    if dim is None or dim == ():
        return None
    if type(dim) is int:
        return (wrap_dim(dim, ndim),) if ndim else None
    return wrap_dims(dim, ndim)


def typed(xp, input, dtype):
    """Returns the operand in the dtype that a reduction was asked to compute in."""
    return input if dtype is None else xp.cast(input, dtype)


@op(promote=INT_TO_LONG, exact=True)
def sum(xp, input, dim=None, keepdim=False, *, dtype=None):  # noqa: A001
    """The sum over `dim` (an int, several, or all).

    >>> import lantern
    >>> lantern.sum(lantern.ones(2, 3), dim=1)
    tensor([3., 3.])
    """
    return xp.sum(typed(xp, input, dtype), dims_of(dim, input.ndim), keepdim)


sum.vjp(
    input=lambda xp, g, input_shape, dim, keepdim: expand_as_reduced(
        xp, g, input_shape, dim, keepdim
    )
)


def _count(shape, dim):
    count = 1
    for each in wrap_dims(dim, len(shape)):
        count *= shape[each]
    return count


def _refuse_integers(input, *rest):
    dtype = rest[-1]
    if dtype is None and input.dtype.kind != "f":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {input.dtype.legacy}"
        )


@op(promote=KEEP, check=("?bBhHiIlLeE", _refuse_integers))
def mean(xp, input, dim=None, keepdim=False, *, dtype=None):
    """The mean over `dim`; raises RuntimeError for integer tensors.

    >>> import lantern
    >>> lantern.mean(lantern.tensor([1.0, 2.0, 6.0]))
    tensor(3.)
    """
    input = typed(xp, input, dtype)
    return xp.sum(input, dims_of(dim, input.ndim), keepdim) / _divisor(_count(input.shape, dim))


def _divisor(count):
    return count if count else float("nan")  # the mean of nothing


mean.vjp(
    input=lambda xp, g, input_shape, dim, keepdim: expand_as_reduced(
        xp, g / _divisor(_count(input_shape, dim)), input_shape, dim, keepdim
    )
)


@op(promote=SAME)
def amax(xp, input, dim=(), keepdim=False):
    """The largest element over `dim`; equal ones share the gradient."""
    return xp.amax(input, dims_of(dim, input.ndim), keepdim)


@op(promote=SAME)
def amin(xp, input, dim=(), keepdim=False):
    """The smallest element over `dim`; equal ones share the gradient."""
    return xp.amin(input, dims_of(dim, input.ndim), keepdim)


def _extreme_gradient(xp, g, out, input, dim, keepdim):
    hit = xp.eq(input, expand_as_reduced(xp, out, input.shape, dim, keepdim))
    hit = xp.cast(hit, xp.dtype_of(input))
    count = xp.sum(hit, dims_of(dim, input.ndim), True)
    return hit * expand_as_reduced(xp, g, input.shape, dim, keepdim) / count


amax.vjp(input=_extreme_gradient)
amin.vjp(input=_extreme_gradient)


@op(promote=BOOL, differentiable=False)
def any(xp, input, dim=None, keepdim=False):  # noqa: A001
    """Whether any element is not zero, over `dim`."""
    return xp.any(input, dims_of(dim, input.ndim), keepdim)


@op(promote=BOOL, differentiable=False)
def all(xp, input, dim=None, keepdim=False):  # noqa: A001
    """Whether all elements are not zero, over `dim`."""
    return xp.all(input, dims_of(dim, input.ndim), keepdim)


@op(promote=SAME, differentiable=False)
def argmax(xp, input, dim=None, keepdim=False):
    """The place of the largest element: in the flat tensor, or along `dim`.

    >>> import lantern
    >>> lantern.argmax(lantern.tensor([[1, 9], [8, 2]]), dim=1)
    tensor([1, 0])
    """
    return xp.argmax(input, None if dim is None else wrap_dim(dim, input.ndim), keepdim)


@op(promote=SAME, differentiable=False)
def argmin(xp, input, dim=None, keepdim=False):
    """The place of the smallest element: in the flat tensor, or along `dim`."""
    return xp.argmin(input, None if dim is None else wrap_dim(dim, input.ndim), keepdim)


@op(promote=INT_TO_LONG)
def cumsum(xp, input, dim, *, dtype=None):
    """The running sum along `dim`.

    >>> import lantern
    >>> lantern.cumsum(lantern.tensor([1, 2, 3]), 0)
    tensor([1, 3, 6])
    """
    return xp.cumsum(typed(xp, input, dtype), wrap_dim(dim, input.ndim))


cumsum.vjp(input=lambda xp, g, dim: reversed_cumsum(xp, g, wrap_dim(dim, g.ndim)))


def reversed_cumsum(xp, g, dim):
    """Returns the running sum from the end."""
    if not g.ndim:
        return g
    return xp.flip(xp.cumsum(xp.flip(g, (dim,)), dim), (dim,))
