"""Masks: where elements are not zero, and taking and putting there."""

from __future__ import annotations

from math import prod

from ..autograd.mode import active
from ..backends import NAMESPACES
from ..dtypes import int64
from ..op import KEEP, composite, op
from ..shape import broadcast_shapes
from ..tensor import wrap
from .index import getitem, index_op, nonzero_tuple, outside
from .join import cat
from .memory import copied
from .views import expand, numel_of, reshape


@composite
def nonzero(xp, input, *, as_tuple=False):
    """The places of the elements that are not zero: the rows of a matrix, or a tuple of columns.

    >>> import lantern
    >>> lantern.nonzero(lantern.tensor([0, 7, 0, 8]))
    tensor([[1],
            [3]])
    """
    if input.dtype.char in "HIL":
        raise NotImplementedError(
            f"\"nonzero_count_cpu\" not implemented for '{input.dtype.legacy}'"
        )
    columns = nonzero_tuple(input)
    if as_tuple:
        return columns
    value = input._array
    return wrap(
        NAMESPACES[type(value)].rows(
            [each._array for each in columns[: input.ndim]], columns[0].numel()
        )
    )


@composite
def argwhere(xp, input):
    """The places of the elements that are not zero, as the rows of a matrix."""
    return nonzero(input)


@composite
def nonzero_static(xp, input, *, size, fill_value=-1):
    """The first `size` places of elements that are not zero; rows that are missing are filled."""
    if size < 0:
        raise RuntimeError(
            f"nonzero_static: 'size' must be an non-negative integer, but got {size}"
        )
    found = nonzero(input)
    missing = size - found.shape[0]
    if missing <= 0:
        return copied(found[:size])
    return cat([found, xp.full((missing, input.ndim), fill_value, int64)], 0)


def _check_mask(name, mask):
    if mask.dtype.char != "?":
        raise RuntimeError(f"{name}: expected BoolTensor for mask")


@composite
def masked_select(xp, input, mask):
    """The elements where a mask holds that broadcasts with the tensor, in one dimension.

    >>> import lantern
    >>> x = lantern.tensor([1, 5, 3])
    >>> lantern.masked_select(x, x > 2)
    tensor([5, 3])
    """
    _check_mask("masked_select", mask)
    shape = broadcast_shapes(mask.shape, input.shape)
    places = nonzero_tuple(expand(mask, shape))
    if not shape:
        return masked_elements(reshape(input, (1,)), places)
    return masked_elements(expand(input, shape), places)


@index_op
def masked_elements(xp, input, places):
    """The elements at an index that a mask gave."""
    return xp.getitem(input, places)


masked_elements.formulas["input"] = getitem.formulas["input"]
masked_elements._grad_name = "MaskedSelectBackward0"


@op(promote=KEEP, inplace=True)
def masked_scatter(xp, input, mask, source):
    """A copy in which the elements where a mask holds are taken from `source`, in order.

    >>> import lantern
    >>> mask = lantern.tensor([True, False, True])
    >>> lantern.zeros(3).masked_scatter(mask, lantern.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    if mask.dtype.char != "?":
        raise RuntimeError(
            "masked_scatter_ only supports boolean masks, but got mask with dtype "
            f"{xp.dtype_of(mask).legacy}"
        )
    mine, theirs = (xp.dtype_of(each).legacy for each in (input, source))
    if mine != theirs:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{mine} and "
            f"{theirs}"
        )
    shape = broadcast_shapes(input.shape, mask.shape)
    input, mask = xp.expand(input, shape), xp.expand(mask, shape)
    total = xp.sum(xp.cast(mask, int64), None, False)
    if xp.outside(total, 0, numel_of(source) + 1) is not None:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    if not numel_of(source) or not numel_of(input):
        return xp.clone(input)
    taken = xp.getitem(
        xp.reshape(source, (numel_of(source),)), (_turns(xp, mask, numel_of(source)),)
    )
    return xp.where(mask, taken, input)


def _turns(xp, mask, limit):
    """Returns for each element the count of those before it where the mask holds."""
    row = xp.cast(xp.reshape(mask, (numel_of(mask),)), int64)
    turns = xp.cumsum(row, 0) - row
    return xp.reshape(xp.minimum(turns, xp.full((), limit - 1, int64)), mask.shape)


def _scattered_source(xp, g, mask, source_shape):
    mask = xp.expand(mask, g.shape)
    size = prod(source_shape)
    row = xp.full((size,), 0, g)
    if size and numel_of(g):
        kept = xp.where(mask, g, xp.full((), 0, g))
        row = xp.put_add(row, (_turns(xp, mask, size),), kept)
    return xp.reshape(row, source_shape)


masked_scatter.vjp(
    input=lambda xp, g, mask: xp.where(mask, xp.full((), 0, g), g), source=_scattered_source
)


@composite(method=False, function=False)
def one_hot(xp, input, num_classes=-1):
    """For each class number a row with 1 at its place and 0 elsewhere, of dtype int64.

    Raises RuntimeError for negative classes and for those not below `num_classes`.

    >>> import lantern
    >>> lantern.nn.functional.one_hot(lantern.tensor([1, 0]), 3).tolist()
    [[0, 1, 0], [1, 0, 0]]
    """
    if input.dtype is not int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if not input.numel() and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if num_classes == -1:
        active.refuse("the number of classes for one_hot()")
        num_classes = int(xp.amax(input).item()) + 1
    if input.numel() and outside(input, 0, float("inf")) is not None:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes < 1:
        raise RuntimeError("num_classes should be positive")
    if input.numel() and outside(input, 0, num_classes) is not None:
        raise RuntimeError("Class values must be smaller than num_classes.")
    classes = xp.arange(0, num_classes, 1, int64)
    return xp.cast(xp.eq(reshape(input, (*input.shape, 1)), classes), int64)
