"""Max pooling undone, and max pooling over windows at random places."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import dtypes
from ..autograd.mode import active
from ..op import composite
from ..tensor import Tensor
from .creation import arange, full
from .pooling import _per_dim
from .sampling import draw
from .views import reshape, unsqueeze


# --- maxima put back
def _output_size(shape: tuple, kernel: tuple, stride: tuple, padding: tuple, wanted: Any) -> tuple:
    ndim = len(kernel)
    if len(shape) < ndim:
        raise IndexError("tuple index out of range")
    parts = zip(shape[len(shape) - ndim :], kernel, stride, padding, strict=True)
    usual = [(n - 1) * s + k - 2 * p for n, k, s, p in parts]
    if wanted is None:
        return tuple(usual)
    sizes = tuple(wanted)[2:] if len(wanted) == ndim + 2 else tuple(wanted)
    if len(sizes) != ndim:
        raise ValueError(
            f"output_size should be a sequence containing {ndim} or {ndim + 2} elements, but it "
            f"has a length of '{len(sizes)}'"
        )
    for dim, (size, each, step) in enumerate(zip(sizes, usual, stride, strict=True)):
        if not each - step < size < each + step:
            raise ValueError(
                f'invalid output_size "{sizes}" (dim {dim} must be between {each - step} and '
                f"{each + step})"
            )
    return sizes


def _check_places(input: Tensor, indices: Tensor, ndim: int, sizes: tuple) -> None:
    shown = 2 if ndim < 3 else 3
    if indices.dtype is not dtypes.int64:
        raise RuntimeError(
            f"elements in indices should be type int64 but got: {indices.dtype.legacy}"
        )
    if input.ndim not in (ndim + 1, ndim + 2):
        raise RuntimeError(
            f"Input to max_unpooling{shown}d should be a {shown + 1}d or {shown + 2}d Tensor, but "
            f"got a tensor with {input.ndim + (ndim == 1)} dimensions."
        )
    if input.shape != indices.shape:
        one = [1] if ndim == 1 else []
        raise RuntimeError(
            "Expected shape of indices to be same as that of the input tensor "
            f"({[*input.shape, *one]}) but got indices tensor with shape: "
            f"{[*indices.shape, *one]}"
        )
    if active.trace is None and indices.numel():
        wrong = indices[(indices < 0) | (indices >= prod(sizes))]
        if wrong.numel():
            volume = "x".join(map(str, (*sizes, 1) if ndim == 1 else sizes))
            raise RuntimeError(
                f"Found an invalid max index: {wrong[0].item()} (output volumes are of size "
                f"{volume})"
            )


def _unpooled(
    xp: Any,
    ndim: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_size: Any,
) -> Tensor:
    name = f"max_unpool{ndim}d"
    kernel = _per_dim(name, "kernel_size", kernel_size, ndim)
    stride = kernel if stride is None else _per_dim(name, "stride", stride, ndim)
    padding = _per_dim(name, "padding", padding, ndim)
    sizes = _output_size(tuple(input.shape), kernel, stride, padding, output_size)
    _check_places(input, indices, ndim, sizes)
    lead = tuple(input.shape[: input.ndim - ndim])
    count = prod(input.shape[input.ndim - ndim :])
    index, values = (reshape(each, (*lead, count)) for each in (indices, input))
    zeros = full((*lead, prod(sizes)), 0, input)
    return reshape(xp.scatter(zeros, len(lead), index, values), (*lead, *sizes))


# --- windows at random places
def _starts(xp: Any, samples: Tensor, size: int, kernel: int, count: int) -> Tensor:
    """Returns where the windows of one dimension begin, `(N, C, count)`, drawn by `samples`.

    Graham, Fractional Max-Pooling, 2014.
    """
    last = full((*samples.shape, 1), size - kernel, dtypes.int64)
    if count == 1:
        return last
    step = (size - kernel) / (count - 1)
    sample = unsqueeze(samples, -1)
    steps = arange(0, count - 1, 1, samples.dtype)
    first = xp.cast((sample + steps) * step, dtypes.int64) - xp.cast(sample * step, dtypes.int64)
    return xp.cat([first, last], first.ndim - 1)


def _fractional(
    xp: Any,
    ndim: int,
    input: Tensor,
    kernel_size: Any,
    output_size: Any,
    output_ratio: Any,
    return_indices: bool,
    samples: Any,
) -> Any:
    name = f"fractional_max_pool{ndim}d"
    if input.ndim not in (ndim + 1, ndim + 2):
        raise RuntimeError(
            f"{name}{'_out' * (ndim == 3)}(): Expected {ndim + 1}D or {ndim + 2}D tensor, but got: "
            f"{list(input.shape)}"
        )
    spatial = tuple(input.shape[input.ndim - ndim :])
    kernel = _per_dim(name, "kernel_size", kernel_size, ndim)
    counts = _counts(name, spatial, output_size, output_ratio)
    _check_windows(name, spatial, kernel, counts)
    batched = input.ndim == ndim + 2
    x = input if batched else unsqueeze(input, 0)
    batch, channels = x.shape[:2]
    if samples is None:
        samples = draw("uniform", (batch, channels, ndim), input.dtype, None, 0.0, 1.0)
    _check_samples(samples, batch, channels, ndim)
    place = None
    for dim in range(ndim):
        # The samples go from the last dimension to the first.
        column = samples[:, :, ndim - 1 - dim] if ndim == 2 else samples[:, :, dim]
        start = _starts(xp, column, spatial[dim], kernel[dim], counts[dim])
        line = unsqueeze(start, -1) + arange(0, kernel[dim], 1, dtypes.int64)
        shape = [batch, channels, *(1,) * (2 * ndim)]
        shape[2 + dim], shape[2 + ndim + dim] = counts[dim], kernel[dim]
        line = reshape(line, shape) * prod(spatial[dim + 1 :])
        place = line if place is None else place + line
    place = reshape(place, (batch, channels, prod(counts) * prod(kernel)))
    flat = reshape(x, (batch, channels, prod(spatial)))
    shown = reshape(xp.gather(flat, 2, place), (batch, channels, prod(counts), prod(kernel)))
    first = xp.argmax(shown.detach(), 3, True)
    chosen = xp.gather(reshape(place, shown.shape), 3, first)
    lead = (batch, channels) if batched else (channels,)
    values = reshape(xp.gather(shown, 3, first), (*lead, *counts))
    return (values, reshape(chosen, (*lead, *counts))) if return_indices else values


def _counts(name: str, spatial: tuple, output_size: Any, output_ratio: Any) -> tuple:
    if output_size is not None:
        return _per_dim(name, "output_size", output_size, len(spatial))
    if output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if len(output_ratio) > len(spatial):
        raise ValueError(
            f"{name} requires output_ratio to either be a single Int or tuple of Ints."
        )
    return tuple(int(n * ratio) for n, ratio in zip(spatial, output_ratio, strict=True))


def _check_windows(name: str, spatial: tuple, kernel: tuple, counts: tuple) -> None:
    names = ("time", "height", "width")[3 - len(spatial) :]
    strict = len(spatial) == 3
    for what, size, window, count in zip(names, spatial, kernel, counts, strict=True):
        if count + window - 1 + strict > size or count <= 0:
            raise RuntimeError(
                f"{name}{'_out' * strict}(): pool {what} {window} too large relative to input "
                f"{what} {size}"
            )


def _check_samples(samples: Tensor, batch: int, channels: int, ndim: int) -> None:
    if samples.ndim != 3:
        raise RuntimeError("Expect _random_samples to have 3 dimensions")
    for dim, wanted in enumerate((batch, channels, ndim)):
        if samples.shape[dim] != wanted:
            raise RuntimeError(
                f"Expect _random_samples.size({dim}) equals to {wanted}; got {samples.shape[dim]}."
            )


def _declare(ndim: int) -> None:
    def unpool(xp, input, indices, kernel_size, stride=None, padding=0, output_size=None):
        how = (kernel_size, stride, padding, output_size)
        return _unpooled(xp, ndim, input, indices, *how)

    def fractional(
        xp,
        input,
        kernel_size,
        output_size=None,
        output_ratio=None,
        return_indices=False,
        _random_samples=None,
    ):
        how = (kernel_size, output_size, output_ratio, return_indices, _random_samples)
        return _fractional(xp, ndim, input, *how)

    axes = ("L", "H, W", "D, H, W")[ndim - 1]
    unpool.__name__, fractional.__name__ = f"max_unpool{ndim}d", f"fractional_max_pool{ndim}d"
    unpool.__doc__ = f"""Puts maxima `(N, C, {axes})` back where `max_pool{ndim}d` found them.

    Raises ValueError for an `output_size` that no such pooling has, RuntimeError for wrong places.
    """
    fractional.__doc__ = f"""The largest element of each of some windows over `(N, C, {axes})`.

    The windows begin at random places, so that there are `output_size` of them, or `output_ratio`
    times the input's size. Raises RuntimeError for windows that do not fit.
    """
    composite(unpool, method=False, function=False)
    if ndim > 1:
        composite(fractional, method=False, function=False)


for _ndim in (1, 2, 3):
    _declare(_ndim)
