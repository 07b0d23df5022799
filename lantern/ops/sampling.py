"""Random draws, taken from a generator at the moment the op runs (under trace: at each run)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.mode import active, mode
from ..autograd.views import assign, check_single, check_writable, write_inplace
from ..shape import memory_order
from ..tensor import Tensor, wrap
from .creation import namespace
from .pointwise import cast, copy
from .views import expand, permute


class _Source:
    """Holds the generator of draws that name none; `lantern.random` puts it here."""

    generator: Any = None


source = _Source()


def draw(kind: str, shape: Sequence[int], dtype: Any, generator: Any, *parameters: Any) -> Tensor:
    """A tensor of draws of one kind (`uniform`, `normal`, ...) from a generator.

    The kinds are the methods of `backends.mt19937.MT19937`; parameters may be tensors.
    """
    generator = source.generator if generator is None else generator
    if parameters:
        parameters = tuple([_value(x) if isinstance(x, Tensor) else x for x in parameters])
    return wrap(namespace().draw(kind, tuple(shape), dtype, generator, *parameters))


def _value(tensor: Tensor) -> Any:
    return tensor._array if not (active.recording and active.trace) else active.trace.read(tensor)


def fill(tensor: Tensor, kind: str, generator: Any, *parameters: Any) -> Tensor:
    """Writes draws into a tensor, in the order of its memory."""
    check_writable(tensor)
    check_single(tensor)
    if kind == "normal":  # PyTorch draws normals one by one where memory has gaps
        parameters = (*parameters, tensor.is_contiguous())
    drawn = _in_order(tensor, kind, tensor.dtype, generator, parameters)
    if mode.enabled and tensor.requires_grad:
        return write_inplace(copy, tensor, (drawn,), {})
    return assign(tensor, drawn)


def draw_like(tensor: Tensor, kind: str, dtype: Any, generator: Any, *parameters: Any) -> Tensor:
    """Draws in the shape of a tensor, laid out in memory as that is but without gaps."""
    if kind == "normal":
        parameters = (*parameters, tensor.is_contiguous() or _is_outward(tensor))
    return _in_order(tensor, kind, dtype, generator, parameters)


def _is_outward(tensor: Tensor) -> bool:
    """Says whether dimensions follow each other in memory, though there may be gaps."""
    outward = [d for d in memory_order(tensor.shape, tensor.stride()) if tensor.shape[d] != 1]
    return outward == sorted(outward)


def _in_order(tensor: Tensor, kind: str, dtype: Any, generator: Any, parameters: tuple) -> Tensor:
    shape = tensor.shape
    if tensor.is_contiguous():
        return draw(kind, shape, dtype, generator, *parameters)
    order = memory_order(shape, tensor.stride())
    parameters = tuple(permute(p, order) if isinstance(p, Tensor) else p for p in parameters)
    drawn = draw(kind, [shape[d] for d in order], dtype, generator, *parameters)
    inverse = tuple(order.index(d) for d in range(len(order)))
    return wrap(namespace().permute(_value(drawn), inverse))


def without_slope(drawn: Tensor, *tensors: Any) -> Tensor:
    """Returns draws as results of tensors that they depend on, but with a gradient of zero."""
    for each in tensors:
        if isinstance(each, Tensor) and mode.enabled and each.requires_grad:
            drawn = copy(cast(expand(each, drawn.shape), drawn.dtype), drawn)
    return drawn
