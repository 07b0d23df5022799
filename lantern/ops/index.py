"""Taking and putting elements by index: `x[index]`, gather, scatter and their kin.

An index is a tuple of slices, Nones and integer tensors, one entry per dimension at most; what the
square brackets allow beyond that is brought to this form by `lantern.indexing`.
"""

from __future__ import annotations

from typing import Any

from ..autograd.mode import active, mode
from ..backends import NAMESPACES
from ..op import KEEP, SAME, Op, _declare, composite, op
from ..shape import wrap_dim
from ..tensor import Tensor, wrap
from .layout import at


class IndexOp(Op):
    """An op with an index tuple, whose tensors are unwrapped before the call."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != self.arity:
            args = self.bind(args, kwargs)
        place = self.parameters.index("places")
        keep = mode.enabled and any(isinstance(a, Tensor) and a.requires_grad for a in args)
        index = tuple(_raw(each, keep) for each in args[place])
        return super().__call__(*args[:place], index, *args[place + 1 :])


def _raw(each: Any, keep: bool) -> Any:
    if not isinstance(each, Tensor):
        return each
    if active.trace is not None:
        return active.trace.read(each)
    value = each._array  # what backward will need must not change under it
    return NAMESPACES[type(value)].clone(value) if keep else value


def index_op(function: Any) -> Op:
    """Declares an op with an index tuple `places`; not part of the public API."""
    return _declare(IndexOp, function, dict(promote=KEEP, method=False, public=False))


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


def _check_index(name, xp, index):
    if index.dtype.char not in "li":
        raise RuntimeError(f"{name}(): Expected dtype int64 for index")


@op(promote=KEEP)
def gather(xp, input, dim, index, *, sparse_grad=False):
    """Elements picked along `dim` by an index tensor of the same rank.

    >>> import lantern
    >>> lantern.gather(lantern.tensor([[1, 2], [3, 4]]), 1, lantern.tensor([[1], [0]]))
    tensor([[2],
            [3]])
    """
    dim = wrap_dim(dim, input.ndim)
    _check_index("gather", xp, index)
    if index.ndim != input.ndim and index.ndim and input.ndim:
        raise RuntimeError(
            "Index tensor must have the same number of dimensions as input tensor"
        )
    return xp.gather(input, dim, index)


gather.vjp(
    input=lambda xp, g, input_shape, dim, index: xp.scatter_add(
        xp.full(input_shape, 0, g), wrap_dim(dim, len(input_shape)), index, g
    )
)


@op(promote=KEEP, inplace=True)
def scatter_add(xp, input, dim, index, src):
    """A copy with `src` added at the places that `index` names along `dim`."""
    return xp.scatter_add(input, wrap_dim(dim, input.ndim), index, src)


scatter_add.vjp(
    input=lambda g: g,
    src=lambda xp, g, dim, index: xp.gather(g, wrap_dim(dim, g.ndim), index),
)


@composite
def index_select(xp, input, dim, index):
    """The slices along `dim` that a 1-d index names.

    >>> import lantern
    >>> lantern.index_select(lantern.tensor([5, 6, 7]), 0, lantern.tensor([2, 0]))
    tensor([7, 5])
    """
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    return getitem(input, at(wrap_dim(dim, input.ndim), index))


def nonzero_tuple(input: Tensor) -> tuple:
    """Returns, per dimension, the places of the elements that are not zero.

    Raises RuntimeError under trace: how many there are depends on the data.
    """
    if active.trace is not None:
        active.trace.refuse("nonzero or a boolean mask")
    value = input._array
    return tuple(wrap(each) for each in NAMESPACES[type(value)].nonzero(value))


def refuse_outside(input: Tensor, low: float, high: float, sentence: str) -> None:
    """Raises RuntimeError where an element lies outside [low, high]; NaN and traces pass."""
    if active.trace is None and input.numel():
        value = input._array
        least, most = NAMESPACES[type(value)].value_range(value)
        if least < low or most > high:
            raise RuntimeError(sentence)
