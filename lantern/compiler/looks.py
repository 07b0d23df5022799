"""Ways to see memory: what a movement makes of an offset and strides, without moving anything."""

from __future__ import annotations

from typing import NamedTuple

from ..shape import view_strides
from .ir import Value


class Look(NamedTuple):
    """A way to see the memory of `leaf`: where to start and how far apart, in elements."""

    leaf: Value
    offset: int
    strides: tuple[int, ...]


def aligned_strides(look: Look, shape: tuple[int, ...], space: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the strides of a look along `space`, 0 where it is broadcast."""
    strides = [0 if size == 1 else s for size, s in zip(shape, look.strides, strict=True)]
    lead = len(space) - len(shape)
    return (0,) * lead + tuple(strides[max(-lead, 0) :])


def is_static(index: tuple) -> bool:
    """Says whether an index holds only ints, slices and None."""
    return not any(isinstance(each, Value) for each in index)


def moved(look: Look, shape: tuple[int, ...], value: Value) -> Look | None:
    """Returns the look of a movement of something seen by `look`, or None where there is none."""
    leaf, offset, strides = look
    name, args = value.name, value.args
    if name == "reshape":
        new = view_strides(shape, strides, args[1])
        return None if new is None else Look(leaf, offset, tuple(new))
    if name == "permute":
        return Look(leaf, offset, tuple(strides[d] for d in args[1]))
    if name == "expand":
        return Look(leaf, offset, aligned_strides(look, shape, tuple(args[1])))
    if name == "flip":
        dims = [d % len(shape) for d in args[1]]
        offset += sum((shape[d] - 1) * strides[d] for d in dims if shape[d])
        return Look(leaf, offset, tuple(-s if d in dims else s for d, s in enumerate(strides)))
    if name == "windows":
        return windows_of(look, *args[1:])
    if name == "diagonal":
        return _diagonal(look, shape, value)
    return indexed(look, shape, args[1]) if is_static(args[1]) else None


def windows_of(look: Look, size: tuple, stride: tuple, dilation: tuple) -> Look:
    """Returns the look at the windows over the last dimensions."""
    leaf, offset, strides = look
    lead, steps = strides[: -len(size)], strides[-len(size) :]
    inside = [s * d for s, d in zip(steps, dilation, strict=True)]
    return Look(
        leaf, offset, (*lead, *inside, *(s * t for s, t in zip(steps, stride, strict=True)))
    )


def _diagonal(look: Look, shape: tuple[int, ...], value: Value) -> Look:
    _, shift, dim1, dim2 = value.args
    dim1, dim2 = dim1 % len(shape), dim2 % len(shape)
    leaf, offset, strides = look
    offset += shift * strides[dim2] if shift > 0 else -shift * strides[dim1]
    rest = [s for d, s in enumerate(strides) if d not in (dim1, dim2)]
    return Look(leaf, offset, (*rest, strides[dim1] + strides[dim2]))


def indexed(look: Look, shape: tuple[int, ...], index: tuple) -> Look:
    """Returns the look through an index of ints, slices and None."""
    leaf, offset, strides = look
    result: list[int] = []
    axis = 0
    for each in index:
        if each is None:
            result.append(0)
            continue
        if isinstance(each, slice):
            start, _, step = each.indices(shape[axis])
            offset += start * strides[axis] if shape[axis] else 0
            result.append(step * strides[axis])
        else:
            offset += (each + shape[axis] if each < 0 else each) * strides[axis]
        axis += 1
    return Look(leaf, offset, (*result, *strides[axis:]))
