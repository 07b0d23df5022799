"""Where the eager result of a value would lie in memory: its strides and offset, in elements.

Recording needs to know, for whether `reshape` makes a view or a copy depends on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..backends.vocabulary import POINTWISE, VOCABULARY
from ..shape import (
    contiguous_strides,
    dense_strides,
    is_contiguous,
    kept_strides,
    spread_strides,
    view_strides,
)

if TYPE_CHECKING:
    from .ir import Value

Place = tuple[tuple[int, ...], int]


def place_of(value: Value) -> Place:
    """Returns the strides of a value and its offset from the start of the memory it lies in."""
    rule = RULES.get(value.name)
    if rule is not None:
        return rule(value, *value.args)
    if value.name in VOCABULARY and VOCABULARY[value.name].kind in POINTWISE:
        return _pointwise(value), 0
    return contiguous_strides(value.shape), 0


def _permute(value: Value, x: Value, dims: Any) -> Place:
    strides, offset = x.memory
    return tuple([strides[d] for d in dims]), offset


def _expand(value: Value, x: Value, shape: Any) -> Place:
    strides, offset = x.memory
    lead = len(shape) - x.ndim
    kept = [
        0 if have != want else stride
        for have, want, stride in zip(x.shape, shape[lead:], strides, strict=True)
    ]
    for i in reversed(range(lead)):
        outer = shape[i + 1] * kept[0] if kept else 1
        kept.insert(0, outer if shape[i] == 1 else 0)
    return tuple(kept), offset


def _reshape(value: Value, x: Value, shape: Any) -> Place:
    strides, offset = x.memory
    found = view_strides(x.shape, strides, shape)
    return (contiguous_strides(shape), 0) if found is None else (found, offset)


def _getitem(value: Value, x: Value, index: Any) -> Place:
    strides, offset = x.memory
    result: list[int] = []
    dim = 0
    for each in index:
        if hasattr(each, "shape"):
            return contiguous_strides(value.shape), 0
        if each is None:
            result.append(x.shape[dim] * strides[dim] if dim < x.ndim else 1)
            continue
        if isinstance(each, slice):
            start, _, step = each.indices(x.shape[dim])
            result.append(strides[dim] * step)
        else:
            start = each + x.shape[dim] if each < 0 else each
        offset += start * strides[dim]
        dim += 1
    return (*result, *strides[dim:]), offset


def _diagonal(value: Value, x: Value, start: int, dim1: int, dim2: int) -> Place:
    strides, offset = x.memory
    rest = [stride for i, stride in enumerate(strides) if i not in (dim1, dim2)]
    if value.shape[-1]:
        offset += start * strides[dim2] if start >= 0 else -start * strides[dim1]
    return (*rest, strides[dim1] + strides[dim2]), offset


def _same(value: Value, x: Value, *rest: Any) -> Place:
    return x.memory


def _replaced(value: Value, x: Value, *rest: Any) -> Place:
    return kept_strides(x.shape, x.memory[0]), 0


def _pointwise(value: Value) -> tuple[int, ...]:
    """Returns the strides of a result whose dimensions lie in the order of its operands'."""
    shape = value.shape
    operands = [(each.shape, each.memory[0]) for each in value.operands()]
    if all(known == shape and is_contiguous(known, strides) for known, strides in operands):
        return contiguous_strides(shape)
    if len(operands) == 1:
        return kept_strides(*operands[0])
    lists = [spread_strides(known, strides, shape) for known, strides in operands]
    return dense_strides(shape, lambda inner, outer: _compare(shape, lists, inner, outer))


def _compare(shape: Any, lists: Any, inner: int, outer: int) -> int:
    """Says whether two dimensions stand right (-1), wrong (1) or either way (0).

    As in NumPy, operands that disagree leave them as they are in row-major order.
    """
    verdict = 0
    for strides in lists:
        a, b = strides[inner], strides[outer]
        if a and b:
            if a < b or (a == b and shape[inner] <= shape[outer]):
                return -1
            verdict = 1
    return verdict


RULES: dict[str, Callable[..., Place]] = {
    "permute": _permute,
    "expand": _expand,
    "reshape": _reshape,
    "getitem": _getitem,
    "diagonal": _diagonal,
    "put": _replaced,
    "flip": _replaced,
    "cumsum": _replaced,
    "cumprod": _replaced,
    "argcummax": _replaced,
    "argcummin": _replaced,
    "clone": _replaced,
    "cast": _replaced,
}
