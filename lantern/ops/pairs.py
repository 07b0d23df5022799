"""Distances between the rows of two matrices, and slices kept below a norm."""

from __future__ import annotations

import math

from ..op import SAME, composite, op
from ..shape import broadcast_shapes, wrap_dim
from ..tensor import Tensor
from .linalg import column, row, swapped
from .reduce import vector_norm

MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)


def slope(xp, x, norm, p):
    """Returns the derivative of a norm by each element; 0 where there is none.

    Each of several largest elements has that of a single one, as PyTorch has it for distances.
    """
    if p == 0:
        return xp.full(x.shape, 0, x)
    if p == 1:
        return xp.sign(x)
    if math.isinf(p):
        return xp.where(xp.eq(xp.abs(x), norm), xp.sign(x), xp.full((), 0, x))
    norm = without_zeros(xp, norm)
    if p == 2:
        return x / norm
    size = without_zeros(xp, xp.abs(x))
    return xp.sign(x) * xp.pow(size, p - 1.0) * xp.pow(norm, 1.0 - p)


def without_zeros(xp, x):
    """Returns what can be divided by: 1 in place of 0."""
    return xp.where(xp.eq(x, 0), xp.full((), 1, x), x)


def _check_pairs(x1, x2):
    for name, each in (("X1", x1), ("X2", x2)):
        if each.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {each.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    for name, each in (("X1", x1), ("X2", x2)):
        if each.dtype.kind != "f":
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: {each.dtype.legacy}"
            )
    broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    if x1.dtype is not x2.dtype:
        raise RuntimeError(f"expected scalar type {x1.dtype.legacy} but found {x2.dtype.legacy}")


@composite(tensors="x1 x2", method=False)
def cdist(xp, x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The `p`-norm distances between all rows of `(*, P, M)` and `(*, R, M)`: `(*, P, R)`.

    Raises RuntimeError for integers and for a negative `p`.

    >>> import lantern
    >>> lantern.cdist(lantern.tensor([[0.0, 0.0]]), lantern.tensor([[3.0, 4.0], [1.0, 0.0]]))
    tensor([[5., 1.]])
    """
    if compute_mode not in MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    _check_pairs(x1, x2)
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    mode = MODES.index(compute_mode)
    large = mode == 1 or mode == 0 and max(x1.shape[-2], x2.shape[-2]) > 25
    if p == 2 and large and x1.numel() and x2.numel():
        return euclidean(x1, x2)
    return row_distances(x1, x2, p)


DISTANCES = {
    "packed": "always",
    "promote": SAME,
    "tensors": "x1 x2",
    "method": False,
    "public": False,
}


@op(lacks="eE cdist", grad_name="CdistBackward0", **DISTANCES)
def row_distances(xp, x1, x2, p):
    """The `p`-norm distances, by the differences of all pairs of rows."""
    apart = _apart(xp, x1, x2)
    if not apart.shape[-1]:  # rows of nothing are not apart, whatever the norm
        return xp.full(apart.shape[:-1], 0, apart)
    return vector_norm.forward(xp, apart, p, (apart.ndim - 1,), False)


def _apart(xp, x1, x2):
    x1 = xp.reshape(x1, (*x1.shape[:-1], 1, x1.shape[-1]))
    return x1 - xp.reshape(x2, (*x2.shape[:-2], 1, *x2.shape[-2:]))


@row_distances.vjp_together("x1", "x2")
def _(xp, g, out, needs, x1, x2, p):
    apart = _apart(xp, x1, x2)
    along = column(xp, g) * slope(xp, apart, column(xp, out), p)
    ndim = along.ndim
    return (
        xp.sum(along, (ndim - 2,), False) if needs[0] else None,
        -xp.sum(along, (ndim - 3,), False) if needs[1] else None,
    )


@op(grad_name="ViewBackward0", **DISTANCES)
def euclidean(xp, x1, x2):
    """The Euclidean distances by one matrix product: |x|² + |y|² - 2 x·y."""
    last = (x1.ndim - 1,), (x2.ndim - 1,)
    squares = xp.sum(x1 * x1, last[0], True) + row(xp, xp.sum(x2 * x2, last[1], False))
    squares = squares - xp.matmul(x1, swapped(xp, x2)) * 2
    return xp.sqrt(xp.maximum(squares, xp.full((), 0, squares)))


@euclidean.vjp_together("x1", "x2")
def _(xp, g, out, needs, x1, x2):
    zero = xp.full((), 0, g)
    ratio = xp.where(xp.eq(out, 0), zero, g / without_zeros(xp, out))
    return (_toward(xp, ratio, x1, x2) if needs[0] else None), (
        _toward(xp, swapped(xp, ratio), x2, x1) if needs[1] else None
    )


def _toward(xp, ratio, x, y):
    return x * xp.sum(ratio, (ratio.ndim - 1,), True) - xp.matmul(ratio, y)


# --- renorm
def _check_renorm(input, p, maxnorm):
    if input.ndim < 2:
        raise RuntimeError(
            f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions"
        )
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")


def _refuse_integers(input, *rest):
    if isinstance(input, Tensor) and input.dtype.kind != "f":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{input.dtype.legacy}"
        )


def _lengths(xp, input, p, dim):
    dims = tuple([i for i in range(input.ndim) if i != wrap_dim(dim, input.ndim)])
    return vector_norm.forward(xp, input, p, dims, True), dims


@op(packed="always", promote=SAME, inplace=True, check=("?bBhHiIlL", _refuse_integers))
def renorm(xp, input, p, dim, maxnorm):
    """Each slice along `dim` scaled down to a `p`-norm of `maxnorm` where it has a larger one.

    >>> import lantern
    >>> lantern.renorm(lantern.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    _check_renorm(input, p, maxnorm)
    norms, _ = _lengths(xp, input, p, dim)
    return input * _factor(xp, norms, maxnorm)


def _factor(xp, norms, maxnorm):
    # What is added keeps the factor finite; it is PyTorch's, and seen in the numbers.
    shrunk = xp.full((), maxnorm, norms) / (norms + 1e-7)
    return xp.where(xp.gt(norms, maxnorm), shrunk, xp.full((), 1, norms))


@renorm.vjp_together("input")
def _(xp, g, input, p, dim, maxnorm):
    norms, dims = _lengths(xp, input, p, dim)
    zero = xp.full((), 0, g)
    falling = xp.full((), -maxnorm, norms) / xp.square(norms + 1e-7)
    falling = xp.where(xp.gt(norms, maxnorm), falling, zero) * xp.sum(g * input, dims, True)
    return (g * _factor(xp, norms, maxnorm) + falling * slope(xp, input, norms, p),)


@composite(method=False)
def pdist(xp, input, p=2.0):
    """The distances of all pairs of rows of `(N, M)`, in the order (0, 1), (0, 2), ..., (1, 2), ...

    Raises RuntimeError unless the tensor has two dimensions and `p` is not negative.

    >>> import lantern
    >>> lantern.pdist(lantern.tensor([[0.0, 0.0], [3.0, 4.0]]))
    tensor([5.])
    """
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if input.dtype.kind != "f":
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    rows = input.shape[0]
    square = cdist(input, input, p, MODES[2])
    if rows < 2:
        return xp.reshape(xp.getitem(square, (slice(0, 0),)), (0,))
    parts = [xp.getitem(square, (i, slice(i + 1, rows))) for i in range(rows - 1)]
    return xp.cat(parts, 0)
