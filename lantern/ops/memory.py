"""Views of the memory itself, and copies that lie in it as asked."""

from __future__ import annotations

from math import prod

from ..backends import NAMESPACES
from ..dtypes import int64
from ..op import KEEP, composite, op
from ..shape import as_sizes, contiguous_format, memory_format, offsets_range
from ..view_op import memory, view
from .views import alias as alias
from .views import inverse_order


@memory(method=False, function=False)
def memory_view(xp, input, size, stride, storage_offset, geometry):
    """The memory that `input` lies in by `geometry`, seen with other sizes and strides."""
    flat = _memory(xp, input, geometry)
    return xp.as_strided(flat, size, stride, storage_offset)


def _places(xp, size, stride, offset):
    """Returns the places in memory of all elements, in the shape `size`."""
    total = xp.full(size, offset, int64)
    for i, (length, step) in enumerate(zip(size, stride, strict=True)):
        along = xp.arange(0, length, 1, int64) * step
        total = total + xp.reshape(along, (length, *(1,) * (len(size) - i - 1)))
    return total


def _memory(xp, value, geometry):
    """Returns the memory as one row; places that no element lies at hold 0."""
    shape, strides, offset, length = geometry
    flat = xp.full((length,), 0, value)
    return xp.put(flat, (_places(xp, shape, strides, offset),), value)


@memory_view.putting
def _(xp, base, value, size, stride, storage_offset, geometry):
    shape, strides, offset, _ = geometry
    flat = _memory(xp, base, geometry)
    flat = xp.put(flat, (_places(xp, size, stride, storage_offset),), value)
    return xp.getitem(flat, (_places(xp, shape, strides, offset),))


def _memory_gradient(xp, g, size, stride, storage_offset, geometry):
    shape, strides, offset, length = geometry
    zeros = xp.full((length,), 0, g)
    flat = xp.put_add(zeros, (_places(xp, size, stride, storage_offset),), g)
    mine = (_places(xp, shape, strides, offset),)
    if offsets_range(shape, strides) < prod(shape):  # several elements share a place
        ones = xp.put_add(zeros, mine, xp.full(shape, 1, g))
        flat = flat / xp.maximum(ones, xp.full((length,), 1, g))
    return xp.getitem(flat, mine)


memory_view.overlaps = True
memory_view.vjp(input=_memory_gradient)
memory_view._grad_name = "AsStridedBackward0"


@composite
def as_strided(xp, input, size, stride, storage_offset=None):
    """The storage of `input` seen with any shape and strides, in elements.

    Raises RuntimeError where that would lie outside of the storage.

    >>> import lantern
    >>> lantern.arange(5).as_strided((2, 3), (1, 1))
    tensor([[0, 1, 2],
            [1, 2, 3]])
    """
    size, stride = as_sizes((size,), "as_strided"), as_sizes((stride,), "as_strided", "stride")
    offset = input.storage_offset() if storage_offset is None else storage_offset
    _check_strided(input, size, stride, offset)
    return memory_view.show(input, (size, stride, offset))


def _check_strided(input, size, stride, offset):
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(each < 0 for each in stride):
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
    if any(each < 0 for each in size):
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={list(size)} and "
            f"strides={list(stride)}"
        )
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    storage = input._storage.array
    have = offsets_range(*NAMESPACES[type(storage)].extent(storage)) * storage.itemsize
    need = offsets_range(size, stride)
    if need and (offset + need) * storage.itemsize > have:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and "
            f"itemsize {storage.itemsize} requiring a storage size of "
            f"{(offset + need) * storage.itemsize} are out of bounds for storage of size {have}"
        )


def strided_values(x, size, stride, storage_offset):
    """Returns the elements of `x`, taken as one row, seen with sizes and strides."""
    return as_strided(copied(x), size, stride, storage_offset)


@op(promote=KEEP, method=False, numbers="value")
def fill(xp, input, value):
    """A tensor of the shape and dtype of `input` with one value everywhere."""
    if not hasattr(value, "shape"):
        return xp.full(input.shape, value, input)
    return xp.clone(xp.expand(xp.cast(value, xp.dtype_of(input)), input.shape))


fill.vjp(
    input=lambda xp, g: xp.full(g.shape, 0, g),
    value=lambda xp, g, value_dtype: xp.cast(xp.sum(g, None, False), value_dtype),
)
fill.uniform = True


@view(method=False, function=False, differentiable=False)
def bitcast(xp, input, dtype):
    """The same bits as numbers of another dtype."""
    return xp.bitcast(input, dtype)


@bitcast.preparing
def _(input, dtype):
    mine = NAMESPACES[type(input)].dtype_of(input)
    old, new = mine.itemsize, dtype.itemsize
    if old == new:
        return (dtype,)
    shown = f"to view {mine.legacy} as {dtype.legacy} (different element sizes)"
    if not input.ndim:
        raise RuntimeError(f"self.dim() cannot be 0 {shown}")
    strides = [each // old for each in input.strides]
    ratio = max(new // old, 1)
    if input.shape[-1] % ratio:
        raise RuntimeError(
            f"self.size(-1) must be divisible by {ratio} {shown}, but got {input.shape[-1]}"
        )
    if strides[-1] != 1:
        raise RuntimeError(f"self.stride(-1) must be 1 {shown}, but got {strides[-1]}")
    for i, stride in enumerate(strides[:-1]):
        if stride % ratio:
            raise RuntimeError(
                f"self.stride({i}) must be divisible by {ratio} {shown}, but got {stride}"
            )
    return (dtype,)


@bitcast.putting
def _(xp, base, value, dtype):
    return xp.bitcast(value, xp.dtype_of(base))


@op(promote=KEEP, method=False, function=False)
def copied(xp, input):
    """A row-major copy."""
    return xp.contiguous(input)


copied.vjp(input=lambda g: g)
copied._grad_name = "CloneBackward0"


@op(promote=KEEP, method=False, function=False)
def copied_as(xp, input, order):
    """A copy with its dimensions in memory in the order given."""
    return xp.permute(xp.contiguous(xp.permute(input, order)), inverse_order(order))


copied_as.vjp(input=lambda g: g)
copied_as._grad_name = "CloneBackward0"


@composite(function=False)
def contiguous(xp, input, *, memory_format=contiguous_format):
    """The tensor itself if it lies row by row (or as `memory_format` says), else a copy that does.

    >>> import lantern
    >>> lantern.zeros(2, 3).t().contiguous().stride()
    (2, 1)
    """
    check_format("contiguous", memory_format, input)
    if input.is_contiguous(memory_format=memory_format):
        return input
    return copy_as(input, memory_format)


def check_format(name, given, input):
    """Raises where a memory format is none, or none for tensors of this rank."""
    if not isinstance(given, memory_format):
        raise TypeError(
            f"{name}(): argument 'memory_format' must be torch.memory_format, not "
            f"{type(given).__name__}"
        )
    if given.order is not None and len(given.order) != input.ndim:
        raise RuntimeError(f"required rank {len(given.order)} tensor to use {given.name} format")


def copy_as(input, given):
    """Returns a copy of a tensor that lies in memory as a format says."""
    return copied(input) if given.order is None else copied_as(input, given.order)
