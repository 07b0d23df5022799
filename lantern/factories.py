"""More ways to make tensors: like another one, with strides of one's own, indices of triangles."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from . import dtypes, ops
from .autograd.mode import active
from .backends import NAMESPACES
from .compat.missing import torch_name
from .creation import checked_dtype, finish
from .device import CPU
from .device import device as Device
from .moving import default, placed, set_default
from .ops.creation import namespace
from .ops.index import nonzero_tuple
from .ops.memory import check_format, copy_as
from .shape import (
    Size,
    as_sizes,
    contiguous_strides,
    is_contiguous,
    kept_strides,
    memory_format,
    offsets_range,
    preserve_format,
    size_of,
)
from .tensor import Tensor, wrap
from .typed import TypedStorage
from .untyped import UntypedStorage

__all__ = [
    "broadcast_shapes",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "full_like",
    "get_default_device",
    "is_complex",
    "is_conj",
    "is_floating_point",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "is_storage",
    "is_tensor",
    "numel",
    "ones_like",
    "range_",
    "set_default_device",
    "tril_indices",
    "triu_indices",
    "typename",
    "zeros_like",
]


# --- like another tensor
def _like(name: str, value: float | None, text: str) -> Callable[..., Tensor]:
    @placed
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
                f"{name}(): argument 'input' (position 1) must be Tensor, not "
                f"{type(input).__name__}"
            )
        dtype = checked_dtype(dtype, name) or input.dtype
        fill = value
        if value is None:
            fill = dtypes.number_as(_fill_value(name, args, named), dtype)
        elif args or named:
            raise TypeError(f"{name}() takes 1 positional argument but {1 + len(args)} were given")
        if memory_format is preserve_format:
            return finish(_as_laid(input, fill, dtype), requires_grad)
        result = ops.full(input.shape, fill, dtype)
        check_format(name, memory_format, result)
        result = result if memory_format.order is None else copy_as(result, memory_format)
        return finish(result, requires_grad)

    make.__name__, make.__doc__ = name, text
    return make


def _fill_value(name: str, args: tuple, named: dict) -> Any:
    if len(args) == 1 and not named:
        return args[0]
    if not args and set(named) == {"fill_value"}:
        return named["fill_value"]
    raise TypeError(f'{name}() missing 1 required positional arguments: "fill_value"')


def _as_laid(input: Tensor, fill: Any, dtype: dtypes.dtype) -> Tensor:
    """Returns a tensor of one value whose dimensions lie in memory in the order of another's."""
    shape, strides = tuple(input.shape), input.stride()
    if is_contiguous(shape, strides):
        return ops.full(shape, fill, dtype)
    return _with_order(shape, kept_strides(shape, strides), fill, dtype)


def _with_order(shape: tuple, strides: tuple, fill: Any, dtype: dtypes.dtype) -> Tensor:
    order = sorted(range(len(shape)), key=lambda d: (-strides[d], -shape[d]))
    inverse = [order.index(d) for d in range(len(shape))]
    value = namespace().full(tuple([shape[d] for d in order]), fill, dtype)
    return wrap(namespace().permute(value, tuple(inverse)))


zeros_like = _like("zeros_like", 0, "Zeros in the shape, dtype and memory order of a tensor.")
ones_like = _like("ones_like", 1, "Ones in the shape, dtype and memory order of a tensor.")
empty_like = _like("empty_like", 0, "As `zeros_like`, where the values do not matter.")
full_like = _like("full_like", None, "One value in the shape, dtype and memory order of a tensor.")


# --- with strides
@placed
def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor with the sizes and strides given, whose values do not matter.

    Raises RuntimeError for negative sizes and for strides of another number of dimensions.

    >>> import lantern
    >>> lantern.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    dtype = checked_dtype(dtype, "empty_strided") or dtypes.get_default_dtype()
    size, stride = (
        as_sizes((size,), "empty_strided"),
        as_sizes((stride,), "empty_strided", "stride"),
    )
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides "
            f"({len(stride)})"
        )
    _refuse_negative(size)
    if any(each < 0 for each in stride):
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={list(size)} and "
            f"strides={list(stride)}"
        )
    memory = ops.full((offsets_range(size, stride),), 0, dtype)
    if active.trace is not None:
        return finish(ops.as_strided(memory, size, stride, 0), requires_grad)
    array = NAMESPACES[type(memory._array)].window(memory._array, size, stride, 0)
    return finish(wrap(array), requires_grad)


def _refuse_negative(size: tuple) -> None:
    for each in size:
        if each < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {each}: {list(size)}"
            )


@placed
def empty_permuted(
    size: Any,
    physical_layout: Any,
    *,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor whose dimensions lie in memory in the order given; its values do not matter.

    >>> import lantern
    >>> lantern.empty_permuted((2, 3, 4), (2, 0, 1)).stride()
    (3, 1, 6)
    """
    dtype = checked_dtype(dtype, "empty_permuted") or dtypes.get_default_dtype()
    size, order = as_sizes((size,), "empty_permuted"), as_sizes((physical_layout,))
    if len(size) != len(order):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(size)} is not equal to len(physical_layout) = {len(order)}"
        )
    if any(not 0 <= each < len(size) for each in order):
        raise RuntimeError("Dimension out of range in physical_layout")
    if len(set(order)) != len(order):
        raise RuntimeError("Duplicate dim not allowed")
    _refuse_negative(size)
    packed = contiguous_strides([size[d] for d in order])
    strides = [packed[order.index(d)] for d in range(len(size))]
    return empty_strided(size, strides, dtype=dtype, requires_grad=requires_grad)


# --- ranges and indices
@placed
def range_(
    start: float = 0,
    end: float | None = None,
    step: float = 1,
    *,
    out: Tensor | None = None,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from `start` to `end`, which may be one of them; `arange` is to be preferred."""
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior "
        "is inconsistent with Python's range builtin. Instead, use torch.arange, which produces "
        "values in [start, end).",
        UserWarning,
        stacklevel=3,
    )
    if end is None:
        raise TypeError('range() missing 1 required positional arguments: "end"')
    dtype = checked_dtype(dtype, "range") or dtypes.get_default_dtype()
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    count = int((end - start) / step) + 1
    places = ops.arange(0, count, 1, dtypes.int64)
    values = ops.cast(places, dtypes.float64) * float(step) + float(start)
    return finish(ops.cast(values, dtype), requires_grad, out)


def _triangle_indices(name: str, keeps: str, text: str) -> Callable[..., Tensor]:
    @placed
    def make(
        row: int,
        col: int,
        offset: int = 0,
        *,
        dtype: dtypes.dtype | None = dtypes.int64,
        layout: Any = None,
        device: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        for side, size in (("row", row), ("col", col)):
            if size < 0:
                raise RuntimeError(f"{side} must be non-negative, got{size}")
        dtype = checked_dtype(dtype, name) or dtypes.int64
        if dtype not in (dtypes.int64, dtypes.int32):
            raise NotImplementedError(f"\"{name}\" not implemented for '{dtype.legacy}'")
        rows = ops.reshape(ops.arange(0, row, 1, dtypes.int64), (row, 1))
        columns = ops.arange(0, col, 1, dtypes.int64)
        places = getattr(ops, keeps)(columns, rows + offset)
        found = nonzero_tuple(places)
        return ops.cast(ops.stack(list(found), 0), dtype)

    make.__name__, make.__doc__ = name, text
    return make


tril_indices = _triangle_indices(
    "tril_indices",
    "le",
    """The places (row, column) on and below a diagonal of a matrix, as the columns of a matrix.

    >>> import lantern
    >>> lantern.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """,
)
triu_indices = _triangle_indices(
    "triu_indices",
    "ge",
    """The places (row, column) on and above a diagonal of a matrix, as the columns of a matrix.

    >>> import lantern
    >>> lantern.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """,
)


# --- questions
def is_tensor(obj: Any) -> bool:
    """Says whether an object is a tensor."""
    return isinstance(obj, Tensor)


def is_storage(obj: Any, /) -> bool:
    """Says whether an object is the memory under tensors."""
    return isinstance(obj, (TypedStorage, UntypedStorage))


def typename(obj: Any, /) -> str:
    """Returns PyTorch's name for the type of a tensor, else the full name of a class.

    >>> typename(Tensor([1.0])), typename(3)
    ('torch.FloatTensor', 'int')
    """
    if isinstance(obj, Tensor):
        return obj.type()
    named = obj if hasattr(obj, "__qualname__") or hasattr(obj, "__name__") else type(obj)
    module = torch_name(getattr(named, "__module__", None) or "")
    name = getattr(named, "__qualname__", None) or named.__name__
    return name if module in ("", "builtins") else f"{module}.{name}"


def _tensor(name: str, input: Any) -> Tensor:
    if not isinstance(input, Tensor):
        raise TypeError(
            f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    return input


def numel(input: Tensor) -> int:
    """Returns the number of elements."""
    return _tensor("numel", input).numel()


def is_nonzero(input: Tensor) -> bool:
    """Says whether the one element is not zero; raises RuntimeError if there are more."""
    return bool(_tensor("is_nonzero", input))


def is_floating_point(input: Tensor) -> bool:
    """Says whether the elements are floating point numbers."""
    return _tensor("is_floating_point", input).is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Says whether the elements are complex numbers."""
    return _tensor("is_complex", input).is_complex()


def is_signed(input: Tensor) -> bool:
    """Says whether the type of the elements has negative values."""
    return _tensor("is_signed", input).is_signed()


def is_conj(input: Tensor) -> bool:
    """Says whether the conjugate of a tensor is still to be taken; never here."""
    return _tensor("is_conj", input).is_conj()  # type: ignore[attr-defined]


def get_default_device() -> Device:
    """Returns the device that new tensors are put on."""
    return default.device or CPU


def set_default_device(device: Any) -> None:
    """Sets the device that new tensors are put on; raises where this machine has no such device."""
    set_default(device)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Says whether two tensors have the same shape."""
    return _tensor("is_same_size", input).shape == _tensor("is_same_size", other).shape


def broadcast_shapes(*shapes: Any) -> Size:
    """Returns the common shape of tensors of these shapes; a number is a shape of one dimension.

    Raises RuntimeError where there is none.

    >>> import lantern
    >>> lantern.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    lists = [(each,) if isinstance(each, int) else tuple(each) for each in shapes]
    ndim = max(map(len, lists), default=0)
    result = [1] * ndim
    for place, shape in enumerate(lists):
        for i, size in enumerate(reversed(shape), 1):
            if size < 0:
                raise ValueError("Attempting to broadcast a dimension with negative length!")
            if size == 1 or size == result[-i]:
                continue
            if result[-i] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {size} at {-i}! Mismatching "
                    f"argument at index {place} had {shape}; but expected shape should be "
                    f"broadcastable to {result}"
                )
            result[-i] = size
    return size_of(result)
