"""Reductions over dimensions: sums, products, extremes, moments and norms."""

from __future__ import annotations

import math
import warnings

from .. import dtypes
from ..op import BOOL, FLOAT, INT_TO_LONG, SAME, composite, op
from ..return_types import aminmax as AminmaxResult
from ..shape import wrap_dim, wrap_dims
from .layout import at, spread
from .pointwise import isnan, logical_not


def dims_of(dim, ndim):
    """Returns the reduced dimensions, None for all of them."""
    if dim is None or dim == ():
        return None
    if type(dim) is int:
        return (wrap_dim(dim, ndim),) if ndim else wrap_dim(dim, ndim) and None
    return wrap_dims(dim, ndim) or None


def count_of(shape, dim):
    """Returns how many elements each result is made of."""
    if dim is None:
        return math.prod(shape)
    count = 1
    for each in wrap_dims(dim, len(shape)):
        count *= shape[each]
    return count


def by_dim(name):
    """Returns how the nodes of a reduction are named: 0 for all dimensions, 1 for some."""

    def label(input, dim, *rest):
        return f"{name}Backward{int(dim is not None)}"

    return label


def refuse_empty(name, shape, dim, all_of_none=RuntimeError):
    """Raises what PyTorch raises where there is nothing to choose from."""
    if 0 not in shape:
        return
    if dim is None or dim == ():
        hint = " Specify the reduction dim with the 'dim' argument."
        raise all_of_none(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0."
            + (hint if all_of_none is RuntimeError else "")
        )
    for each in wrap_dims(dim, len(shape)):
        if shape[each] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {each} to have non-zero size.")


@op(promote=INT_TO_LONG, exact=True, label=by_dim("Sum"))
def sum(xp, input, dim=None, keepdim=False, *, dtype=None):
    """The sum over `dim` (an int, several, or all), computed in `dtype` if that is given.

    >>> import lantern
    >>> lantern.sum(lantern.ones(2, 3), dim=1)
    tensor([3., 3.])
    """
    return xp.sum(input, dims_of(dim, input.ndim), keepdim)


sum.vjp(input=spread)


@op(promote=INT_TO_LONG)
def nansum(xp, input, dim=None, keepdim=False, *, dtype=None):
    """The sum over `dim` with NaN left aside."""
    input = xp.where(xp.isnan(input), xp.full((), 0, input), input)
    return xp.sum(input, dims_of(dim, input.ndim), keepdim)


@nansum.vjp_together("input")
def _(xp, g, input, dim, keepdim):
    counts = xp.cast(xp.logical_not(xp.isnan(input)), xp.dtype_of(g))
    return (spread(xp, g, input.shape, dim, keepdim) * counts,)


def _refuse_integers(input, *rest):
    if input.dtype.kind != "f":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {input.dtype.legacy}"
        )


def _refuse_asked(dtype):
    if dtype.kind != "f":
        raise RuntimeError(
            "mean(): could not infer output dtype. Optional dtype must be either a floating point "
            f"or complex dtype. Got: {dtype.legacy}"
        )


@op(
    promote=SAME,
    check=("?bBhHiIlL", _refuse_integers),
    asked=_refuse_asked,
    exact=True,
    label=by_dim("Mean"),
)
def mean(xp, input, dim=None, keepdim=False, *, dtype=None):
    """The mean over `dim`; raises RuntimeError for integer tensors.

    >>> import lantern
    >>> lantern.mean(lantern.tensor([1.0, 2.0, 6.0]))
    tensor(3.)
    """
    return xp.sum(input, dims_of(dim, input.ndim), keepdim) / _divisor(count_of(input.shape, dim))


def _divisor(count):
    return count if count else math.nan  # the mean of nothing


mean.vjp(
    input=lambda xp, g, input_shape, dim, keepdim: spread(
        xp, g / max(count_of(input_shape, dim), 1), input_shape, dim, keepdim
    )
)


@composite
def nanmean(xp, input, dim=None, keepdim=False, *, dtype=None):
    """The mean over `dim` of what is not NaN."""
    if input.dtype.kind != "f":
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{input.dtype.legacy}"
        )
    count = sum(logical_not(isnan(input)), dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / count


@op(promote=INT_TO_LONG, exact=True, label=by_dim("Prod"), steps=True)
def prod(xp, input, dim=None, keepdim=False, *, dtype=None):
    """The product of all elements, or along one `dim`.

    >>> import lantern
    >>> lantern.prod(lantern.tensor([2.0, 3.0, 4.0]))
    tensor(24.)
    """
    dims = None if dim is None else (wrap_dim(dim, input.ndim),)
    return xp.prod(input, dims if input.ndim else None, keepdim)


@prod.vjp_together("input")
def _(xp, g, input, dim, keepdim):
    spread_out = spread(xp, g, input.shape, dim, keepdim)
    if not input.ndim:
        return (spread_out,)
    if dim is not None:
        return (spread_out * product_of_others(xp, input, wrap_dim(dim, input.ndim)),)
    others = product_of_others(xp, xp.reshape(input, (count_of(input.shape, None),)), 0)
    return (spread_out * xp.reshape(others, input.shape),)


def product_of_others(xp, x, dim):
    """Returns, for each place along `dim`, the product of all other elements.

    It goes up a tree of products of pairs and down again, so that zeros need no division.
    """
    size = x.shape[dim]
    if size <= 1:
        return xp.full(x.shape, 1, x)
    half = size // 2
    first = xp.getitem(x, at(dim, slice(0, half)))
    second = xp.getitem(x, at(dim, slice(half, 2 * half)))
    pairs = first * second
    if size % 2:
        pairs = xp.cat([pairs, xp.getitem(x, at(dim, slice(2 * half, size)))], dim)
    above = product_of_others(xp, pairs, dim)
    paired = xp.getitem(above, at(dim, slice(0, half)))
    parts = [paired * second, paired * first]
    if size % 2:
        parts.append(xp.getitem(above, at(dim, slice(half, half + 1))))
    return xp.cat(parts, dim)


@op(promote=SAME, lacks="HIL max_values_cpu")
def amax(xp, input, dim=(), keepdim=False):
    """The largest element over `dim`; equal ones share the gradient."""
    refuse_empty("amax", input.shape, dim)
    return xp.amax(input, dims_of(dim, input.ndim), keepdim)


@op(promote=SAME, lacks="HIL min_values_cpu")
def amin(xp, input, dim=(), keepdim=False):
    """The smallest element over `dim`; equal ones share the gradient."""
    refuse_empty("amin", input.shape, dim)
    return xp.amin(input, dims_of(dim, input.ndim), keepdim)


def shared(xp, g, out, input, dim, keepdim):
    """Returns the gradient of an extreme, divided among all elements that equal it."""
    hit = xp.eq(input, spread(xp, out, input.shape, dim, keepdim))
    hit = xp.cast(hit, xp.dtype_of(input))
    count = xp.sum(hit, dims_of(dim, input.ndim), True)
    return hit * spread(xp, g, input.shape, dim, keepdim) / count


amax.vjp(input=shared)
amin.vjp(input=shared)


@op(promote=SAME, method=False, public=False, lacks="HIL aminmax_cpu", grad_name="AminmaxBackward0")
def extremes(xp, input, dim, keepdim):
    """The smallest and the largest element."""
    dims = dims_of(dim, input.ndim)
    return xp.amin(input, dims, keepdim), xp.amax(input, dims, keepdim)


@extremes.vjp_together("input")
def _(xp, g, input, dim, keepdim):
    total = None
    for part, extreme in zip(g, (xp.amin, xp.amax), strict=True):
        if part is not None:
            out = extreme(input, dims_of(dim, input.ndim), keepdim)
            grad = shared(xp, part, out, input, dim, keepdim)
            total = grad if total is None else total + grad
    return (total,)


@composite
def aminmax(xp, input, *, dim=None, keepdim=False):
    """The smallest and the largest element, of all or along `dim`: `(min, max)`."""
    if dim is None and 0 in input.shape:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
            "identity."
        )
    refuse_empty("aminmax", input.shape, dim)
    return AminmaxResult(*extremes(input, dim, keepdim))


def _truth(xp, found, input):
    return xp.cast(found, dtypes.uint8) if xp.dtype_of(input) is dtypes.uint8 else found


@op(promote=BOOL, differentiable=False)
def any(xp, input, dim=None, keepdim=False):
    """Whether any element is not zero, over `dim`."""
    return _truth(xp, xp.any(input, dims_of(dim, input.ndim), keepdim), input)


@op(promote=BOOL, differentiable=False)
def all(xp, input, dim=None, keepdim=False):
    """Whether all elements are not zero, over `dim`."""
    return _truth(xp, xp.all(input, dims_of(dim, input.ndim), keepdim), input)


@op(promote=BOOL, differentiable=False, lacks="HIL nonzero_count_cpu")
def count_nonzero(xp, input, dim=None):
    """How many elements are not zero, over `dim`.

    >>> import lantern
    >>> lantern.count_nonzero(lantern.tensor([0.0, 2.0, 3.0]))
    tensor(2)
    """
    hits = xp.cast(xp.ne(input, 0), dtypes.int64)
    return xp.sum(hits, dims_of(dim, input.ndim), False)


# --- moments
def _deviation(xp, input, dim):
    count = _divisor(count_of(input.shape, dim))
    dims = dims_of(dim, input.ndim)
    away = input - xp.sum(input, dims, True) / count
    return away - xp.sum(away, dims, True) / count  # so that equal elements give exactly 0


def _freedom(shape, dim, correction):
    # What the sum of squares is divided by; never below zero.
    left = count_of(shape, dim) - correction
    return left if left > 0 else 0


def _over(xp, x, number):
    # A division by zero is left to the array: it gives infinities and NaN, not an exception.
    return x / number if number else x / xp.full((), 0, x)


MOMENT = {"promote": SAME, "method": False, "public": False}


@op(**MOMENT, exact=True, grad_name="VarBackward0")
def variance(xp, input, dim, correction, keepdim):
    """The sum of squared deviations over the number of elements less `correction`."""
    squares = xp.sum(xp.square(_deviation(xp, input, dim)), dims_of(dim, input.ndim), keepdim)
    return _over(xp, squares, _freedom(input.shape, dim, correction))


def _variance_input(xp, g, input, dim, correction, keepdim):
    slope = _over(xp, _deviation(xp, input, dim) * 2, _freedom(input.shape, dim, correction))
    return spread(xp, g, input.shape, dim, keepdim) * slope


variance.vjp(input=_variance_input)


@op(**MOMENT, exact=True, grad_name="StdBackward0")
def deviation(xp, input, dim, correction, keepdim):
    """The square root of the variance."""
    squares = xp.sum(xp.square(_deviation(xp, input, dim)), dims_of(dim, input.ndim), keepdim)
    return xp.sqrt(_over(xp, squares, _freedom(input.shape, dim, correction)))


def nonzero(xp, x, zero):
    """Returns a divisor with 1 where it would be zero, so that no NaN comes up there."""
    return xp.where(zero, xp.full((), 1, x), x)


def _half_over(xp, g, out):
    # The gradient of a square root, 0 where that is 0.
    zero = xp.eq(out, 0)
    return xp.where(zero, xp.full((), 0, g), g / nonzero(xp, out, zero)) * 0.5


deviation.vjp(
    input=lambda xp, g, out, input, dim, correction, keepdim: _variance_input(
        xp, _half_over(xp, g, out), input, dim, correction, keepdim
    )
)


@op(**MOMENT, grad_name="VarMeanBackward0")
def variance_and_mean(xp, input, dim, correction, keepdim):
    """The variance and the mean."""
    found = variance.forward(xp, input, dim, correction, keepdim)
    return found, mean.forward(xp, input, dim, keepdim, None)


@op(**MOMENT, grad_name="StdMeanBackward0")
def deviation_and_mean(xp, input, dim, correction, keepdim):
    """The standard deviation and the mean."""
    found = deviation.forward(xp, input, dim, correction, keepdim)
    return found, mean.forward(xp, input, dim, keepdim, None)


def _with_mean(xp, g, grad, input, dim, keepdim):
    if g is None:
        return grad
    count = _divisor(count_of(input.shape, dim))
    from_mean = spread(xp, g / count, input.shape, dim, keepdim)
    return from_mean if grad is None else grad + from_mean


@variance_and_mean.vjp_together("input")
def _(xp, g, input, dim, correction, keepdim):
    grad = None
    if g[0] is not None:
        grad = _variance_input(xp, g[0], input, dim, correction, keepdim)
    return (_with_mean(xp, g[1], grad, input, dim, keepdim),)


@deviation_and_mean.vjp_together("input")
def _(xp, g, out, input, dim, correction, keepdim):
    grad = None
    if g[0] is not None:
        grad = _variance_input(xp, _half_over(xp, g[0], out), input, dim, correction, keepdim)
    return (_with_mean(xp, g[1], grad, input, dim, keepdim),)


def _moment_arguments(name, input, dim, unbiased, correction):
    """Returns `(dim, correction)` from the forms that PyTorch has; warns of too few elements."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    if input.dtype.kind != "f":
        kind = "std and var" if "mean" not in name else name
        raise RuntimeError(f"{kind} only support floating point and complex dtypes")
    if 0 not in input.shape or count_of(input.shape, dim) == 0:
        if count_of(input.shape, dim) - correction <= 0:
            warnings.warn(
                f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the"
                " reduction factor (input numel divided by output numel).",
                UserWarning,
                stacklevel=4,
            )
    return dim, correction


@composite
def var(xp, input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The variance over `dim`, divided by the number of elements less `correction` (1).

    `unbiased=False` means `correction=0`.

    >>> import lantern
    >>> lantern.var(lantern.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    dim, correction = _moment_arguments("var", input, dim, unbiased, correction)
    return variance(input, dim, correction, keepdim)


@composite
def std(xp, input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The standard deviation over `dim`, the square root of `var`."""
    dim, correction = _moment_arguments("std", input, dim, unbiased, correction)
    return deviation(input, dim, correction, keepdim)


@composite(method=False)
def var_mean(xp, input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The variance and the mean over `dim`."""
    dim, correction = _moment_arguments("var_mean", input, dim, unbiased, correction)
    return variance_and_mean(input, dim, correction, keepdim)


@composite(method=False)
def std_mean(xp, input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The standard deviation and the mean over `dim`."""
    dim, correction = _moment_arguments("std_mean", input, dim, unbiased, correction)
    return deviation_and_mean(input, dim, correction, keepdim)


# --- in the logarithm, and norms
@op(promote=FLOAT, exact=True, steps=True)
def logsumexp(xp, input, dim, keepdim=False):
    """log(sum(exp(x))) over `dim`, without overflow.

    >>> import lantern
    >>> lantern.logsumexp(lantern.tensor([1000.0, 1000.0]), 0)
    tensor(1000.6932)
    """
    dims = dims_of(dim, input.ndim)
    if count_of(input.shape, dim) == 0:
        return xp.log(xp.sum(input, dims, keepdim))
    high = xp.amax(input, dims, True)
    high = xp.where(xp.isinf(high), xp.full((), 0, high), high)
    total = xp.log(xp.sum(xp.exp(input - high), dims, True)) + high
    return total if keepdim else xp.sum(total, dims, False)


def _logsumexp_input(xp, g, out, input, dim, keepdim):
    out = spread(xp, out, input.shape, dim, keepdim)
    return spread(xp, g, input.shape, dim, keepdim) * xp.exp(input - out)


logsumexp.vjp(input=_logsumexp_input)


def _refuse_empty_norm(shape, ord, dim):
    where = "an empty tensor because the"
    if dim is not None:
        empty = next(each for each in wrap_dims(dim, len(shape)) if not shape[each])
        where = f"the dimension {empty}because this dimension is empty and the"
    raise RuntimeError(
        f"linalg.vector_norm cannot compute the {ord} norm on {where} operation does not have an "
        "identity"
    )


def _refuse_norm(input, *rest):
    if input.dtype.kind != "f":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{input.dtype.legacy}"
        )


@op(**MOMENT, check=("?bBhHiIlL", _refuse_norm), grad_name="LinalgVectorNormBackward0")
def vector_norm(xp, input, ord, dim, keepdim):
    """The `ord`-norm over `dim`: (sum |x|**ord) ** (1 / ord) and its limits."""
    dims = dims_of(dim, input.ndim)
    if ord == 2:
        return xp.sqrt(xp.sum(input * input, dims, keepdim))
    size = xp.abs(input)
    if ord == 1:
        return xp.sum(size, dims, keepdim)
    if ord == 0:
        return xp.sum(xp.cast(xp.ne(input, 0), xp.dtype_of(input)), dims, keepdim)
    if (ord < 0 or math.isinf(ord)) and count_of(input.shape, dim) == 0:
        _refuse_empty_norm(input.shape, ord, dim)
    if math.isinf(ord):
        return (xp.amax if ord > 0 else xp.amin)(size, dims, keepdim)
    return xp.pow(xp.sum(xp.pow(size, float(ord)), dims, keepdim), 1.0 / ord)


def _norm_input(xp, g, out, input, ord, dim, keepdim):
    if ord == 0:
        return xp.full(input.shape, 0, g)
    g = spread(xp, g, input.shape, dim, keepdim)
    if ord == 1:
        return g * xp.sign(input)
    if math.isinf(ord):
        size = xp.abs(input)
        one = xp.full(out.shape, 1, g)
        return shared(xp, one, out, size, dim, keepdim) * (g * xp.sign(input))
    out = spread(xp, out, input.shape, dim, keepdim)
    nothing, at_zero = xp.full((), 0, g), xp.eq(out, 0)
    out = nonzero(xp, out, at_zero)
    if ord == 2:
        return xp.where(at_zero, nothing, g * (input / out))
    at_zero = xp.logical_or(at_zero, xp.eq(input, 0))
    size = nonzero(xp, xp.abs(input), at_zero)
    power = xp.sign(input) * xp.pow(size, ord - 1.0) * xp.pow(out, 1.0 - ord)
    return xp.where(at_zero, nothing, g * power)


vector_norm.vjp(input=_norm_input)


@composite
def norm(xp, input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """The `p`-norm over `dim`; 'fro' is the 2-norm of all elements.

    >>> import lantern
    >>> lantern.norm(lantern.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if p == "nuc":
        raise NotImplementedError("torch.norm(p='nuc') is not in Lantern yet")
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"only valid values for string p are 'fro' and 'nuc', found {p}")
    if dtype is not None:
        _refuse_norm(input)
        input = xp.cast(input, dtype)
    if out is not None:
        return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, out=out)
    return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim)


def _refuse_dist(input, other, p):
    if input.dtype.kind != "f":
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. Got "
            f"{input.dtype.legacy} instead."
        )


@op(promote=SAME, check=("?bBhHiIlL", _refuse_dist))
def dist(xp, input, other, p=2):
    """The `p`-norm of `input - other`."""
    return vector_norm.forward(xp, input - other, p, None, False)


dist.vjp(
    input=lambda xp, g, out, input, other, p: _norm_input(
        xp, g, out, input - other, p, None, False
    ),
    other=lambda xp, g, out, input, other, p: (
        -_norm_input(xp, g, out, input - other, p, None, False)
    ),
)
