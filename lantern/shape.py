"""Shapes, strides and dimensions: the arithmetic that needs no array library."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod


class Size(tuple):
    """The shape of a tensor: a tuple of integers that prints as `torch.Size([5, 3])`.

    >>> import lantern
    >>> lantern.zeros(5, 3).shape.numel()
    15
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def numel(self) -> int:
        return prod(self)

    def __getitem__(self, index):  # type: ignore[override]
        found = tuple.__getitem__(self, index)
        return Size(found) if isinstance(index, slice) else found

    def __add__(self, other):  # type: ignore[override]
        return Size(tuple.__add__(self, tuple(other)))

    def __mul__(self, times):  # type: ignore[override]
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__  # type: ignore[assignment]

    def __reduce__(self) -> tuple:
        return Size, (tuple(self),)


def wrap_dim(dim: int, ndim: int) -> int:
    """Returns `dim` counted from the front; raises IndexError when it is out of range."""
    try:
        if -ndim <= dim < ndim:
            return dim + ndim if dim < 0 else dim.__index__()
        if ndim == 0 and -1 <= dim <= 0:
            return 0
    except (TypeError, AttributeError):
        raise TypeError(f"'dim' must be int, not {type(dim).__name__}") from None
    low, high = (-ndim, ndim - 1) if ndim else (-1, 0)
    raise IndexError(
        f"Dimension out of range (expected to be in range of [{low}, {high}], but got {dim})"
    )


def wrap_dims(dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Returns the dimensions named by `dim` as a tuple; None and () name all of them."""
    if dim is None:
        return tuple(range(ndim))
    if hasattr(dim, "__index__"):
        return (wrap_dim(dim, ndim),) if ndim else (wrap_dim(dim, ndim),)[:0]
    dims = tuple(wrap_dim(each, ndim) for each in dim)
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
    if 0 in shape:
        return True
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1:
            if stride != expected:
                return False
            expected *= size
    return True


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """Returns the common shape; raises RuntimeError with torch's sentence where there is none."""
    result = list(max(shapes, key=len)) if shapes else []
    ndim = len(result)
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


def infer_size(shape: Sequence[int], numel: int) -> tuple[int, ...]:
    """Fills in the one -1 of a target shape; raises RuntimeError when the sizes do not fit."""
    shape = tuple(each.__index__() for each in shape)
    known, unknown = 1, None
    for i, size in enumerate(shape):
        if size == -1:
            if unknown is not None:
                raise RuntimeError("only one dimension can be inferred")
            unknown = i
        elif size < 0:
            raise RuntimeError(f"invalid shape dimension {size}")
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


def as_sizes(args: tuple) -> tuple[int, ...]:
    """Returns sizes given either one by one or as one sequence."""
    if len(args) == 1 and not hasattr(args[0], "__index__"):
        args = args[0]
    try:
        return tuple([each.__index__() for each in args])
    except (AttributeError, TypeError):
        wrong = next((each for each in args if not hasattr(each, "__index__")), args)
        raise TypeError(f"sizes must be integers, but got {type(wrong).__name__}") from None


def same_padding(size: int, kernel: int, dilation: int) -> tuple[int, int]:
    """Returns the (left, right) padding that keeps a size under a convolution of stride 1."""
    total = dilation * (kernel - 1)
    return total // 2, total - total // 2
