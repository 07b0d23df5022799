"""Shapes, strides and dimensions: the arithmetic that needs no array library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import ceil, prod
from typing import Any


class Size(tuple):
    """The shape of a tensor: a tuple of integers that prints as `torch.Size([5, 3])`.

    Raises TypeError for what is no sequence of integers.

    >>> import lantern
    >>> lantern.zeros(5, 3).shape.numel()
    15
    """

    __slots__ = ()

    def __new__(cls, sizes: Any = ()) -> Size:
        """Returns the sizes; raises TypeError for what are no integers."""
        items = tuple(sizes)
        for i, each in enumerate(items):
            if not hasattr(each, "__index__"):
                raise TypeError(
                    f"torch.Size() takes an iterable of 'int' (item {i} is '{type(each).__name__}')"
                )
        return size_of(each.__index__() for each in items)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def numel(self) -> int:
        """Returns the number of elements of such a tensor."""
        return prod(self)

    def __getitem__(self, index):  # type: ignore[override]
        found = tuple.__getitem__(self, index)
        return size_of(found) if isinstance(index, slice) else found

    def __add__(self, other):  # type: ignore[override]
        if not isinstance(other, tuple):
            raise TypeError(
                f"can only concatenate tuple (not {type(other).__name__}) to torch.Size"
            )
        return size_of(tuple.__add__(self, other))

    def __radd__(self, other):
        return size_of(tuple.__add__(other, self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times):  # type: ignore[override]
        return size_of(tuple.__mul__(self, times))

    __rmul__ = __mul__  # type: ignore[assignment]

    def __reduce__(self) -> tuple:
        return Size, (tuple(self),)


# Makes a `Size` of what is known to be integers, at no more than the price of a tuple.
size_of: Callable[..., Size] = partial(tuple.__new__, Size)


class _Named:
    """A constant that prints as its name; there is one object per name."""

    __slots__ = ("name",)

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class memory_format(_Named):
    """The order of dimensions in memory, such as `channels_last`; `order` is None for no rule."""

    __slots__ = ("order",)

    def __init__(self, name: str, order: tuple[int, ...] | None = None):
        super().__init__(name)
        self.order = order


class layout(_Named):
    """How elements are kept in memory; there are `strided` tensors only."""


contiguous_format, preserve_format = (
    memory_format("contiguous_format"),
    memory_format("preserve_format"),
)
channels_last = memory_format("channels_last", (0, 2, 3, 1))
channels_last_3d = memory_format("channels_last_3d", (0, 2, 3, 4, 1))
strided, sparse_coo = layout("strided"), layout("sparse_coo")


def _integer_dim(dim: object) -> int:
    if isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise TypeError(f"argument 'dim' must be int, not {type(dim).__name__}")
    return dim.__index__()


def wrap_dim(dim: int, ndim: int) -> int:
    """Returns `dim` counted from the front; raises IndexError when it is out of range."""
    if type(dim) is not int:
        dim = _integer_dim(dim)
    if -ndim <= dim < ndim:
        return dim + ndim if dim < 0 else dim
    if ndim == 0 and -1 <= dim <= 0:
        return 0
    low, high = (-ndim, ndim - 1) if ndim else (-1, 0)
    raise IndexError(
        f"Dimension out of range (expected to be in range of [{low}, {high}], but got {dim})"
    )


def wrap_dims(dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Returns the dimensions named by `dim` as a tuple; None and () name all of them."""
    if dim is None:
        return tuple(range(ndim))
    if hasattr(dim, "__index__"):
        return (wrap_dim(dim, ndim),)[:ndim]  # type: ignore[arg-type]
    dims = tuple([wrap_dim(each, ndim) for each in dim])  # type: ignore[union-attr]
    if len(set(dims)) != len(dims):
        repeated = next(each for each in dims if dims.count(each) > 1)
        raise RuntimeError(f"dim {repeated} appears multiple times in the list of dims")
    if not dims:
        return tuple(range(ndim))
    return dims if ndim else ()


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Returns the strides, in elements, of a row-major array."""
    strides = [1] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        strides[i] = strides[i + 1] * max(shape[i + 1], 1)
    return tuple(strides)


def is_contiguous(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Says whether elements lie in row-major order without gaps."""
    return 0 in shape or _is_packed(shape, strides)


def _is_packed(shape: Sequence[int], strides: Sequence[int]) -> bool:
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1:
            if stride != expected:
                return False
            expected *= size
    return True


def follows(order: Sequence[int], shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Says whether the dimensions taken in `order` lie row by row without gaps.

    It is what `is_contiguous(memory_format=...)` asks; dimensions of size 1 lie anywhere.
    """
    if len(order) != len(shape):
        return False
    return _is_packed([shape[d] for d in order], [strides[d] for d in order])


def is_dense(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Says whether the elements fill a piece of memory, each place once, in whatever order."""
    order = sorted(range(len(shape)), key=lambda d: (strides[d], shape[d]), reverse=True)
    return is_contiguous([shape[d] for d in order], [strides[d] for d in order])


def kept_strides(
    shape: Sequence[int], strides: Sequence[int], *others: Sequence[int]
) -> tuple[int, ...]:
    """Returns the strides of a result that keeps the order of dimensions but no gaps.

    Where those of the first operand say nothing, the `others` are asked in turn.
    """
    if is_dense(shape, strides):
        return tuple(strides)
    operands = (strides, *others)
    return dense_strides(shape, lambda inner, outer: _compared(shape, operands, inner, outer))


def dense_strides(shape: Sequence[int], compared: Callable[[int, int], int]) -> tuple[int, ...]:
    """Returns strides without gaps for dimensions in the order that `compared` says.

    It gives -1 where one dimension is right to lie inside of another, 1 where it is wrong, and 0
    where either will do, which leaves row-major order.
    """
    result, step = [1] * len(shape), 1
    for dim in _sorted_dims(len(shape), compared):
        result[dim] = step
        step *= max(shape[dim], 1)
    return tuple(result)


def memory_order(shape: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """Returns the dimensions from the outermost in memory to the innermost.

    Of equal strides the larger size is outside; dimensions of stride 0 do not move others.
    """
    found = _sorted_dims(
        len(shape), lambda inner, outer: _compared(shape, (strides,), inner, outer)
    )
    return tuple(reversed(found))


def _sorted_dims(ndim: int, compared: Callable[[int, int], int]) -> list[int]:
    """Returns dimensions from the innermost outwards, compared as for `dense_strides`."""
    order = list(reversed(range(ndim)))
    for i in range(1, ndim):
        place = i
        for j in reversed(range(i)):
            way = compared(order[j], order[place])
            if way < 0:
                break
            if way > 0:
                order[j], order[place], place = order[place], order[j], j
    return order


def spread_strides(
    sizes: Sequence[int], strides: Sequence[int], shape: Sequence[int]
) -> tuple[int, ...]:
    """Returns the strides of an operand broadcast to a shape: 0 where its elements repeat."""
    lead = len(shape) - len(sizes)
    own = zip(sizes, strides, shape[lead:], strict=True)
    return (0,) * lead + tuple([stride if size == target else 0 for size, stride, target in own])


def _compared(shape: Sequence[int], operands: tuple, inner: int, outer: int) -> int:
    """Says whether a dimension lies inside of another (-1) or outside (1); 0 where none tells."""
    for strides in operands:
        if not strides[inner] or not strides[outer]:
            continue  # a stride of 0 says nothing about the order
        if strides[inner] != strides[outer]:
            return -1 if strides[inner] < strides[outer] else 1
        if shape[inner] > shape[outer]:
            return 1
    return 0


def offsets_range(shape: Sequence[int], strides: Sequence[int]) -> int:
    """Returns how many elements of memory lie from the first element to the last, both counted."""
    if 0 in shape:
        return 0
    return 1 + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))


def range_size(start: float, end: float, step: float) -> int:
    """Returns how many numbers lie from `start` up to but without `end`, by `step`."""
    whole = all(isinstance(each, int) for each in (start, end, step))
    return max(0, int(-((start - end) // step)) if whole else ceil((end - start) / step))


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """Returns the common shape; raises RuntimeError with torch's sentence where there is none."""
    ndim = max(map(len, shapes), default=0)
    result = [1] * ndim
    for shape in shapes:
        for i, size in enumerate(shape, ndim - len(shape)):
            if size == 1 or size == result[i]:
                continue
            if result[i] != 1:
                raise RuntimeError(
                    f"The size of tensor a ({result[i]}) must match the size of tensor b ({size}) "
                    f"at non-singleton dimension {i}"
                )
            result[i] = size
    return tuple(result)


def infer_size(shape: tuple[int, ...], numel: int) -> tuple[int, ...]:
    """Fills in the one -1 of a target shape; raises RuntimeError when the sizes do not fit."""
    known, unknown = 1, None
    for i, size in enumerate(shape):
        if size == -1:
            if unknown is not None:
                raise RuntimeError("only one dimension can be inferred")
            unknown = i
        elif size < 0:
            raise RuntimeError(
                f"invalid shape dimension {size} at index {i} of shape {list(shape)}"
            )
        else:
            known *= size
    if unknown is None:
        if known == numel:
            return shape
    elif known > 0 and numel % known == 0:
        return shape[:unknown] + (numel // known,) + shape[unknown + 1 :]
    elif known == 0 and numel == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the "
            "unspecified dimension size -1 can be any value and is ambiguous"
        )
    raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")


def view_strides(
    shape: Sequence[int], strides: Sequence[int], new_shape: Sequence[int]
) -> tuple[int, ...] | None:
    """Returns the strides that show the same memory as `new_shape`, or None where no view can.

    Runs of dimensions that lie evenly in memory are merged and cut anew, from the right.
    """
    if 0 in shape:
        return tuple(strides) if tuple(shape) == tuple(new_shape) else contiguous_strides(new_shape)
    new_strides = [0] * len(new_shape)
    target = len(new_shape) - 1
    run_numel = filled = 1
    run_stride = strides[-1] if shape else 1
    for i in range(len(shape) - 1, -1, -1):
        run_numel *= shape[i]
        ends = i == 0 or (shape[i - 1] != 1 and strides[i - 1] != run_numel * run_stride)
        if not ends:
            continue
        while target >= 0 and (filled < run_numel or new_shape[target] == 1):
            new_strides[target] = filled * run_stride
            filled *= new_shape[target]
            target -= 1
        if filled != run_numel:
            return None
        if i > 0:
            run_stride, run_numel, filled = strides[i - 1], 1, 1
    if not shape:
        new_strides = [1] * len(new_shape)
        target = -1
    return tuple(new_strides) if target == -1 else None


def as_sizes(args: tuple, name: str = "", parameter: str = "size") -> tuple[int, ...]:
    """Returns sizes given either one by one or as one sequence; raises TypeError for others.

    The message is that of the function `name`, whose `parameter` the sizes are.
    """
    if len(args) == 1 and _holds_sizes(args[0]):
        args = args[0]
    for each in args:
        if type(each) is not int:
            return _other_sizes(args, name, parameter)
    return tuple(args)


def _holds_sizes(value: Any) -> bool:
    # Arrays and tensors have `__index__` whatever their shape.
    return isinstance(value, (tuple, list)) or (
        bool(getattr(value, "ndim", 0))
        if hasattr(value, "__index__")
        else hasattr(value, "__iter__")
    )


def _other_sizes(args: Iterable[Any], name: str, parameter: str) -> tuple[int, ...]:
    sizes = []
    for each in args:
        if isinstance(each, bool) or not hasattr(each, "__index__"):
            where = f"{name}(): argument '{parameter}' (position 1)" if name else "sizes"
            raise TypeError(f"{where} must be tuple of ints, not {type(each).__name__}")
        sizes.append(each.__index__())
    return tuple(sizes)


def window_counts(sizes, size, stride, dilation) -> tuple[int, ...]:
    """Returns how many windows fit along each dimension."""
    spans = zip(sizes, size, stride, dilation, strict=True)
    return tuple([max((n - d * (k - 1) - 1) // s + 1, 0) for n, k, s, d in spans])
