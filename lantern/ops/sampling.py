"""Random draws, taken from a generator at the moment the op runs (under trace: at each run)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.mode import active, mode
from ..autograd.views import assign, check_writable, write_inplace
from ..tensor import Tensor, wrap
from .creation import namespace
from .layout import expand
from .pointwise import cast, copy


class _Source:
    """Holds the generator of draws that name none; `lantern.random` puts it here."""

    generator: Any = None


source = _Source()


def draw(kind, shape, dtype, generator, *parameters):
    """A tensor of draws of one kind (`uniform`, `normal`, ...) from a generator.

    The kinds are the methods of `backends.mt19937.MT19937`; parameters may be tensors.
    """
    generator = source.generator if generator is None else generator
    parameters = tuple(map(_value, parameters))
    return wrap(namespace().draw(kind, tuple(shape), dtype, generator, *parameters))


def _value(parameter: Any) -> Any:
    if not isinstance(parameter, Tensor):
        return parameter
    return parameter._array if active.trace is None else active.trace.read(parameter)


def memory_order(shape: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """Returns the dimensions from the outermost in memory to the innermost.

    A dimension of stride 0 stays where it is; of equal strides the smaller size comes last.
    """
    order = list(range(len(shape)))
    for end in range(len(shape) - 2, -1, -1):
        place = end
        for other in range(end + 1, len(shape)):
            here, there = order[place], order[other]
            if 0 in (strides[here], strides[there]):
                continue
            if (strides[here], shape[here]) >= (strides[there], shape[there]):
                if strides[here] > strides[there]:
                    break
                continue
            order[place], order[other] = there, here
            place = other
    return tuple(order)


def draw_like(tensor: Tensor, kind: str, dtype: Any, generator: Any, *parameters: Any) -> Tensor:
    """Draws in the shape of a tensor, taken and laid out in the order of its memory."""
    shape = tensor.shape
    if tensor.is_contiguous():
        return draw(kind, shape, dtype, generator, *parameters)
    order = memory_order(shape, tensor.stride())
    inward = range(len(shape))
    if kind == "normal":
        parameters = (*parameters, order == tuple(inward))
    parameters = tuple(p.permute(order) if isinstance(p, Tensor) else p for p in parameters)
    drawn = draw(kind, [shape[d] for d in order], dtype, generator, *parameters)
    return wrap(namespace().permute(_value(drawn), tuple(order.index(d) for d in inward)))


def fill(tensor: Tensor, kind: str, generator: Any, *parameters: Any) -> Tensor:
    """Writes draws into a tensor, in the order of its memory; its history ends here."""
    check_writable(tensor)
    if kind == "normal" and not tensor.is_contiguous():
        parameters = (*parameters, False)  # PyTorch then draws one by one, even if it is dense
        drawn = _in_order(tensor, kind, generator, parameters)
    else:
        drawn = draw_like(tensor, kind, tensor.dtype, generator, *parameters)
    if mode.enabled and tensor.requires_grad:
        return write_inplace(copy, tensor, (drawn,), {})
    return assign(tensor, drawn)
