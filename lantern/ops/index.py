"""Taking and putting elements by index: `x[index]`, `index_select` and its kin.

An index is a tuple of slices, Nones and integer tensors, one entry per dimension at most; what the
square brackets allow beyond that is brought to this form by `lantern.indexing`.
"""

from __future__ import annotations

from math import prod
from typing import Any

from ..autograd.mode import active, mode
from ..backends import NAMESPACES
from ..binding import bind
from ..dtypes import int64
from ..op import KEEP, Op, composite, declare, op
from ..shape import contiguous_strides, wrap_dim
from ..tensor import Tensor, wrap
from .scatter import refuse_unsigned
from .scatter import scatter_add as scatter_add
from .slices import at
from .views import numel_of


class IndexOp(Op):
    """An op with an index tuple, whose tensors are unwrapped before the call."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the op with the arrays of the index tuple in place of its tensors."""
        if kwargs or len(args) != self.arity:
            args = bind(self, args, kwargs)
        place = self.places
        keep = mode.enabled and any(isinstance(a, Tensor) and a.requires_grad for a in args)
        index = tuple([_raw(each, keep) for each in args[place]])
        return super().__call__(*args[:place], index, *args[place + 1 :])

    @property
    def places(self) -> int:
        """Which parameter the index tuple is."""
        return 1


def _raw(each: Any, keep: bool) -> Any:
    if not isinstance(each, Tensor):
        return each
    if active.recording and active.trace:
        return active.trace.read(each)
    value = each._array  # what backward will need must not change under it
    return NAMESPACES[type(value)].clone(value) if keep else value


def index_op(function: Any) -> Op:
    """Declares an op with an index tuple `places`; not part of the public API."""
    return declare(IndexOp, function, {"promote": KEEP, "method": False, "public": False})


@index_op
def getitem(xp, input, places):
    """The elements at an index."""
    return xp.getitem(input, places)


@index_op
def put(xp, input, places, value):
    """A copy with the elements at an index replaced."""
    return xp.put(input, places, value)


@index_op
def put_add(xp, input, places, value):
    """A copy with values added at an index, as often as it names a place."""
    return xp.put_add(input, places, value)


def _zeroed(xp, g, places, value_shape):
    return xp.put(g, places, xp.full(value_shape, 0, g))


getitem.vjp(
    input=lambda xp, g, input_shape, places: xp.put_add(xp.full(input_shape, 0, g), places, g)
)
put.vjp(input=_zeroed, value=lambda xp, g, places: xp.getitem(g, places))
put_add.vjp(input=lambda g: g, value=lambda xp, g, places: xp.getitem(g, places))
getitem._grad_name, put._grad_name = "IndexBackward0", "IndexPutBackward0"
put_add._grad_name = "IndexPutBackward0"


def _check_places(xp, index, size, dim):
    wrong = xp.outside(index, 0, size)
    if wrong is not None:
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")


@op(promote=KEEP)
def index_select(xp, input, dim, index):
    """The slices along `dim` that a 1-d index names.

    >>> import lantern
    >>> lantern.index_select(lantern.tensor([5, 6, 7]), 0, lantern.tensor([2, 0]))
    tensor([7, 5])
    """
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.dtype.char not in "li":
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    refuse_unsigned(xp, input, "index_select")
    if not input.ndim:
        if numel_of(index) != 1:
            raise RuntimeError(
                "index_select(): Index to scalar can have only 1 value, got "
                f"{numel_of(index)} value(s)"
            )
        return xp.clone(input)
    return xp.pick(input, dim, xp.reshape(index, (numel_of(index),)))


def _index_select_gradient(xp, g, input_shape, dim, index):
    if not input_shape:
        return xp.reshape(g, ())
    row = at(wrap_dim(dim, len(input_shape)), xp.reshape(index, (numel_of(index),)))
    return xp.put_add(xp.full(input_shape, 0, g), row, g)


index_select.vjp(input=_index_select_gradient)


def _as_rows(xp, x, dim, index):
    """Returns a tensor of one dimension at least, and where in it the slices lie."""
    x = x if x.ndim else xp.reshape(x, (1,))
    return x, at(dim, xp.reshape(index, (numel_of(index),)))


@op(promote=KEEP, inplace=True)
def index_add(xp, input, dim, index, source, *, alpha=1):
    """A copy with `alpha * source` added to the slices along `dim` that `index` names.

    >>> import lantern
    >>> lantern.zeros(3).index_add(0, lantern.tensor([0, 0, 2]), lantern.ones(3))
    tensor([2., 0., 1.])
    """
    dim = wrap_dim(dim, input.ndim)
    _check_index_add("index_add", xp, input, dim, index, source)
    if alpha != 1:
        source = source * (alpha if source.dtype.char in "fdeE" else int(alpha))
    rows, place = _as_rows(xp, input, dim, index)
    return xp.reshape(xp.put_add(rows, place, source), input.shape)


def _check_index_add(name, xp, input, dim, index, source):
    mine, theirs = (xp.dtype_of(each).legacy for each in (input, source))
    if index.ndim > 1:
        raise IndexError(
            f"{name}_(): Index is supposed to be a vector, but got dim: {index.ndim} with type: "
            f"{xp.dtype_of(index).legacy} and size: {list(index.shape)}"
        )
    if index.dtype.char not in "li":
        raise RuntimeError(
            f"{name}_(): Expected dtype int32/int64 for index but got: {xp.dtype_of(index).legacy}"
        )
    if mine != theirs:
        raise RuntimeError(
            f"{name}_(): self ({mine}) and source ({theirs}) must have the same scalar type"
        )
    have = source.shape[dim] if source.ndim else 1
    if numel_of(index) != have:
        raise RuntimeError(
            f"{name}_(): Number of indices ({numel_of(index)}) should be equal to "
            f"source.size(dim): ({have}), for dim: {dim}"
        )
    if input.shape[:dim] + input.shape[dim + 1 :] != source.shape[:dim] + source.shape[
        dim + 1 :
    ] or (input.ndim != source.ndim):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {list(input.shape)} source.shape = {list(source.shape)}"
        )
    _check_places(xp, index, input.shape[dim] if input.ndim else 1, dim)


def _index_add_source(xp, g, dim, index, source_shape, alpha):
    rows, place = _as_rows(xp, g, wrap_dim(dim, g.ndim), index)
    taken = xp.reshape(xp.getitem(rows, place), source_shape)
    return taken if alpha == 1 else taken * alpha


index_add.vjp(input=lambda g: g, source=_index_add_source)


@op(packed="always", promote=KEEP, inplace=True)
def index_copy(xp, input, dim, index, source):
    """A copy with the slices along `dim` that `index` names replaced by those of `source`.

    >>> import lantern
    >>> lantern.zeros(3).index_copy(0, lantern.tensor([2]), lantern.ones(1))
    tensor([0., 0., 1.])
    """
    dim = wrap_dim(dim, input.ndim)
    _check_index_copy(xp, input, dim, index, source)
    rows, place = _as_rows(xp, input, dim, index)
    source = source if source.ndim else xp.reshape(source, (1,))
    return xp.reshape(xp.put(rows, place, source), input.shape)


def _check_index_copy(xp, input, dim, index, source):
    start = "index_copy_():"
    mine, theirs = (xp.dtype_of(each).legacy for each in (input, source))
    if index.ndim > 1:
        raise IndexError(f"{start} Index should have dimension 1 or 0 (got {index.ndim})")
    if input.ndim and source.ndim and input.ndim != source.ndim:
        raise IndexError(
            f"{start} When source and destination are not scalars, their dimensionality must "
            f"match. Source dimensionality ({source.ndim}), destination dimensionality "
            f"({input.ndim})"
        )
    if index.dtype.char != "l":
        raise RuntimeError(
            f"{start} Expected a long tensor for index, but got {xp.dtype_of(index).legacy}"
        )
    if mine != theirs:
        raise RuntimeError(
            f"{start} self and source expected to have the same dtype, but got (self) {mine} and "
            f"(source) {theirs}"
        )
    have = source.shape[dim] if source.ndim else 1
    mine, theirs = (s[:dim] + s[dim + 1 :] for s in (tuple(input.shape), tuple(source.shape)))
    if mine != theirs:
        raise RuntimeError(
            f"{start} Source/destination tensor must have same slice shapes. Destination slice "
            f"shape: {' '.join(map(str, mine))} at dimension {dim} and source slice shape: "
            f"{' '.join(map(str, theirs))} at dimension 0."
        )
    if numel_of(index) != have:
        raise IndexError(
            f"{start} Number of indices ({numel_of(index)}) should be equal to source.size(dim) "
            f"({have})"
        )
    size = input.shape[dim] if input.ndim else 1
    wrong = xp.outside(index, 0, size)
    if wrong is not None:
        raise IndexError(
            f"{start} index {wrong} is out of bounds for dimension {dim} with size {size}"
        )


def _index_copy_input(xp, g, dim, index, source_shape):
    rows, place = _as_rows(xp, g, wrap_dim(dim, g.ndim), index)
    return xp.reshape(xp.put(rows, place, xp.full(source_shape or (1,), 0, g)), g.shape)


def _index_copy_source(xp, g, dim, index, source_shape):
    rows, place = _as_rows(xp, g, wrap_dim(dim, g.ndim), index)
    return xp.reshape(xp.getitem(rows, place), source_shape)


index_copy.vjp(input=_index_copy_input, source=_index_copy_source)


@op(
    promote=KEEP,
    method=False,
    public=False,
    label=lambda input, dim, index, value, number: f"IndexFillBackward{int(not number)}",
)
def fill_slices(xp, input, dim, index, value, number):
    """A copy with the slices along `dim` that `index` names set to a 0-d value."""
    rows, place = _as_rows(xp, input, dim, index)
    return xp.reshape(xp.put(rows, place, value), input.shape)


def _filled_value(xp, g, dim, index):
    rows, place = _as_rows(xp, g, dim, index)
    return xp.sum(xp.getitem(rows, place), None, False)


def _filled_input(xp, g, dim, index):
    rows, place = _as_rows(xp, g, dim, index)
    return xp.reshape(xp.put(rows, place, xp.full((), 0, g)), g.shape)


fill_slices.vjp(input=_filled_input, value=_filled_value)


@composite(inplace=True, numbers="value")
def index_fill(xp, input, dim, index, value):
    """A copy with the slices along `dim` that `index` names set to one value.

    >>> import lantern
    >>> lantern.zeros(3).index_fill(0, lantern.tensor([0, 2]), 7)
    tensor([7., 0., 7.])
    """
    dim = wrap_dim(dim, input.ndim)
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    if index.dtype is not int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if index.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    size = input.shape[dim] if input.ndim else 1
    wrong = outside(index, -size, size)
    if wrong is not None:
        raise IndexError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")
    number = not isinstance(value, Tensor)
    if number:
        value = xp.full((), value, input)
    elif value.dtype is not input.dtype:
        value = xp.cast(value, input.dtype)
    return fill_slices(input, dim, index, value, number)


def outside(index, low, high):
    """Returns a place of an index tensor that is out of range; None where none is known to be."""
    value = index._array if not (active.recording and active.trace) else active.trace.read(index)
    return NAMESPACES[type(value)].outside(value, low, high)


# --- places in the tensor taken as one row
def _check_row(name, input, index):
    if index.dtype.char != "l":
        kind = NAMESPACES[type(index)].dtype_of(index).legacy
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {kind}")
    if numel_of(index) and not numel_of(input):
        raise IndexError(f"{name}(): tried to take from an empty tensor")
    wrong = NAMESPACES[type(index)].outside(index, -numel_of(input), numel_of(input))
    if wrong is not None:
        raise IndexError(
            f"out of range: tried to access index {wrong} on a tensor of {numel_of(input)} "
            "elements."
        )


@op(packed="always", promote=KEEP)
def take(xp, input, index):
    """The elements at places of the tensor taken as one row, in the shape of `index`.

    >>> import lantern
    >>> lantern.take(lantern.tensor([[4, 5], [6, 7]]), lantern.tensor([3, 0]))
    tensor([7, 4])
    """
    _check_row("take", input, index)
    return xp.getitem(xp.reshape(input, (numel_of(input),)), (index,))


def _take_gradient(xp, g, input_shape, index):
    row = xp.put_add(xp.full((prod(input_shape),), 0, g), (index,), g)
    return xp.reshape(row, input_shape)


take.vjp(input=_take_gradient)


@op(promote=KEEP, method=False, public=False)
def put_in_row(xp, input, index, source, accumulate=False):
    """A copy with elements replaced (or added to) at places of the tensor taken as one row."""
    _check_row("put_", input, index)
    mine, theirs = (xp.dtype_of(each) for each in (input, source))
    if mine is not theirs:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{mine.legacy} and source.dtype = {theirs.legacy}"
        )
    if numel_of(source) != numel_of(index):
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {numel_of(source)}, index.numel() = {numel_of(index)}"
        )
    row, values = xp.reshape(input, (numel_of(input),)), xp.reshape(source, index.shape)
    row = xp.put_add(row, (index,), values) if accumulate else xp.put(row, (index,), values)
    return xp.reshape(row, input.shape)


def _put_in_row_input(xp, g, index, accumulate):
    if accumulate:
        return g
    row = xp.put(xp.reshape(g, (numel_of(g),)), (index,), xp.full(index.shape, 0, g))
    return xp.reshape(row, g.shape)


put_in_row.vjp(
    input=_put_in_row_input,
    source=lambda xp, g, index, source_shape: xp.reshape(
        xp.getitem(xp.reshape(g, (numel_of(g),)), (index,)), source_shape
    ),
)
put_in_row._grad_name = "PutBackward0"


@composite(method=False, tensors="indices")
def unravel_index(xp, indices, shape):
    """The coordinates, one tensor per dimension, of places in a tensor of `shape` taken as a row.

    >>> import lantern
    >>> lantern.unravel_index(lantern.tensor(5), (2, 3))
    (tensor(1), tensor(2))
    """
    if indices.dtype.kind not in "iu":
        raise ValueError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    shape = (shape,) if hasattr(shape, "__index__") else tuple(shape)
    if any(size < 0 for size in shape):
        raise ValueError(f"'shape' cannot have negative values, but got {shape}")
    return tuple(
        [
            xp.remainder(xp.floor_divide(indices, step), size)
            for size, step in zip(shape, contiguous_strides(shape), strict=True)
        ]
    )


def nonzero_tuple(input: Tensor) -> tuple:
    """Returns, per dimension, the places of the elements that are not zero.

    Raises RuntimeError under trace: how many there are depends on the data.
    """
    active.refuse("nonzero or a boolean mask")
    value = input._array
    return tuple([wrap(each) for each in NAMESPACES[type(value)].nonzero(value)])
