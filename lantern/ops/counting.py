"""Counts and distributions: unique values, histograms, quantiles, covariances."""

from __future__ import annotations

import math

from .. import dtypes
from ..autograd.mode import active
from ..op import KEEP, composite, op
from ..return_types import histogram as HistogramResult
from ..shape import wrap_dim
from ..tensor import Tensor
from .arithmetic import lerp
from .creation import arange, full
from .index import getitem, nonzero_tuple, put, scatter_add
from .layout import cat, diagonal, flatten, permute, reshape, unsqueeze
from .order import argsort, picked, searchsorted
from .order import sort as sort_of
from .pointwise import cast, ceil, floor, isnan, logical_not
from .pointwise import round as round_of
from .reduce import any as any_of
from .reduce import sum as sum_of
from .scan import cumsum, diff
from .selection import clamp, maximum, where


@op(promote=KEEP, tensors="values", method=False, public=False, label=lambda *args: args[-1])
def found_in(xp, input, values, name):
    """Values that were found in `input`, in a way that has no derivative."""
    return values


def _no_derivative(g):
    raise NotImplementedError("the derivative for '_unique2' is not implemented.")


found_in.vjp(input=_no_derivative)


def _runs(rows):
    """Returns where runs of equal rows start, the run of each row, and the lengths of the runs."""
    count = rows.shape[0]
    after, before = getitem(rows, (slice(1, count),)), getitem(rows, (slice(0, count - 1),))
    changed = after != before
    if changed.ndim > 1:
        changed = any_of(flatten(changed, 1), 1)
    changed = cat([full((1 if count else 0,), True, dtypes.bool_), changed])
    (starts,) = nonzero_tuple(changed)
    ends = full((1,), count, dtypes.int64)
    return starts, cumsum(changed, 0) - 1, diff(cat([starts, ends]))


def _results(values, inverse, counts, return_inverse, return_counts):
    parts = (values, *((inverse,) if return_inverse else ()), *((counts,) if return_counts else ()))
    return parts if len(parts) > 1 else values


def _sorted_rows(rows):
    """Returns the order of rows by their first, then their second element, and so on."""
    order = arange(0, rows.shape[0], 1, dtypes.int64)
    columns = flatten(rows, 1) if rows.ndim > 1 else unsqueeze(rows, 1)
    for column in range(columns.shape[1] - 1, -1, -1):
        line = getitem(getitem(columns, (slice(None), column)), (order,))
        order = getitem(order, (argsort(line, 0, False, True),))
    return order


def _to_front(input, dim):
    rest = [i for i in range(input.ndim) if i != dim]
    return permute(input, (dim, *rest)), [1 + i if i < dim else i for i in range(input.ndim)]


def _rows(input, dim):
    """Returns what is to be compared along the first dimension, and how values get back."""
    data = input.detach()
    if dim is None:
        return flatten(data) if data.ndim else reshape(data, (1,)), lambda values: values
    dim = wrap_dim(dim, input.ndim)
    front, _ = _to_front(data, dim)
    back = [*range(1, dim + 1), 0, *range(dim + 1, input.ndim)]
    return front, lambda values: permute(values, tuple(back))


@composite
def unique(xp, input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The different elements (or slices along `dim`) in order, where they went, how often.

    >>> import lantern
    >>> lantern.unique(lantern.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    rows, back = _rows(input, dim)
    order = _sorted_rows(rows)
    ordered = getitem(rows, (order,))
    starts, run, counts = _runs(ordered)
    values = found_in(input, back(getitem(ordered, (starts,))), "Unique2Backward0")
    inverse = put(run, (order,), run)
    if dim is None:
        inverse = reshape(inverse, input.shape)
    return _results(values, inverse, counts, return_inverse, return_counts)


@composite
def unique_consecutive(xp, input, return_inverse=False, return_counts=False, dim=None):
    """The elements (or slices along `dim`) without those equal to the one before."""
    rows, back = _rows(input, dim)
    starts, run, counts = _runs(rows)
    values = back(getitem(rows, (starts,)))
    values = found_in(input, values, "UniqueConsecutiveBackward0")
    inverse = reshape(run, input.shape) if dim is None else run
    return _results(values, inverse, counts, return_inverse, return_counts)


@composite(tensors="weights")
def bincount(xp, input, weights=None, minlength=0):
    """How often each number occurs, or the sum of its weights.

    >>> import lantern
    >>> lantern.bincount(lantern.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    if input.dtype.char in "?HILeEfd":
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{input.dtype.legacy}'")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if input.ndim != 1 or (input.numel() and xp.amin(input).item() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights.shape != input.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    size = max(minlength, int(xp.amax(input).item()) + 1) if input.numel() else minlength
    if weights is None:
        weights = full(input.shape, 1, dtypes.int64)
    elif weights.dtype is not dtypes.float32:
        weights = cast(weights, dtypes.float64)
    zeros = full((size,), 0, weights)
    return scatter_add(zeros, 0, cast(input, dtypes.int64), weights.detach())


@composite
def histc(xp, input, bins=100, min=0, max=0):
    """How many elements lie in each of `bins` equal intervals of `[min, max]`.

    With `min` equal to `max` the range is that of the elements. Raises RuntimeError for integers.
    """
    _check_histogram(input, bins, min, max)
    line = cast(flatten(input.detach()), _wide(input.dtype))
    if min == max and line.numel():
        min, max = xp.amin(line).item(), xp.amax(line).item()
    if min == max:
        min, max = min - 1, max + 1
    if not (math.isfinite(min) and math.isfinite(max)):
        raise RuntimeError(f"torch.histc: range of [{min:g}, {max:g}] is not finite")
    inside = xp.logical_and(line >= min, line <= max)
    place = floor((line - min) * bins / (max - min))
    place = where(inside, place, 0.0)
    place = cast(xp.minimum(place, full((), bins - 1, place)), dtypes.int64)
    zeros = full((bins,), 0, line)
    return cast(scatter_add(zeros, 0, place, cast(inside, line.dtype)), input.dtype)


def _wide(dtype):
    return dtypes.float32 if dtype.itemsize < 4 else dtype


def _check_histogram(input, bins, low, high):
    if input.dtype.kind != "f":
        kernel = "linspace_cpu" if input.dtype.kind == "b" else "histogram_cpu"
        if input.dtype.char in "HIL":
            kernel = "aminmax_cpu"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{input.dtype.legacy}'")
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")


@composite(tensors="-weight")
def histogram(xp, input, bins, *, range=None, weight=None, density=False):
    """How many elements lie between neighbours of `bins`, or in that many equal parts of `range`.

    `weight` says how much each element counts; with `density` the area under the bars is 1.

    >>> import lantern
    >>> lantern.histogram(lantern.tensor([0.0, 1.0, 1.5, 3.0]), bins=3, range=(0.0, 3.0)).hist
    tensor([1., 2., 1.])
    """
    if input.dtype.char not in "fd":
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{input.dtype.legacy}'")
    line = flatten(input.detach())
    edges = bins.detach() if isinstance(bins, Tensor) else _even_edges(xp, line, bins, range)
    if edges.ndim != 1 or edges.dtype is not input.dtype:
        raise RuntimeError(
            "torch.histogram(): input tensor and bins tensors should have the same dtype and bins "
            f"one dimension, but got {input.dtype.legacy} and {edges.dtype.legacy} "
            f"{list(edges.shape)}"
        )
    count = edges.shape[0] - 1
    place = searchsorted(edges, line, right=True) - 1
    place = where(xp.eq(line, edges[-1]), full((), count - 1, dtypes.int64), place)
    inside = xp.logical_and(place >= 0, place < count)
    heights = full((), 1, line) if weight is None else flatten(weight.detach())
    zeros = full((max(count, 0),), 0, line)
    heights = where(inside, heights, full((), 0, line))
    hist = scatter_add(zeros, 0, where(inside, place, full((), 0, dtypes.int64)), heights)
    if density:
        hist = hist / (sum_of(hist) * diff(edges))
    return HistogramResult(hist, edges)


def _even_edges(xp, line, bins, bounds):
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if bounds is not None:
        low, high = bounds
    elif line.numel():
        low, high = xp.amin(line).item(), xp.amax(line).item()
    else:
        low, high = 0.0, 1.0
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(
            f"torch.histogramdd: dimension 0's range [{low:g}, {high:g}] is not finite"
        )
    if low > high:
        raise RuntimeError(
            f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for "
            "dimension 0"
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = (high - low) / bins
    places = cast(arange(0, bins + 1, 1, dtypes.int64), line.dtype)
    ahead, behind = places * step + low, high - (bins - places) * step
    return where(places < (bins + 1) // 2, ahead, behind)


# --- covariance
@composite(tensors="fweights aweights")
def cov(xp, input, *, correction=1, fweights=None, aweights=None):
    """The covariances of the rows of a matrix `(variables, observations)`.

    `fweights` says how often each observation occurs, `aweights` how much it counts.

    >>> import lantern
    >>> lantern.cov(lantern.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{input.ndim} dimensions"
        )
    if input.dtype is dtypes.bool_:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = reshape(input, (1, -1)) if input.ndim < 2 else input
    if rows.dtype.kind != "f":
        rows = cast(rows, dtypes.get_default_dtype())
    weight = _weights(fweights, aweights, rows)
    if weight is None:
        total = divisor = rows.shape[1]
        weighted = rows
    else:
        total = divisor = sum_of(weight)
        weighted = rows * weight
    if aweights is not None:
        divisor = divisor - sum_of(weight * aweights) / total * correction
    else:
        divisor = divisor - correction
    away = rows - sum_of(weighted, 1, True) / total
    other = away if weight is None else away * weight
    found = xp.matmul(away, permute(other, (1, 0))) / _not_negative(divisor, rows)
    return reshape(found, ()) if found.shape == (1, 1) else found


def _weights(fweights, aweights, rows):
    """Returns the weight of each observation; raises RuntimeError for weights of another form."""
    for name, each in (("fweights", fweights), ("aweights", aweights)):
        if each is None:
            continue
        if each.ndim > 1:
            raise RuntimeError(
                f"cov(): expected {name} to have one or fewer dimensions but got {name} with "
                f"{each.ndim} dimensions"
            )
        if (each.dtype.kind == "f") != (name == "aweights"):
            wanted = "floating point" if name == "aweights" else "integral"
            raise RuntimeError(
                f"cov(): expected {name} to have {wanted} dtype but got {name} with "
                f"{each.dtype.legacy} dtype"
            )
        if each.numel() != rows.shape[1]:
            raise RuntimeError(
                f"cov(): expected {name} to have the same numel as there are observations in the "
                f"input but got {each.numel()} != {rows.shape[1]}"
            )
        if active.trace is None and not bool((each >= 0).all()):
            raise RuntimeError(f"cov(): {name} cannot be negative")
    if fweights is None or aweights is None:
        return aweights if fweights is None else fweights
    return fweights * aweights


def _not_negative(divisor, like):
    if isinstance(divisor, Tensor):
        return maximum(cast(divisor, like.dtype), full((), 0, like))
    return full((), max(divisor, 0), like)


@composite
def corrcoef(xp, input):
    """The correlations of the rows of a matrix `(variables, observations)`."""
    if input.ndim > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input.ndim} dimensions"
        )
    found = cov(input)
    if not found.ndim:
        return found / found
    deviation = xp.sqrt(diagonal(found))
    found = found / reshape(deviation, (-1, 1)) / reshape(deviation, (1, -1))
    return clamp(found, -1, 1)


# --- quantiles
INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_quantile(input, q, interpolation):
    if not isinstance(q, Tensor) and not 0 <= q <= 1:
        raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q:g}")
    if interpolation not in INTERPOLATIONS:
        raise RuntimeError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )
    if not input.numel():
        raise RuntimeError("quantile() input tensor must be non-empty")
    if isinstance(q, Tensor) and q.ndim > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if input.dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if isinstance(q, Tensor) and q.dtype is not input.dtype:
        raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    if isinstance(q, Tensor) and active.trace is None:
        if not bool(((q >= 0) & (q <= 1)).all()):
            raise RuntimeError("quantile() q values must be in the range [0, 1]")


def _quantile(name, leave_nan, text):
    def forward(xp, input, q, dim=None, keepdim=False, *, interpolation="linear"):
        _check_quantile(input, q, interpolation)
        lines, shape = _lines(input, dim, keepdim)
        points = q if isinstance(q, Tensor) else full((), q, input)
        line_points = reshape(points, (-1,))
        values = _at_ranks(xp, lines, line_points, leave_nan, interpolation)
        values = permute(values, (values.ndim - 1, *range(values.ndim - 1)))
        return reshape(values, (*points.shape, *shape))

    forward.__name__, forward.__doc__ = name, text
    return composite(forward, numbers="q", tensors="q")


def _lines(input, dim, keepdim):
    """Returns the elements with the reduced dimension last, and the shape of what is left."""
    if dim is None:
        return flatten(input), (1,) * input.ndim if keepdim else ()
    dim = wrap_dim(dim, input.ndim)
    if not input.ndim:
        return reshape(input, (1,)), ()
    rest = [i for i in range(input.ndim) if i != dim]
    left = tuple(1 if i == dim else s for i, s in enumerate(input.shape))
    shape = left if keepdim else tuple(input.shape[i] for i in rest)
    return permute(input, (*rest, dim)), shape


def _at_ranks(xp, lines, q, leave_nan, interpolation):
    """Returns the quantiles of each line, `(..., Q)`."""
    last = lines.ndim - 1
    size = lines.shape[last]
    ordered = sort_of(lines, last).values
    wrong = isnan(lines)
    if leave_nan:
        count = cast(sum_of(logical_not(wrong), last, True), lines.dtype)
        rank = q * maximum(count - 1, full((), 0, count))
    else:
        rank = where(any_of(wrong, last, True), float(size - 1), q * (size - 1))
    if interpolation == "lower":
        rank = floor(rank)
    elif interpolation == "higher":
        rank = ceil(rank)
    elif interpolation == "nearest":
        rank = round_of(rank)
    below = floor(rank)
    values = picked(ordered, last, cast(below, dtypes.int64), True, "GatherBackward0")
    if interpolation not in ("linear", "midpoint"):
        return values
    weight = rank - below if interpolation == "linear" else full(rank.shape, 0.5, rank)
    above = picked(ordered, last, cast(ceil(rank), dtypes.int64), True, "GatherBackward0")
    return lerp(values, above, weight)


quantile = _quantile(
    "quantile",
    False,
    """The elements below which a part `q` of all (or of those along `dim`) lies, interpolated.

    >>> import lantern
    >>> lantern.quantile(lantern.tensor([0.0, 1.0, 2.0, 3.0]), 0.5)
    tensor(1.5000)
    """,
)
nanquantile = _quantile("nanquantile", True, "The quantiles of what is not NaN.")
