"""Scans: what runs along a dimension and keeps its size, and differences of neighbours."""

from __future__ import annotations

from .. import dtypes
from ..op import INT_TO_LONG, SAME, composite, op
from ..return_types import cummax as CummaxResult
from ..return_types import cummin as CumminResult
from ..shape import wrap_dim
from ..tensor import Tensor
from .creation import full
from .layout import at, cat, narrow
from .order import picked
from .transcendental import log_of_sum


@op(packed="always", promote=INT_TO_LONG, inplace=True)
def cumsum(xp, input, dim, *, dtype=None):
    """The running sum along `dim`.

    >>> import lantern
    >>> lantern.cumsum(lantern.tensor([1, 2, 3]), 0)
    tensor([1, 3, 6])
    """
    return xp.cumsum(input, wrap_dim(dim, input.ndim))


cumsum.vjp(input=lambda xp, g, dim: reversed_cumsum(xp, g, wrap_dim(dim, g.ndim)))


def reversed_cumsum(xp, g, dim):
    """Returns the running sum from the end."""
    if not g.ndim:
        return g
    return xp.flip(xp.cumsum(xp.flip(g, (dim,)), dim), (dim,))


@op(packed="always", promote=INT_TO_LONG, inplace=True)
def cumprod(xp, input, dim, *, dtype=None):
    """The running product along `dim`."""
    return xp.cumprod(input, wrap_dim(dim, input.ndim))


@cumprod.vjp_together("input")
def _(xp, g, input, dim):
    # The slope by x[k] is the product before k times s[k], where s[k] = g[k] + x[k+1] s[k+1].
    if not input.ndim or 0 in input.shape:
        return (g,)
    dim = wrap_dim(dim, input.ndim)
    size = input.shape[dim]
    one = xp.full(tuple(1 if i == dim else s for i, s in enumerate(input.shape)), 1, input)
    head = xp.getitem(input, at(dim, slice(0, size - 1)))
    tail = xp.getitem(input, at(dim, slice(1, size)))
    before = xp.cat([one, xp.cumprod(head, dim)], dim) if size > 1 else one
    return (before * recurrence(xp, xp.cat([tail, one * 0], dim), g, dim),)


def recurrence(xp, factor, term, dim):
    """Returns s with s[k] = term[k] + factor[k] s[k + 1], in steps that double their reach."""
    size, step = term.shape[dim], 1
    while step < size:
        near, far = at(dim, slice(0, size - step)), at(dim, slice(step, size))
        last = at(dim, slice(size - step, size))
        kept = xp.getitem(term, last), xp.getitem(factor, last) * 0
        moved = xp.getitem(factor, near)
        term = xp.cat([xp.getitem(term, near) + moved * xp.getitem(term, far), kept[0]], dim)
        factor = xp.cat([moved * xp.getitem(factor, far), kept[1]], dim)
        step *= 2
    return term


@op(packed="always", promote=SAME, lacks="?BHILbhil logcumsumexp_out_cpu")
def logcumsumexp(xp, input, dim):
    """log(cumsum(exp(x))) along `dim`, without overflow."""
    return running_log_sum(xp, input, wrap_dim(dim, input.ndim))


def running_log_sum(xp, x, dim):
    """Returns the logarithms of running sums of exponentials, in steps that double their reach."""
    if not x.ndim:
        return x * 1
    size, step = x.shape[dim], 1
    while step < size:
        first = xp.getitem(x, at(dim, slice(0, step)))
        near = xp.getitem(x, at(dim, slice(0, size - step)))
        far = xp.getitem(x, at(dim, slice(step, size)))
        x = xp.cat([first, log_of_sum(xp, far, near)], dim)
        step *= 2
    return x * 1 if size <= 1 else x


@logcumsumexp.vjp_together("input")
def _(xp, g, out, input, dim):
    # The slope by x[k] is exp(x[k] - out[k]) s[k] with s[k] = g[k] + exp(out[k] - out[k+1]) s[k+1];
    # running sums grow, so no exponential overflows.
    if not input.ndim or 0 in input.shape:
        return (g,)
    dim = wrap_dim(dim, input.ndim)
    size = input.shape[dim]
    lowest = xp.full((), float("-inf"), out)
    here = xp.getitem(out, at(dim, slice(0, size - 1)))
    after = xp.getitem(out, at(dim, slice(1, size)))
    last = xp.getitem(out, at(dim, slice(size - 1, size)))
    factor = xp.exp(xp.where(xp.eq(here, lowest), lowest, here - after))
    total = recurrence(xp, xp.cat([factor, xp.full(last.shape, 0, g)], dim), g, dim)
    share = xp.exp(xp.where(xp.eq(input, lowest), lowest, input - out))
    return (total * share,)


def _cumulative_extreme(name, place, result, text):
    def forward(xp, input, dim):
        dim = wrap_dim(dim, input.ndim)
        index = getattr(xp, place)(input, dim)
        return result(picked(input, dim, index, True, f"{name.capitalize()}Backward0"), index)

    forward.__name__, forward.__doc__ = name, text
    return composite(forward)


def _places(name):
    def forward(xp, input, dim):
        return getattr(xp, name)(input, dim)

    forward.__name__, forward.__doc__ = name, "Where the running extreme stands."
    lacks = f"HIL {name.removeprefix('arg')}_cpu"
    return op(forward, promote=SAME, differentiable=False, method=False, public=False, lacks=lacks)


argcummax, argcummin = _places("argcummax"), _places("argcummin")
cummax = _cumulative_extreme(
    "cummax", "argcummax", CummaxResult, "The running maximum along `dim`: `(values, indices)`."
)
cummin = _cumulative_extreme(
    "cummin", "argcummin", CumminResult, "The running minimum along `dim`: `(values, indices)`."
)


@composite(tensors="prepend append")
def diff(xp, input, n=1, dim=-1, prepend=None, append=None):
    """The differences of neighbours along `dim`, taken `n` times.

    >>> import lantern
    >>> lantern.diff(lantern.tensor([1, 3, 2]))
    tensor([ 2, -1])
    """
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = wrap_dim(dim, input.ndim)
    parts = [each for each in (prepend, input, append) if each is not None]
    if len(parts) > 1:
        input = cat(parts, dim)
    if n == 0:
        return xp.clone(input)
    for _ in range(min(n, input.shape[dim])):
        size = input.shape[dim]
        after, before = narrow(input, dim, 1, size - 1), narrow(input, dim, 0, size - 1)
        input = after ^ before if input.dtype is dtypes.bool_ else after - before
    return input


@composite(method=False, tensors="y x", aliases="trapz")
def trapezoid(xp, y, x=None, *, dx=None, dim=-1):
    """The integral along `dim` by the trapezoidal rule, at points `x` or steps of `dx` (1)."""
    if not y.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    if not y.shape[wrap_dim(dim, y.ndim)]:
        return full((), 0, y)
    if y.dtype is dtypes.bool_:
        raise RuntimeError("trapezoid: received a bool input for `y`, but bool is not supported")
    dim = wrap_dim(dim, y.ndim)
    if x is None:
        ends = y.select(dim, 0) + y.select(dim, -1)
        return (xp.sum(y, (dim,), False) - ends * 0.5) * (1 if dx is None else dx)
    areas = _heights(y, dim) * _spacing(x, y.ndim, dim)
    return xp.sum(areas, (wrap_dim(dim, areas.ndim),), False) / 2


@composite(method=False, tensors="y x")
def cumulative_trapezoid(xp, y, x=None, *, dx=None, dim=-1):
    """The running integral along `dim` by the trapezoidal rule."""
    if y.dtype is dtypes.bool_:
        raise RuntimeError(
            "cumulative_trapezoid: received a bool input for `y`, but bool is not supported"
        )
    if not y.ndim:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, y.ndim)
    if x is None:
        return cumsum(_heights(y, dim) * ((1 if dx is None else dx) / 2), dim)
    return cumsum(_heights(y, dim) * _spacing(x, y.ndim, dim), dim) / 2


def _heights(y, dim):
    """Returns the sums of neighbours."""
    count = max(y.shape[dim] - 1, 0)
    return narrow(y, dim, min(1, y.shape[dim]), count) + narrow(y, dim, 0, count)


def _spacing(x, ndim, dim):
    """Returns the differences of neighbouring points in a shape that goes with the heights."""
    steps = diff(x, dim=dim if x.ndim > 1 else 0)
    if x.ndim == 1 and ndim > 1:
        steps = steps.reshape([-1 if i == dim else 1 for i in range(ndim)])
    return steps


# --- derivatives by differences
@composite(method=False)
def gradient(xp, input, *, spacing=1, dim=None, edge_order=1):
    """The derivative along each dimension (or those in `dim`), from the neighbours of each point.

    `spacing` is the distance of points, for all dimensions or for each, or where they lie: a tensor
    for each. Raises RuntimeError where a dimension has no `edge_order + 1` points.

    >>> import lantern
    >>> lantern.gradient(lantern.tensor([1.0, 2.0, 4.0, 8.0]))
    (tensor([1.0000, 1.5000, 3.0000, 4.0000]),)
    """
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    dims = range(input.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    dims = [wrap_dim(each, input.ndim) for each in dims]
    listed = isinstance(spacing, (list, tuple))
    spacings = list(spacing) if listed else [spacing] * len(dims)
    if len(spacings) != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim "
            f"arguments to have the same length, but got a spacing argument of length "
            f"{len(spacings)} and a dim argument of length {len(dims)}."
        )
    for each in dims:
        if input.shape[each] <= edge_order:
            raise RuntimeError(
                "torch.gradient expected each dimension size to be at least edge_order+1"
            )
    derive = [
        _by_places if isinstance(each, Tensor) and each.ndim else _by_steps for each in spacings
    ]
    columns = zip(derive, dims, spacings, strict=True)
    return tuple(each(input, d, s, edge_order) for each, d, s in columns)


def _by_steps(x, dim, step, edge_order):
    size = x.shape[dim]

    def at_(place, count=1):
        return narrow(x, dim, place, count)

    if edge_order == 1:
        first, last = at_(1) - at_(0), at_(size - 1) - at_(size - 2)
    else:
        first = -1.5 * at_(0) + 2 * at_(1) - 0.5 * at_(2)
        last = 1.5 * at_(size - 1) - 2 * at_(size - 2) + 0.5 * at_(size - 3)
    inner = (at_(2, size - 2) - at_(0, size - 2)) / step / 2
    return cat([first / step, inner, last / step], dim)


def _by_places(x, dim, places, edge_order):
    size = x.shape[dim]
    if places.ndim != 1 or places.shape[0] != size:
        raise RuntimeError(
            "torch.gradient expected each element of spacing to have as many points as input has "
            f"along its dimension, but got {list(places.shape)} for {size}"
        )
    steps = _spacing(places, x.ndim, dim)

    def at_(place, count=1):
        return narrow(x, dim, place, count)

    def step(place, count=1):
        return narrow(steps, dim, place, count)

    before, after = step(0, size - 2), step(1, size - 2)
    total = before + after
    inner = at_(0, size - 2) * (-after / (before * total))
    inner = inner + at_(1, size - 2) * ((after - before) / (before * after))
    inner = inner + at_(2, size - 2) * (before / (after * total))
    if edge_order == 1:
        first = (at_(1) - at_(0)) / step(0)
        last = (at_(size - 1) - at_(size - 2)) / step(size - 2)
        return cat([first, inner, last], dim)
    one, two = step(0), step(1)
    first = at_(0) * (-(2 * one + two) / (one * (one + two))) + at_(1) * ((one + two) / (one * two))
    first = first - at_(2) * (one / (two * (one + two)))
    one, two = step(size - 3), step(size - 2)
    last = at_(size - 3) * (two / (one * (one + two))) - at_(size - 2) * ((one + two) / (one * two))
    last = last + at_(size - 1) * ((2 * two + one) / (two * (one + two)))
    return cat([first, inner, last], dim)
