"""More ways to make tensors: like another one, with strides of one's own, indices of triangles."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from . import creation, dtypes, ops
from .backends import NAMESPACES
from .creation import checked_dtype, finish
from .device import as_device
from .ops.memory import check_format, copy_as, memory_view
from .ops.scatter import gather as gather  # the ops must be there before views are made
from .shape import (
    as_sizes,
    contiguous_strides,
    is_contiguous,
    kept_strides,
    memory_format,
    offsets_range,
    preserve_format,
)
from .shape import Size as Size
from .tensor import Tensor

__all__ = [
    "broadcast_shapes",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "full_like",
    "is_nonzero",
    "is_same_size",
    "is_tensor",
    "numel",
    "ones_like",
    "range",
    "tril_indices",
    "triu_indices",
    "zeros_like",
]


# --- like another tensor
def _like(name: str, value: float | None, text: str) -> Callable[..., Tensor]:
    def make(
        input: Tensor,
        *args: Any,
        dtype: dtypes.dtype | None = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: memory_format = preserve_format,
        **named: Any,
    ) -> Tensor:
        if not isinstance(input, Tensor):
            raise TypeError(
                f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
            )
        if device is not None:
            as_device(device)
        dtype = input.dtype if dtype is None else checked_dtype(dtype, name)
        fill = value
        if value is None:
            fill = dtypes.number_as(*_fill_value(name, args, named), dtype)
        result = ops.full(input.shape, fill, dtype)
        if memory_format is preserve_format:
            strides = input.stride()
            if not is_contiguous(input.shape, strides):
                result = _relaid(result, kept_strides(input.shape, strides))
        else:
            check_format(name, memory_format, result)
            result = result if memory_format.order is None else copy_as(result, memory_format)
        return finish(result, requires_grad)

    make.__name__, make.__doc__ = name, text
    return make


def _fill_value(name: str, args: tuple, named: dict) -> tuple:
    if len(args) == 1 and not named:
        return args
    if not args and set(named) == {"fill_value"}:
        return (named["fill_value"],)
    raise TypeError(f'{name}() missing 1 required positional arguments: "fill_value"')


def _relaid(result: Tensor, strides: tuple[int, ...]) -> Tensor:
    """Returns a tensor of one value everywhere in memory with other strides."""
    order = sorted(_count(len(strides)), key=lambda d: -strides[d])
    inverse = [order.index(d) for d in _count(len(strides))]
    shape = [result.shape[d] for d in order]
    return ops.contiguous_as(ops.reshape(result, shape), tuple(inverse))


_count = __builtins__["range"] if isinstance(__builtins__, dict) else __builtins__.range
