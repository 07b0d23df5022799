"""Adaptive pooling: windows of about equal size, as many as the output has places."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..autograd.mode import no_grad
from ..op import KEEP, SAME, composite, op
from .layout import at, laid_along
from .pooling import _largest, pooled_at, refuse_line
from .sliding import whole_numbers


def _spans(xp, size, count):
    """Returns where the windows of a dimension start and stop, and the longest of them."""
    places = xp.arange(0, count, 1, dtypes.int64)
    start = xp.floor_divide(places * size, count)
    stop = xp.floor_divide((places + 1) * size + (count - 1), count)
    longest = max(
        (-(-(i + 1) * size // count) - i * size // count for i in range(count)), default=1
    )
    return start, stop, longest


def _places(xp, size, count):
    """Returns places `(longest, count)`, the last repeated in short windows, and which are real."""
    start, stop, longest = _spans(xp, size, count)
    steps = xp.reshape(xp.arange(0, longest, 1, dtypes.int64), (longest, 1))
    places = steps + xp.reshape(start, (1, count))
    last = xp.reshape(stop - 1, (1, count))
    return xp.minimum(places, last), xp.le(places, last), stop - start


def _shaped(xp, mask, dim, ndim):
    """Returns a mask `(longest, count)` in a shape that goes with windows at `dim`."""
    return xp.reshape(mask, (*mask.shape, *(1,) * (ndim - dim - 1)))


# --- the mean
@op(promote=SAME, method=False, public=False, exact=True)
def adaptive_mean(xp, input, counts):
    """The mean of each window, one dimension after the other."""
    lead = input.ndim - len(counts)
    for i, count in enumerate(counts):
        dim = lead + i
        places, real, length = _places(xp, input.shape[dim], count)
        ndim = input.ndim
        shown = xp.pick(input, dim, places)
        real = _shaped(xp, real, dim, ndim)
        total = xp.sum(xp.where(real, shown, xp.full((), 0, shown)), (dim,), False)
        input = total / laid_along(xp, xp.cast(length, xp.dtype_of(total)), dim, ndim)
    return input


def _mean_back(xp, g, input_shape, counts):
    lead = len(input_shape) - len(counts)
    for i, count in enumerate(counts):
        dim = lead + i
        size = input_shape[dim]
        places, real, length = _places(xp, size, count)
        g = g / laid_along(xp, xp.cast(length, xp.dtype_of(g)), dim, g.ndim)
        wide = (*g.shape[:dim], places.shape[0], *g.shape[dim:])
        shown = xp.expand(xp.reshape(g, (*g.shape[:dim], 1, *g.shape[dim:])), wide)
        real = _shaped(xp, real, dim, g.ndim)
        shown = xp.where(real, shown, xp.full((), 0, shown))
        zeros = xp.full((*g.shape[:dim], size, *g.shape[dim + 1 :]), 0, g)
        g = xp.put_add(zeros, at(dim, places), shown)
    return g


adaptive_mean.vjp(input=_mean_back)
adaptive_mean.label = lambda input, counts: (
    f"AdaptiveAvgPool{len(counts)}DBackward0" if len(counts) > 1 else "SqueezeBackward1"
)


# --- the largest
@op(promote=KEEP, method=False, public=False, differentiable=False)
def adaptive_places(xp, input, counts):
    """Where the largest element of each window lies, counted over the spatial dimensions."""
    ndim = len(counts)
    lead = input.ndim - ndim
    sizes = tuple(input.shape[lead:])
    shown, found, step = input, [], 1
    for dim in reversed(range(ndim)):
        places, _, _ = _places(xp, sizes[dim], counts[dim])
        shown = xp.pick(shown, lead + dim, places)
        found.insert(0, places * step)
        step *= sizes[dim]
    order = (*range(lead), *range(lead, lead + 2 * ndim, 2), *range(lead + 1, lead + 2 * ndim, 2))
    shown = xp.permute(shown, order)

    def positions(offset):
        total = None
        for dim, i in enumerate(offset):
            line = laid_along(xp, xp.getitem(found[dim], (i,)), dim, ndim)
            total = line if total is None else total + line
        return total

    kernel = tuple(shown.shape[lead : lead + ndim])
    return _largest(xp, shown, positions, positions((0,) * ndim), ndim, kernel)


# --- arguments
def _output_size(name: str, value: Any, sizes: tuple, kind: str) -> tuple[int, ...]:
    """Returns the output's sizes; None stands for that of the input."""
    ndim = len(sizes)
    several = isinstance(value, (list, tuple))
    given = tuple(value) if several else (value,) * ndim
    if several and len(given) != ndim:
        if ndim == 1:
            raise RuntimeError(
                f"{name}() argument 'output_size' should contain one int (got {len(given)})"
            )
        if kind == "max":
            raise RuntimeError(f"{name}(): internal error: output_size.size() must be {ndim}")
        raise RuntimeError(f"{name}: output_size must be {ndim}")
    filled = [n if each is None else each for each, n in zip(given, sizes, strict=True)]
    return whole_numbers(name, "output_size", filled)


def _check(name: str, input: Any, ndim: int, kind: str) -> None:
    shape = list(input.shape)
    if input.ndim not in (ndim + 1, ndim + 2):
        if ndim == 1:
            refuse_line(name, input)
        colon = ":" if kind == "max" else ""
        raise RuntimeError(
            f"{name}(): Expected {ndim + 1}D or {ndim + 2}D tensor, but got{colon} {shape}"
        )
    if ndim == 1 and kind == "avg":
        name, shape = "adaptive_avg_pool2d", [*shape[:-1], 1, shape[-1]]
    first = 1 if kind == "max" and len(shape) > ndim + 1 else len(shape) - ndim
    if kind == "avg":
        first = len(shape) - (max(ndim, 2))
    for dim in range(first, len(shape)):
        if not shape[dim]:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but "
                f"input has sizes {shape} with dimension {dim} being empty"
            )


def _adaptive_mean(name, ndim, input, output_size):
    if input.ndim not in (ndim + 1, ndim + 2):
        _check(name, input, ndim, "avg")
    counts = _output_size(name, output_size, tuple(input.shape[-ndim:]), "avg")
    if min(counts) < 0:
        told = ", ".join(map(str, (1, *counts) if ndim == 1 else counts))
        told = told if ndim < 3 else f"{counts[0]}, {counts[1]},{counts[2]}"
        raise RuntimeError(
            f"adaptive_avg_pool{max(ndim, 2)}d: elements of output_size must be greater than or "
            f"equal to 0 but received {{{told}}}"
        )
    if ndim > 1 and all(each == 1 for each in counts) and all(input.shape[-ndim:]):
        return input.mean(tuple(range(-ndim, 0)), True)
    _check(name, input, ndim, "avg")
    if input.dtype.kind != "f":
        kernel = "adaptive_avg_pool3d_cpu" if ndim == 3 else "adaptive_avg_pool2d"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{input.dtype.legacy}'")
    return adaptive_mean(input, counts)


def _adaptive_max(name, ndim, input, output_size, return_indices):
    if input.ndim not in (ndim + 1, ndim + 2):
        _check(name, input, ndim, "max")
    counts = _output_size(name, output_size, tuple(input.shape[-ndim:]), "max")
    _check(name, input, ndim, "max")
    if min(counts) < 0:
        one = (1,) if ndim == 1 else ()
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(counts)}: "
            f"{[*input.shape[:-ndim], *one, *counts]}"
        )
    if input.dtype.kind != "f":
        kernel = "adaptive_max_pool3d_cpu" if ndim == 3 else "adaptive_max_pool2d"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{input.dtype.legacy}'")
    node = f"AdaptiveMaxPool{ndim}DBackward0" if ndim > 1 else "SqueezeBackward1"
    with no_grad():
        places = adaptive_places(input, counts)
    values = pooled_at(input, places, ndim, node)
    return (values, places) if return_indices else values


def _declare(ndim: int) -> None:
    axes = ("L", "H, W", "D, H, W")[ndim - 1]
    sizes, twos = ", 5" * ndim, ", 2" * ndim

    def mean(xp, input, output_size):
        return _adaptive_mean(mean.__name__, ndim, input, output_size)

    def largest(xp, input, output_size, return_indices=False):
        return _adaptive_max(largest.__name__, ndim, input, output_size, return_indices)

    for function, kind, what in ((mean, "avg", "mean"), (largest, "max", "largest element")):
        function.__name__ = name = f"adaptive_{kind}_pool{ndim}d"
        function.__doc__ = f"""The {what} of each of `output_size` windows over `(N, C, {axes})`.

    A size of None is that of the input. Raises RuntimeError for an input without elements.

    >>> import lantern
    >>> lantern.nn.functional.{name}(lantern.ones(1, 1{sizes}), 2).shape
    torch.Size([1, 1{twos}])
    """
        composite(function, method=False, function=ndim == 1 and kind == "avg")


for _ndim in (1, 2, 3):
    _declare(_ndim)
