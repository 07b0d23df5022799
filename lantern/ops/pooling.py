"""Pooling: the largest, the mean or a norm of the elements in each window.

Maxima are found as places first; their values, and gradients of any order, are those of `gather`.
"""

from __future__ import annotations

import itertools
from math import prod
from typing import Any

from .. import dtypes
from ..autograd.mode import is_grad_enabled, no_grad
from ..op import KEEP, SAME, composite, op
from .slices import laid_along
from .sliding import framed, refuse_dimension, unframed, whole_numbers

CODES = {1: "", 2: "HW", 3: "THW"}


def _per_dim(name: str, argument: str, value: Any, ndim: int) -> tuple[int, ...]:
    found = whole_numbers(name, argument, value)
    if len(found) == 1:
        return found * ndim
    if len(found) != ndim:
        if ndim == 1:
            raise RuntimeError(
                f"{name}() {argument} must be an int, list of ints or tuple of ints of size 1 but "
                f"got size {len(found)}"
                if name == "max_pool1d"
                else f"{name}() argument '{argument}' should contain one int (got {len(found)})"
            )
        count = "two" if ndim == 2 else "three"
        omitted = "be omitted, a single int" if argument == "stride" else "be a single int"
        raise RuntimeError(f"{name}: {argument} must either {omitted}, or a tuple of {count} ints")
    return found


class Pool:
    """How windows lie over the last dimensions of an input."""

    def __init__(self, name, ndim, sizes, kernel_size, stride, padding, dilation, ceil_mode):
        given = stride if stride is not None and stride != () and stride != [] else kernel_size
        self.kernel = _per_dim(name, "kernel_size", kernel_size, ndim)
        self.stride = _per_dim(name, "stride", given, ndim)
        self.padding = _per_dim(name, "padding", padding, ndim)
        self.dilation = _per_dim(name, "dilation", dilation, ndim)
        self.sizes = tuple(sizes)
        self._check(name, ndim)
        parts = zip(sizes, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        self.counts = tuple([_pooled_size(*each, ceil_mode) for each in parts])

    def _check(self, name: str, ndim: int) -> None:
        if name == "max_pool1d":
            self._check_line(name)
        if 0 in self.stride:
            raise RuntimeError("stride should not be zero")
        for what, values in (("kernel size", self.kernel), ("stride", self.stride)):
            if min(values) <= 0:
                told = _axes("k" if what == "kernel size" else "d", values)
                raise RuntimeError(f"{what} should be greater than zero, but got {told}")
        if min(self.dilation) <= 0:
            told = _axes("dilation", self.dilation)
            raise RuntimeError(f"dilation should be greater than zero, but got {told}")
        for pad, kernel, dilation in zip(self.padding, self.kernel, self.dilation, strict=True):
            if pad < 0:
                raise RuntimeError(f"pad must be non-negative, but got pad: {pad}")
            if pad > (dilation * (kernel - 1) + 1) // 2:
                raise RuntimeError(
                    "pad should be at most half of effective kernel size, but got "
                    f"pad={pad}, kernel_size={kernel} and dilation={dilation}"
                )

    def _check_line(self, name: str) -> None:
        for argument, least in (("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            (value,) = getattr(self, argument.removesuffix("_size"))
            if value < least:
                want = "greater than zero" if least else "non-negative"
                raise RuntimeError(f"{name}() {argument} must be {want}, but got {value}")
        if self.padding[0] > self.kernel[0] // 2:
            raise RuntimeError(
                f"{name}() padding should be at most half of kernel size, but got "
                f"padding={self.padding[0]} and kernel_size={self.kernel[0]}"
            )

    def check_counts(self, name: str, channels: int) -> None:
        """Raises RuntimeError where no window fits."""
        if min(self.counts) >= 1:
            return
        if name == "max_pool1d":
            raise RuntimeError(f"{name}() Invalid computed output size: {min(self.counts)}")
        if name == "avg_pool3d":
            sizes = " ".join(f"{c}: {n}" for c, n in zip("THW", self.sizes, strict=True))
            kernel = " ".join(f"k{c}: {n}" for c, n in zip("THW", self.kernel, strict=True))
            raise RuntimeError(f"input image ({sizes}) smaller than kernel size ({kernel})")
        one = (1,) if len(self.sizes) == 1 else ()
        before = "x".join(map(str, (channels, *one, *self.sizes)))
        after = "x".join(map(str, (channels, *one, *self.counts)))
        raise RuntimeError(
            f"Given input size: ({before}). Calculated output size: ({after}). Output size is too "
            "small"
        )

    @property
    def apart(self) -> bool:
        """Says whether no place is in two windows."""
        spans = zip(self.kernel, self.stride, self.dilation, strict=True)
        return all(s > d * (k - 1) for k, s, d in spans)

    @property
    def after(self) -> tuple[int, ...]:
        """How many places beyond the end the last windows reach."""
        parts = zip(
            self.sizes,
            self.kernel,
            self.stride,
            self.padding,
            self.dilation,
            self.counts,
            strict=True,
        )
        return tuple([max((c - 1) * s + d * (k - 1) + 1 - p - n, 0) for n, k, s, p, d, c in parts])

    def windows(self, xp, x, fill):
        """Returns the windows `(N, C, *kernel, *counts)`, `fill` where they reach outside."""
        wide = framed(xp, x, self.padding, self.after, fill)
        shown = xp.windows(wide, self.kernel, self.stride, self.dilation)
        ndim = len(self.counts)
        lead = shown.ndim - ndim
        have = tuple(shown.shape[lead:])
        if have == self.counts:
            return shown
        index = (slice(None),) * lead + tuple(slice(0, n) for n in self.counts)
        return xp.getitem(shown, index)

    def add_back(self, xp, shown, shape):
        """Adds windows up to the shape of the input."""
        lead = tuple(shape[: len(shape) - len(self.sizes)])
        parts = zip(self.sizes, self.padding, self.after, strict=True)
        wide = tuple(n + low + high for n, low, high in parts)
        total = xp.windows_add(shown, (*lead, *wide), self.kernel, self.stride, self.dilation)
        return unframed(xp, total, self.padding, self.sizes)


def _axes(prefix: str, values: tuple) -> str:
    letters = CODES[max(len(values), 2)]
    values = (1,) * (2 - len(values)) + values
    return " ".join(f"{prefix}{c}: {n}" for c, n in zip(letters, values, strict=True))


def _pooled_size(size, kernel, stride, padding, dilation, ceil_mode):
    reach = size + 2 * padding - dilation * (kernel - 1) - 1
    count = (reach + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1  # the last window would begin in the padding behind the end
    return max(count, 0) if reach < 0 and not ceil_mode else count


def _check_input(name, input, ndim):
    shape = list(input.shape)
    right = input.ndim in (ndim + 1, ndim + 2)
    if ndim == 1 and name == "max_pool1d":
        if not right or not all(shape[-2:]):
            raise RuntimeError(
                f"{name}: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for "
                f"input, but got:{shape}"
            )
    elif not right and ndim == 1:
        refuse_line(name, input)
    elif not right and name == "avg_pool2d" and input.ndim < 3:
        refuse_dimension(input, -3)
    elif not right:
        raise RuntimeError(
            f"non-empty {ndim + 1}D or {ndim + 2}D (batch mode) tensor expected for input"
        )
    elif not all(shape[-ndim - 1 :]):
        wide = shape if ndim > 1 else [*shape[:-1], 1, shape[-1]]
        raise RuntimeError(
            f"Expected {max(ndim, 2) + 1}D or {max(ndim, 2) + 2}D (batch mode) tensor with "
            f"optional 0 dim batch size for input, but got:{wide}"
        )


def refuse_line(name, input):
    """Raises RuntimeError for the rank of an input with one spatial dimension."""
    raise RuntimeError(
        f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 "
        f"'self' (while checking arguments for {name})"
    )


# --- the largest
def _lowest(dtype):
    if dtype.kind == "f":
        return float("-inf")
    return 0 if dtype.kind in "bu" else -(2 ** (8 * dtype.itemsize - 1))


@op(promote=KEEP, method=False, public=False, differentiable=False, packed="but for channels last")
def max_pool_values(xp, input, pool):
    """The largest element of each window."""
    ndim = len(pool.kernel)
    shown = pool.windows(xp, input, _lowest(xp.dtype_of(input)))
    first = input.ndim - ndim
    return xp.amax(shown, tuple(range(first, first + ndim)), False)


def _largest(xp, shown, positions, firsts, ndim, kernel):
    """Returns the flat places of the largest elements of windows `(*, *kernel, *counts)`.

    `positions` gives those of an offset in a window, `firsts` are the first that are real. Of equal
    elements the first counts, of NaN the last; a window of nothing has its first place.
    """
    lead = shown.ndim - 2 * ndim
    shape = (*shown.shape[:lead], *shown.shape[lead + ndim :])
    best = xp.full(shape, _lowest(xp.dtype_of(shown)), shown)
    place = xp.expand(firsts, shape)
    front = (slice(None),) * lead
    floating = xp.dtype_of(shown).kind == "f"
    for offset in itertools.product(*map(range, kernel)):
        part = xp.getitem(shown, (*front, *offset))
        better = xp.gt(part, best)
        if floating:
            better = xp.logical_or(better, xp.isnan(part))
        best = xp.maximum(part, best)
        place = xp.where(better, positions(offset), place)
    return xp.contiguous(place)


def _starts(xp, pool):
    """Returns flat places: where windows start, padding included, and their first real places."""
    ndim, starts, firsts = len(pool.kernel), None, None
    for dim in range(ndim):
        low, dilation = pool.padding[dim], pool.dilation[dim]
        start = xp.arange(0, pool.counts[dim], 1, dtypes.int64) * pool.stride[dim] - low
        step = prod(pool.sizes[dim + 1 :])
        missing = xp.floor_divide(dilation - 1 - start, dilation)
        missing = xp.maximum(missing, xp.full(missing.shape, 0, missing))
        first = laid_along(xp, (start + missing * dilation) * step, dim, ndim)
        firsts = first if firsts is None else firsts + first
        start = laid_along(xp, start * step, dim, ndim)
        starts = start if starts is None else starts + start
    return starts, firsts


@op(promote=KEEP, method=False, public=False, differentiable=False, packed="but for channels last")
def max_pool_places(xp, input, pool):
    """Where the largest element of each window lies, counted over the spatial dimensions."""
    ndim = len(pool.kernel)
    starts, firsts = _starts(xp, pool)

    def positions(offset):
        spans = zip(offset, pool.dilation, range(ndim), strict=True)
        return sum(i * d * prod(pool.sizes[dim + 1 :]) for i, d, dim in spans)

    shown = pool.windows(xp, input, _lowest(xp.dtype_of(input)))
    return starts + _largest(xp, shown, positions, firsts - starts, ndim, pool.kernel)


@op(
    promote=KEEP,
    method=False,
    public=False,
    exact=True,
    label=lambda input, indices, space, name, pool=None: name,
)
def pooled_at(xp, input, indices, space, name, pool=None):
    """The elements at places that are counted over the last `space` dimensions.

    `pool` says in which windows they are, if these are apart.
    """
    lead = input.ndim - space
    flat, places = _flat(xp, input, lead), _flat(xp, indices, lead)
    return xp.reshape(xp.gather(flat, lead, places), tuple(indices.shape))


def _flat(xp, x, lead):
    return xp.reshape(x, (*x.shape[:lead], prod(x.shape[lead:])))


def _pooled_back(xp, g, input_shape, indices, space, pool):
    if pool is not None:
        return _windowed_back(xp, g, input_shape, indices, pool)
    lead = len(input_shape) - space
    places = _flat(xp, indices, lead)
    zeros = xp.full((*input_shape[:lead], prod(input_shape[lead:])), 0, g)
    total = xp.scatter_add(zeros, lead, places, _flat(xp, g, lead))
    return xp.reshape(total, tuple(input_shape))


def _windowed_back(xp, g, input_shape, indices, pool):
    """Returns the gradient put into the place of each window that its maximum came from."""
    ndim = len(pool.kernel)
    lead, counts = tuple(g.shape[: g.ndim - ndim]), tuple(g.shape[g.ndim - ndim :])
    places = _starts(xp, pool)[0]
    for dim, (size, dilation) in enumerate(zip(pool.kernel, pool.dilation, strict=True)):
        step = dilation * prod(pool.sizes[dim + 1 :])
        along = laid_along(xp, xp.arange(0, size, 1, dtypes.int64) * step, dim, 2 * ndim)
        places = places + along
    found = xp.eq(xp.reshape(indices, (*lead, *(1,) * ndim, *counts)), places)
    shown = xp.reshape(g, (*lead, *(1,) * ndim, *counts))
    return pool.add_back(xp, xp.where(found, shown, 0), input_shape)


pooled_at.vjp(input=_pooled_back)


def _max_pool(name, ndim, input, settings, return_indices):
    kernel_size, stride, padding, dilation, ceil_mode = settings
    tracked = input.requires_grad and is_grad_enabled()
    _check_rank_of(name, input, ndim)
    sizes = tuple(input.shape[-ndim:])
    if ndim == 1 and return_indices:
        name = "max_pool2d"  # PyTorch then takes the path over images, which words errors its way
    pool = Pool(name, ndim, sizes, kernel_size, stride, padding, dilation, ceil_mode)
    _check_input(name, input, ndim)
    pool.check_counts(name, input.shape[-ndim - 1])
    if input.dtype.kind == "b" or name == "max_pool1d" and input.dtype.kind != "f":
        kernel = "max_pool1d_impl" if ndim == 1 else name
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{input.dtype.legacy}'")
    if not return_indices and not tracked:
        return max_pool_values(input, pool)
    node = f"MaxPool{ndim}DWithIndicesBackward0" if ndim > 1 else "SqueezeBackward1"
    with no_grad():
        places = max_pool_places(input, pool)
    values = pooled_at(input, places, ndim, node, pool if pool.apart else None)
    return (values, places) if return_indices else values


def _check_rank_of(name, input, ndim):
    if input.ndim < ndim + 1 or name == "max_pool1d":
        _check_input(name, input, ndim)


def _declare_max(ndim: int) -> None:
    name = f"max_pool{ndim}d"
    axes = ("L", "H, W", "D, H, W")[ndim - 1]

    def forward(
        xp,
        input,
        kernel_size,
        stride=None,
        padding=0,
        dilation=1,
        ceil_mode=False,
        return_indices=False,
    ):
        settings = (kernel_size, stride, padding, dilation, ceil_mode)
        return _max_pool(name, ndim, input, settings, return_indices)

    forward.__name__ = name
    fours, twos = ", 4" * ndim, ", 2" * ndim
    forward.__doc__ = f"""The largest element of each window over `(N, C, {axes})` or `(C, {axes})`.

    The stride is the window's size if it is not given. With `return_indices` also where it lies,
    counted over the spatial dimensions. Raises RuntimeError where no window fits.

    >>> import lantern
    >>> lantern.{name}(lantern.ones(1, 1{fours}), 2).shape
    torch.Size([1, 1{twos}])
    """
    composite(forward, method=False)


# --- the mean
def _line(xp, like, start, stop, pool, dim):
    """Returns how many elements the windows along one dimension count."""
    count = stop - start
    return laid_along(xp, xp.cast(count, xp.dtype_of(like)), dim, len(pool.kernel))


def _divisor(xp, like, pool, count_include_pad, divisor_override):
    """Returns what the sums are divided by: a number, or one for each window."""
    if divisor_override is not None:
        return divisor_override
    if not any(pool.padding) and not any(pool.after):
        return prod(pool.kernel)
    total = None
    for dim, count in enumerate(pool.counts):
        start = xp.arange(0, count, 1, dtypes.int64) * pool.stride[dim] - pool.padding[dim]
        size, zeros = pool.sizes[dim], start * 0
        stop = xp.minimum(start + pool.kernel[dim], zeros + (size + pool.padding[dim]))
        if not count_include_pad:
            start, stop = xp.maximum(start, zeros), xp.minimum(stop, zeros + size)
        line = _line(xp, like, start, stop, pool, dim)
        total = line if total is None else total * line
    return total


def _divided(xp, total, divisor):
    if xp.dtype_of(total).kind == "f":
        return total / divisor
    # Integers are cut towards zero.
    if not hasattr(divisor, "shape"):
        divisor = xp.full((), divisor, total)
    sign = xp.sign(total) * xp.sign(divisor)
    return sign * xp.floor_divide(xp.abs(total), xp.abs(divisor))


def _window_sums(xp, shown, kernel):
    """Returns the sums of windows `(*, *kernel, *counts)`: of small ones place by place."""
    ndim = len(kernel)
    lead = shown.ndim - 2 * ndim
    if prod(kernel) > 16 or xp.dtype_of(shown).char in "eE":
        return xp.sum(shown, tuple(range(lead, lead + ndim)), False)
    front = (slice(None),) * lead
    total = None
    for offset in itertools.product(*map(range, kernel)):
        part = xp.getitem(shown, (*front, *offset))
        total = part if total is None else total + part
    return xp.contiguous(total)


@op(promote=SAME, method=False, public=False, exact=True)
def mean_pool(xp, input, pool, count_include_pad, divisor_override):
    """The mean of the elements of each window."""
    total = _window_sums(xp, pool.windows(xp, input, 0), pool.kernel)
    return _divided(xp, total, _divisor(xp, input, pool, count_include_pad, divisor_override))


def _mean_back(xp, g, input_shape, pool, count_include_pad, divisor_override):
    g = g / _divisor(xp, g, pool, count_include_pad, divisor_override)
    ndim = len(pool.kernel)
    lead, counts = tuple(g.shape[: g.ndim - ndim]), tuple(g.shape[g.ndim - ndim :])
    shown = xp.reshape(g, (*lead, *(1,) * ndim, *counts))
    shown = xp.expand(shown, (*lead, *pool.kernel, *counts))
    return pool.add_back(xp, shown, input_shape)


mean_pool.vjp(input=_mean_back)
mean_pool.label = lambda input, pool, *rest: (
    f"AvgPool{len(pool.kernel)}DBackward0" if len(pool.kernel) > 1 else "SqueezeBackward1"
)
mean_pool._grad_name = "AvgPool2DBackward0"


def _avg_pool(name, ndim, input, settings, count_include_pad, divisor_override):
    kernel_size, stride, padding, ceil_mode = settings
    if input.ndim < ndim + 1 or ndim == 1:
        if input.ndim not in (ndim + 1, ndim + 2):
            _check_input(name, input, ndim)
    pool = Pool(name, ndim, input.shape[-ndim:], kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override == 0 and divisor_override is not None:
        raise RuntimeError("divisor must be not zero")
    _check_input(name, input, ndim)
    pool.check_counts(name, input.shape[-ndim - 1])
    if input.dtype.kind != "f" and input.dtype is not dtypes.int64:
        kernel = "avg_pool3d_out_frame" if ndim == 3 else "avg_pool2d"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{input.dtype.legacy}'")
    return mean_pool(input, pool, count_include_pad, divisor_override)


def _declare_mean(ndim: int) -> None:
    name = f"avg_pool{ndim}d"
    axes = ("L", "H, W", "D, H, W")[ndim - 1]

    def forward(
        xp,
        input,
        kernel_size,
        stride=None,
        padding=0,
        ceil_mode=False,
        count_include_pad=True,
        divisor_override=None,
    ):
        settings = (kernel_size, stride, padding, ceil_mode)
        return _avg_pool(name, ndim, input, settings, count_include_pad, divisor_override)

    def line(
        xp, input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True
    ):
        settings = (kernel_size, stride, padding, ceil_mode)
        return _avg_pool(name, ndim, input, settings, count_include_pad, None)

    function = line if ndim == 1 else forward
    function.__name__ = name
    fours, twos = ", 4" * ndim, ", 2" * ndim
    function.__doc__ = f"""The mean of each window over `(N, C, {axes})` or `(C, {axes})`.

    The stride is the window's size if it is not given; elements of the padding count, unless
    `count_include_pad` is False. Raises RuntimeError where no window fits.

    >>> import lantern
    >>> lantern.nn.functional.{name}(lantern.ones(1, 1{fours}), 2).shape
    torch.Size([1, 1{twos}])
    """
    composite(function, method=False, function=ndim == 1)


for _ndim in (1, 2, 3):
    _declare_max(_ndim)
    _declare_mean(_ndim)


# --- a norm
def _lp_pool(name, ndim, input, norm_type, settings):
    kernel, stride, ceil_mode = settings
    pool = _avg_pool
    powered = input**norm_type
    total = pool(f"avg_pool{ndim}d", ndim, powered, (kernel, stride, 0, ceil_mode), True, None)
    count = prod(_per_dim(name, "kernel_size", kernel, ndim))
    return (total.sign() * total.abs().relu() * count) ** (1.0 / norm_type)


def _declare_norm(ndim: int) -> None:
    name = f"lp_pool{ndim}d"
    axes = ("L", "H, W", "D, H, W")[ndim - 1]

    def forward(xp, input, norm_type, kernel_size, stride=None, ceil_mode=False):
        return _lp_pool(name, ndim, input, norm_type, (kernel_size, stride, ceil_mode))

    forward.__name__ = name
    fours, twos = ", 4" * ndim, ", 2" * ndim
    forward.__doc__ = f"""The `norm_type`-th root of summed powers per window of `(N, C, {axes})`.

    >>> import lantern
    >>> lantern.nn.functional.{name}(lantern.ones(1, 1{fours}), 2, 2).shape
    torch.Size([1, 1{twos}])
    """
    composite(forward, method=False, function=False)


for _ndim in (1, 2, 3):
    _declare_norm(_ndim)
