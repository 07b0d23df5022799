"""Padding: with a constant, or with what a mirror, the edge or the other end shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..op import KEEP, composite, op
from .layout import at

Pads = tuple[tuple[int, int], ...]  # before and after, of each dimension


def _pairs(pad: Sequence[int], ndim: int) -> Pads:
    """Returns the padding of each dimension; `pad` lists it from the last dimension on."""
    count = len(pad) // 2
    pairs = [(pad[2 * i], pad[2 * i + 1]) for i in range(count)]
    return ((0, 0),) * (ndim - count) + tuple(reversed(pairs))


def _cropped(xp, x, pads):
    """Returns the part of `x` that negative paddings leave."""
    if all(low >= 0 and high >= 0 for low, high in pads):
        return x
    index = tuple(
        slice(max(-low, 0), size - max(-high, 0))
        for size, (low, high) in zip(x.shape, pads, strict=True)
    )
    return xp.getitem(x, index)


def _filled(xp, x, pads, value):
    """Returns `x` within a frame of one value; negative paddings take away instead."""
    x = _cropped(xp, x, pads)
    grown = [(max(low, 0), max(high, 0)) for low, high in pads]
    if not any(low or high for low, high in grown):
        return xp.clone(x)
    shape = tuple(low + n + high for n, (low, high) in zip(x.shape, grown, strict=True))
    index = tuple(slice(low, low + n) for n, (low, _) in zip(x.shape, grown, strict=True))
    return xp.put(xp.full(shape, value, x), index, x)


@op(promote=KEEP, method=False, public=False)
def constant_pad_nd(xp, input, pad, fill):
    """The tensor in a frame of one value; `pad` goes from the last dimension to the first."""
    _check_length(pad, input.ndim)
    pads = _pairs(pad, input.ndim)
    for size, (low, high) in zip(input.shape, pads, strict=True):
        if size + min(low, 0) < 0 or size + min(high, 0) < 0 or size + low + high < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
    if input.dtype.kind in "iub":
        fill = int(fill)
    return _filled(xp, input, pads, fill)


def _check_length(pad: Sequence[int], ndim: int) -> None:
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(pad)} and input of dimension {ndim}"
        )


constant_pad_nd.vjp(
    input=lambda xp, g, pad: _filled(xp, g, _pairs([-each for each in pad], g.ndim), 0)
)


# --- by what is there
def _side(mode: str, size: int, count: int, after: bool) -> slice:
    """Returns which elements of a dimension are shown beyond one of its ends."""
    if mode == "reflect":
        return slice(size - 1 - count, size - 1) if after else slice(1, count + 1)
    if mode == "replicate":
        return slice(size - 1, size) if after else slice(0, 1)
    return slice(0, count) if after else slice(size - count, size)


def _shown(xp, x, mode, dim, count, after):
    """Returns what is put at one end of a dimension."""
    part = xp.getitem(x, at(dim, _side(mode, x.shape[dim], count, after)))
    if mode == "reflect":
        return xp.flip(part, (dim,))
    if mode == "replicate":
        return xp.expand(part, (*x.shape[:dim], count, *x.shape[dim + 1 :]))
    return part


@op(packed="always", promote=KEEP, method=False, public=False)
def edge_pad(xp, input, pad, mode):
    """The tensor continued beyond its ends."""
    pads = _pairs(pad, input.ndim)
    result = _cropped(xp, input, pads) if mode == "circular" else input
    for dim, (low, high) in enumerate(pads):
        parts = [result]
        if low > 0:
            parts.insert(0, _shown(xp, result, mode, dim, low, False))
        if high > 0:
            parts.append(_shown(xp, result, mode, dim, high, True))
        if len(parts) > 1:
            result = xp.cat(parts, dim)
    result = result if mode == "circular" else _cropped(xp, result, pads)
    return xp.clone(result) if result is input else result


def _given_back(xp, g, mode, dim, low, high):
    """Returns the gradient of a tensor that was continued along one dimension."""
    low, high = max(low, 0), max(high, 0)
    if not low and not high:
        return g
    size = g.shape[dim] - low - high
    total = xp.getitem(g, at(dim, slice(low, low + size)))
    for count, start, after in ((low, 0, False), (high, low + size, True)):
        if not count:
            continue
        part = xp.getitem(g, at(dim, slice(start, start + count)))
        if mode == "reflect":
            part = xp.flip(part, (dim,))
        elif mode == "replicate":
            part = xp.sum(part, (dim,), True)
        where = _side(mode, size, count, after)
        frame = [(0, 0)] * g.ndim
        frame[dim] = (where.start, size - where.stop)
        total = total + _filled(xp, part, frame, 0)
    return total


def _edge_gradient(xp, g, pad, mode):
    pads = _pairs(pad, g.ndim)
    uncropped = [(max(-low, 0), max(-high, 0)) for low, high in pads]
    if mode != "circular":
        g = _filled(xp, g, uncropped, 0)
    for dim in reversed(range(g.ndim)):
        g = _given_back(xp, g, mode, dim, *pads[dim])
    return _filled(xp, g, uncropped, 0) if mode == "circular" else g


def _edge_name(node: Any) -> str:
    padding, mode = node.values
    if mode == "circular":
        return "torch::autograd::CopySlices"
    kind = {"reflect": "Reflection", "replicate": "Replication"}[mode]
    return f"{kind}Pad{len(padding) // 2}DBackward0"


edge_pad.vjp(input=_edge_gradient)
edge_pad._grad_name = _edge_name


@composite(method=False, function=False, numbers="value")
def pad(xp, input, pad, mode="constant", value=None):
    """The tensor continued at its ends: 'constant', 'reflect', 'replicate' or 'circular'.

    `pad` holds two lengths per dimension, before and after, from the last dimension on; negative
    ones take elements away. Raises RuntimeError where the tensor is too small for them.

    >>> import lantern
    >>> lantern.nn.functional.pad(lantern.tensor([[1.0, 2.0, 3.0]]), (1, 1), mode="reflect")
    tensor([[2., 1., 2., 3., 2.]])
    """
    pad = _whole_numbers(pad)
    _check_length(pad, input.ndim)
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    count = len(pad) // 2
    if count not in (1, 2, 3) or input.ndim not in (count + 1, count + 2):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {input.ndim}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    _check_sizes(input.shape, pad, mode)
    return edge_pad(input, pad, mode)


def _whole_numbers(pad: Any) -> tuple[int, ...]:
    for place, each in enumerate(pad, 1):
        if not hasattr(each, "__index__"):
            raise TypeError(
                f"pad(): argument 'pad' failed to unpack the object at pos {place} with error "
                f'"type must be tuple of ints,but got {type(each).__name__}"'
            )
    return tuple(each.__index__() for each in pad)


def _check_sizes(shape: Sequence[int], pad: Sequence[int], mode: str) -> None:
    """Raises RuntimeError where a tensor is too small to be continued so far."""
    count = len(pad) // 2
    batched = len(shape) == count + 2
    if mode != "circular" and 0 in shape[1 if batched else 0 :]:
        raise RuntimeError(
            f"Expected {count + 1}D or {count + 2}D (batch mode) tensor with possibly 0 batch size "
            f"and other non-zero dimensions for input, but got: {list(shape)}"
        )
    for i in range(count):
        dim = len(shape) - 1 - i
        size, low, high = shape[dim], pad[2 * i], pad[2 * i + 1]
        total = size + low + high
        if mode == "reflect" and (low >= size or high >= size):
            raise RuntimeError(
                f"Argument #{4 + 2 * i}: Padding size should be less than the corresponding input "
                f"dimension, but got: padding ({low}, {high}) at dimension {dim} of input "
                f"{list(shape)}"
            )
        if mode == "circular" and (low > size or high > size):
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if mode == "circular" and total < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
        if mode != "circular" and total < 1:
            raise RuntimeError(
                f"input ({'WHD'[i]}: {size}) is too small. Calculated output {'WHD'[i]}: {total}"
            )
