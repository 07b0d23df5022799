"""What depends on order: extremes with their places, sorting, ranks, unique values, counts.

Most come as places found by one op without a gradient and as values picked there by another.
"""

from __future__ import annotations

from .. import dtypes, return_types
from ..op import KEEP, SAME, composite, op
from ..shape import wrap_dim
from ..tensor import Tensor
from .creation import arange, full
from .index import getitem
from .layout import at, cat, flatten, laid_along, reshape
from .pointwise import cast, isnan, logical_not
from .reduce import any as any_of
from .reduce import count_of, refuse_empty
from .reduce import sum as sum_of
from .selection import maximum, minimum, where


def _picked_label(input, dim, index, keepdim, name):
    return name


@op(packed="always", promote=KEEP, method=False, public=False, exact=True, label=_picked_label)
def picked(xp, input, dim, index, keepdim, name):
    """The elements at one index along `dim`; `name` is that of the node."""
    found = xp.gather(input, dim, index)
    return found if keepdim or not input.ndim else xp.reshape(found, _without(found.shape, dim))


def _without(shape, dim):
    return (*shape[:dim], *shape[dim + 1 :])


def _picked_input(xp, g, input_shape, dim, index):
    if g.shape != index.shape:
        g = xp.reshape(g, index.shape)
    return xp.scatter_add(xp.full(input_shape, 0, g), dim, index, g)


picked.vjp(input=_picked_input)


def _chosen(kind, input, dim, index, keepdim):
    """Returns a named pair of the elements and the places given by an index along `dim`."""
    name = kind.__name__
    values = picked(input, dim, index, keepdim, f"{name.capitalize()}Backward0")
    if not keepdim and input.ndim:
        index = reshape(index, _without(index.shape, dim))
    return kind(values, index)


# --- extremes
def _refuse_bool(name):
    def check(input, dim, keepdim):
        if input.dtype.kind == "b":
            raise RuntimeError(f"{name}(): does not support bool input")

    return check


@op(
    promote=SAME,
    differentiable=False,
    check=("?", _refuse_bool("argmax")),
    lacks="HIL argmax_cpu",
)
def argmax(xp, input, dim=None, keepdim=False):
    """The place of the largest element: in the flat tensor, or along `dim`.

    >>> import lantern
    >>> lantern.argmax(lantern.tensor([[1, 9], [8, 2]]), dim=1)
    tensor([1, 0])
    """
    refuse_empty("argmax", input.shape, dim, IndexError)
    return xp.argmax(input, None if dim is None else wrap_dim(dim, input.ndim), keepdim)


@op(
    promote=SAME,
    differentiable=False,
    check=("?", _refuse_bool("argmin")),
    lacks="HIL argmin_cpu",
)
def argmin(xp, input, dim=None, keepdim=False):
    """The place of the smallest element: in the flat tensor, or along `dim`."""
    refuse_empty("argmin", input.shape, dim, IndexError)
    return xp.argmin(input, None if dim is None else wrap_dim(dim, input.ndim), keepdim)


def shared_with_equals(xp, g, out, input):
    """Returns the gradient of an element, divided among all that equal it (NaN equals NaN)."""
    hit = xp.logical_or(xp.eq(input, out), xp.logical_and(xp.isnan(input), xp.isnan(out)))
    hit = xp.cast(hit, xp.dtype_of(g))
    return hit * (g / xp.sum(hit, None, False))


def _whole(name, primitive, grad_name):
    def forward(xp, input):
        refuse_empty(name, input.shape, None)
        return getattr(xp, primitive)(input, None, False)

    forward.__name__, forward.__doc__ = f"{name}_of_all", "The extreme of all elements."
    options = {"method": False, "public": False, "exact": True, "lacks": f"HIL {name}_all"}
    declared = op(forward, promote=SAME, grad_name=grad_name, **options)
    return declared.vjp(input=shared_with_equals)


max_of_all = _whole("max", "amax", "MaxBackward1")
min_of_all = _whole("min", "amin", "MinBackward1")


def _extreme(name, whole, pairwise, place, text):
    kind = getattr(return_types, name)

    def forward(xp, input, dim=None, keepdim=False, *, other=None):
        if isinstance(dim, Tensor) or other is not None:
            return pairwise(input, dim if other is None else other)
        if dim is None:
            return whole(input)
        if input.dtype.char in "HIL":
            raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{input.dtype.legacy}'")
        refuse_empty(name, input.shape, dim)
        dim = wrap_dim(dim, input.ndim)
        ranked = cast(input, dtypes.uint8) if input.dtype.kind == "b" else input
        index = place(ranked, dim if input.ndim else None, bool(input.ndim))
        return _chosen(kind, input, dim, index, keepdim)

    forward.__name__, forward.__doc__ = name, text
    return composite(forward)


max = _extreme(
    "max",
    max_of_all,
    maximum,
    argmax,
    """The largest element; along `dim` `(values, indices)`; of two tensors, each larger element.

    >>> import lantern
    >>> lantern.max(lantern.tensor([[1, 9], [8, 2]]), dim=1)
    torch.return_types.max(
    values=tensor([9, 8]),
    indices=tensor([1, 0]))
    """,
)
min = _extreme(
    "min",
    min_of_all,
    minimum,
    argmin,
    "The smallest element; along `dim` `(values, indices)`; of two tensors, each smaller element.",
)


# --- sorting
@op(promote=SAME, differentiable=False)
def argsort(xp, input, dim=-1, descending=False, stable=False):
    """The places of the elements in order, NaN as the largest.

    >>> import lantern
    >>> lantern.argsort(lantern.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    return xp.argsort(input, wrap_dim(dim, input.ndim), descending, stable)


@composite
def sort(xp, input, dim=-1, descending=False, *, stable=None):
    """The elements in order along `dim` and where they stood: `(values, indices)`.

    >>> import lantern
    >>> lantern.sort(lantern.tensor([3, 1, 2]), descending=True).values
    tensor([3, 2, 1])
    """
    dim = wrap_dim(dim, input.ndim)
    index = argsort(input, dim, descending, True)
    name = "SortBackward0" if stable is None else "SortBackward1"
    return return_types.sort(picked(input, dim, index, True, name), index)


@composite
def msort(xp, input):
    """The elements in order along the first dimension."""
    return sort(input, 0).values


@op(promote=SAME, differentiable=False, method=False, public=False, lacks="HIL topk_cpu")
def argtopk(xp, input, k, dim, largest, sorted):
    """The places of the k largest (or smallest) elements."""
    return xp.argtopk(input, k, dim, largest, sorted)


@composite
def topk(xp, input, k, dim=-1, largest=True, sorted=True):
    """The k largest (or smallest) elements along `dim`, in order: `(values, indices)`.

    >>> import lantern
    >>> lantern.topk(lantern.tensor([1, 3, 2]), 2).values
    tensor([3, 2])
    """
    dim = wrap_dim(dim, input.ndim)
    if not 0 <= k <= (input.shape[dim] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if input.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU")
    index = argtopk(input, k, dim, largest, sorted)
    return _chosen(return_types.topk, input, dim, index, True)


@composite
def kthvalue(xp, input, k, dim=-1, keepdim=False):
    """The k-th smallest element along `dim`, counted from 1: `(values, indices)`."""
    dim = wrap_dim(dim, input.ndim)
    refuse_empty("kthvalue", input.shape, dim)
    if not 1 <= k <= (input.shape[dim] if input.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}")
    if input.ndim:
        _refuse(input, "?HIL", "kthvalue_cpu")
    index = _ranked(argsort(input, dim, False, True), dim, k - 1)
    return _chosen(return_types.kthvalue, input, dim, index, keepdim)


def _refuse(input, codes, kernel):
    if input.dtype.char in codes:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{input.dtype.legacy}'")


def _ranked(order, dim, rank):
    if not order.ndim:
        return order
    return getitem(order, at(dim, slice(rank, rank + 1)))


def _middle(input, dim, leave_nan):
    """Returns the places of the lower medians along `dim`, with `dim` kept."""
    order = argsort(input, dim, False, True)
    size = input.shape[dim] if input.ndim else 1
    middle = _ranked(order, dim, (size - 1) // 2)
    if input.dtype.kind != "f" or not input.ndim:
        return middle
    wrong = isnan(input)
    if leave_nan:
        count = sum_of(logical_not(wrong), dim, True)
        order_rank = (maximum(count, full((), 1, count)) - 1) // 2
        return picked(order, dim, order_rank, True, "")
    first = argmax(cast(wrong, dtypes.uint8), dim, True)
    return where(any_of(wrong, dim, True), first, middle)


def _median(name, leave_nan, text):
    kind = getattr(return_types, name)
    grad_name = f"{name.capitalize()}Backward0"

    def forward(xp, input, dim=None, keepdim=False):
        if dim is None and 0 in input.shape:
            return middle_value(input, None, grad_name)
        if dim is not None:
            refuse_empty("median", input.shape, wrap_dim(dim, input.ndim))
        _refuse(input, "?HIL", "median_cpu" if dim is None else "median_out")
        if dim is None:
            line = flatten(input)
            return middle_value(input, _middle(line, 0, leave_nan), grad_name)
        dim = wrap_dim(dim, input.ndim)
        index = _middle(input, dim, leave_nan)
        values = picked(input, dim, index, keepdim, f"{name.capitalize()}Backward1")
        if not keepdim and input.ndim:
            index = reshape(index, _without(index.shape, dim))
        return kind(values, index)

    forward.__name__, forward.__doc__ = name, text
    return composite(forward)


def _not_a_number(dtype):
    # NaN as processors convert it to integers.
    if dtype.kind == "f":
        return float("nan")
    if dtype.kind == "b":
        return True
    return dtypes.iinfo(dtype).min if dtype.itemsize >= 4 else 0


def _middle_label(input, index, name):
    return name


@op(packed="always", promote=KEEP, method=False, public=False, exact=True, label=_middle_label)
def middle_value(xp, input, index, name):
    """The element at a place of the flat tensor; elements equal to it share its gradient.

    Without a place (nothing is there) it is NaN.
    """
    if index is None:
        return xp.full((), _not_a_number(xp.dtype_of(input)), input)
    line = xp.reshape(input, (count_of(input.shape, None),))
    return xp.reshape(xp.gather(line, 0, index), ())


middle_value.vjp(input=shared_with_equals)
median = _median(
    "median",
    False,
    """The lower median of all elements; along `dim` `(values, indices)`; NaN where there is one.

    >>> import lantern
    >>> lantern.median(lantern.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    """,
)
nanmedian = _median(
    "nanmedian", True, "The lower median of what is not NaN; along `dim` `(values, indices)`."
)


@composite
def mode(xp, input, dim=-1, keepdim=False):
    """The most frequent element along `dim` (of several the smallest): `(values, indices)`."""
    dim = wrap_dim(dim, input.ndim)
    _refuse(input, "HIL", "mode_cpu")
    refuse_empty("mode", input.shape, dim)
    order = argsort(input, dim, False, True)
    if not input.ndim:
        return _chosen(return_types.mode, input, dim, order, keepdim)
    ordered = picked(input.detach(), dim, order, True, "")
    size = input.shape[dim]
    after = getitem(ordered, at(dim, slice(1, size)))
    before = getitem(ordered, at(dim, slice(0, size - 1)))
    first = getitem(ordered, at(dim, slice(0, 1)))
    starts = cat([first == first, after != before], dim)
    places = laid_along(xp, arange(0, size, 1, dtypes.int64), dim, input.ndim)
    nowhere = full((), -1, places)
    since = xp.argcummax(where(starts, places, nowhere), dim)
    last = argmax(places - since, dim, True)
    index = picked(order, dim, last, True, "")
    return _chosen(return_types.mode, input, dim, index, keepdim)


# --- ranks
@op(
    promote=SAME,
    tensors="sequence",
    differentiable=False,
    method=False,
    public=False,
    lacks="?HIL searchsorted_out_cpu",
)
def argsearch(xp, sequence, x, right):
    """Where elements of `x` would go in sorted rows."""
    return xp.argsearch(sequence, x, right)


@composite(tensors="sorted_sequence sorter", numbers="input", method=False)
def searchsorted(
    xp, sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None
):
    """Where the elements of `input` would go in a sorted sequence (or rows of one).

    >>> import lantern
    >>> lantern.searchsorted(lantern.tensor([1, 3, 5]), lantern.tensor([3, 4]))
    tensor([1, 2])
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(
            f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"
        )
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while"
            " right was True"
        )
    if not isinstance(input, Tensor):
        input = full(
            (), input, dtypes.promote_types(sorted_sequence.dtype, dtypes.of_number(input))
        )
    rows, wanted = tuple(sorted_sequence.shape), tuple(input.shape)
    if len(rows) != 1 and rows[:-1] != wanted[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
            "dimensions of boundaries tensor and input value tensor must match, but we got "
            f"boundaries tensor {list(rows)} and input value tensor {list(wanted)}"
        )
    if sorter is not None:
        sorted_sequence = picked(sorted_sequence, sorted_sequence.ndim - 1, sorter, True, "")
    found = argsearch(sorted_sequence, input, bool(right or side == "right"))
    return cast(found, dtypes.int32) if out_int32 else found


@composite(tensors="boundaries", numbers="input", method=False)
def bucketize(xp, input, boundaries, *, out_int32=False, right=False):
    """The number of the interval between boundaries that each element falls into.

    >>> import lantern
    >>> lantern.bucketize(lantern.tensor([0.5, 2.0]), lantern.tensor([1.0, 2.0]))
    tensor([0, 1])
    """
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
