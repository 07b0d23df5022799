"""Gather and scatter: taking and putting with one place per element, along one dimension."""

from __future__ import annotations

import warnings

from ..dtypes import int64
from ..op import KEEP, composite, op
from ..shape import broadcast_shapes, wrap_dim
from ..tensor import Tensor
from .views import expand, numel_of, reshape


def _check_gather(name, input, index, own="self"):
    if index.dtype.char not in "li":
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    if numel_of(index) and max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {own} tensor")


def refuse_unsigned(xp, input, kernel):
    """Raises NotImplementedError for the unsigned types that PyTorch's kernel lacks."""
    if input.dtype.char in "HIL":
        kind = xp.dtype_of(input).legacy
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")


@op(packed="always", promote=KEEP)
def gather(xp, input, dim, index, *, sparse_grad=False):
    """Elements picked along `dim` by an index tensor of the same rank.

    Raises RuntimeError for places out of range, negative ones included.

    >>> import lantern
    >>> lantern.gather(lantern.tensor([[1, 2], [3, 4]]), 1, lantern.tensor([[1], [0]]))
    tensor([[2],
            [3]])
    """
    dim = wrap_dim(dim, input.ndim)
    _check_gather("gather", input, index, "input")
    refuse_unsigned(xp, input, "scatter_gather_tensor_cpu")
    if not numel_of(index):
        return xp.full(index.shape, 0, input)
    for i, (size, limit) in enumerate(zip(index.shape, input.shape, strict=False)):
        if i != dim and size > limit:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(index.shape)} to be "
                f"no larger than self {list(input.shape)} apart from dimension {dim}"
            )
    return xp.gather(input, dim, index)


def _gather_gradient(xp, g, input_shape, dim, index):
    zeros = xp.full(input_shape, 0, g)
    return (
        xp.scatter_add(zeros, wrap_dim(dim, len(input_shape)), index, g)
        if numel_of(index)
        else zeros
    )


gather.vjp(input=_gather_gradient)


def _check_scatter(input, dim, index, src):
    _check_gather("scatter", input, index)
    if src is None:
        shape = None
    elif input.dtype is not src.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    elif numel_of(index) and max(index.ndim, 1) != max(src.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    else:
        shape = src.shape
    if not numel_of(index) or not input.ndim:
        return
    wrong = any(
        n > m for i, (n, m) in enumerate(zip(index.shape, input.shape, strict=True)) if i != dim
    )
    if wrong or (shape is not None and any(n > m for n, m in zip(index.shape, shape, strict=True))):
        limit = "" if shape is None else f" and to be no larger size than src {list(shape)}"
        raise RuntimeError(
            f"Expected index {list(index.shape)} to be no larger than self {list(input.shape)} "
            f"apart from dimension {dim}{limit}"
        )


def _scatter_forward(name):
    def forward(xp, input, dim, index, src):
        dim = wrap_dim(dim, input.ndim)
        _check_scatter(input, dim, index, src)
        if not numel_of(index):
            return xp.clone(input)
        return getattr(xp, name)(input, dim, index, src)

    return forward


def _padded(xp, g, shape):
    """Returns the gradient of a source of which only the first part was taken."""
    if g.shape == shape:
        return g
    if not shape or not g.shape:
        return xp.reshape(g, shape)
    zeros = xp.full(shape, 0, g)
    return xp.put(zeros, tuple([slice(0, size) for size in g.shape]), g) if numel_of(g) else zeros


def _src_gradient(xp, g, src_shape, dim, index):
    if not numel_of(index):
        return xp.full(src_shape, 0, g)
    return _padded(xp, xp.gather(g, wrap_dim(dim, g.ndim), index), src_shape)


def _declare_scatter(name, text, **options):
    forward = _scatter_forward(name.removesuffix("_from"))
    forward.__name__, forward.__doc__ = name, text
    return op(forward, promote=KEEP, **options)


scatter_add = _declare_scatter(
    "scatter_add",
    """A copy with `src` added at the places that `index` names along `dim`.

    >>> import lantern
    >>> places = lantern.tensor([0, 0, 1])
    >>> lantern.zeros(2).scatter_add(0, places, lantern.ones(3))
    tensor([2., 1.])
    """,
    inplace=True,
)
scatter_add.vjp(input=lambda g: g, src=_src_gradient)
scatter_from = _declare_scatter(
    "scatter_from", "A copy with elements along `dim` replaced.", method=False, public=False
)
scatter_from._grad_name = "ScatterBackward0"


def _replaced_gradient(xp, g, dim, index):
    if not numel_of(index):
        return g
    return xp.scatter(g, wrap_dim(dim, g.ndim), index, xp.full(index.shape, 0, g))


scatter_from.vjp(input=_replaced_gradient, src=_src_gradient)


@op(promote=KEEP, method=False, public=False, tensors="-value")
def scatter_number(xp, input, dim, index, value):
    """A copy with elements along `dim` replaced by one number."""
    dim = wrap_dim(dim, input.ndim)
    _check_scatter(input, dim, index, None)
    if not numel_of(index):
        return xp.clone(input)
    return xp.scatter(input, dim, index, xp.full(index.shape, value, input))


scatter_number.vjp(input=_replaced_gradient)
scatter_number._grad_name = "ScatterBackward1"


@composite(inplace=True, numbers="src value")
def scatter(xp, input, dim, index, src=None, *, value=None, reduce=None):
    """A copy with elements replaced by `src` (or one number) at the places named along `dim`.

    `reduce` "add" or "multiply" combines them with what is there.

    >>> import lantern
    >>> lantern.zeros(3).scatter(0, lantern.tensor([2]), 5.0)
    tensor([0., 0., 5.])
    """
    source = value if src is None else src
    if source is None:
        raise TypeError('scatter() missing 1 required positional arguments: "src"')
    if reduce is None:
        return _scatter_plain(input, dim, index, source)
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if isinstance(source, Tensor):
        warnings.warn(
            "The reduce argument of torch.scatter with Tensor src is deprecated and will be "
            "removed in a future PyTorch release. Use torch.scatter_reduce instead for more "
            "reduction options.",
            UserWarning,
            stacklevel=3,
        )
    else:
        source = xp.full(index.shape, source, input)
    if reduce == "add":
        return scatter_add(input, dim, index, source)
    return scatter_reduce(input, dim, index, source, "prod")


def _scatter_plain(input, dim, index, source):
    if isinstance(source, Tensor):
        return scatter_from(input, dim, index, source)
    return scatter_number(input, dim, index, source)


def _identity(dtype, reduce):
    """Returns what changes nothing when reduced with."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind == "f":
        return float("-inf") if reduce == "amax" else float("inf")
    if dtype.kind == "b":
        return reduce == "amin"
    bits = dtype.itemsize * 8
    if dtype.kind == "u":
        return 0 if reduce == "amax" else (1 << bits) - 1
    return -(1 << (bits - 1)) if reduce == "amax" else (1 << (bits - 1)) - 1


_REDUCES = {"sum": "sum", "add": "sum", "prod": "prod", "multiply": "prod", "mean": "mean"}
_REDUCES |= {"amax": "amax", "max": "amax", "amin": "amin", "min": "amin"}


@op(promote=KEEP, inplace=True)
def scatter_reduce(xp, input, dim, index, src, reduce, *, include_self=True):
    """A copy with all of `src` that falls on one place combined: sum, prod, mean, amax or amin.

    >>> import lantern
    >>> places = lantern.tensor([0, 0, 1])
    >>> lantern.zeros(2).scatter_reduce(0, places, lantern.tensor([1.0, 5.0, 2.0]), "amax")
    tensor([5., 2.])
    """
    if reduce not in _REDUCES:
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}."
        )
    dim = wrap_dim(dim, input.ndim)
    _check_scatter(input, dim, index, src)
    if not numel_of(index):
        return xp.clone(input)
    return _reduced(xp, input, dim, index, src, _REDUCES[reduce], include_self)


def _reduced(xp, x, dim, index, src, reduce, include_self):
    if not include_self:
        start = xp.full(index.shape, _identity(xp.dtype_of(x), reduce), x)
        x = xp.scatter(x, dim, index, start)
    if reduce == "sum":
        return xp.scatter_add(x, dim, index, src)
    if reduce != "mean":
        return xp.scatter_reduce(x, dim, index, src, reduce)
    total = xp.scatter_add(x, dim, index, src)
    count = _counted(xp, x, dim, index, include_self)
    return total / count if xp.dtype_of(x).kind == "f" else xp.floor_divide(total, count)


def _counted(xp, x, dim, index, include_self):
    """Returns how many values meet at each place, 1 where there are none."""
    ones = xp.full(index.shape, 1, x)
    count = xp.full(x.shape, 1, x)
    if not include_self:
        count = xp.scatter(count, dim, index, xp.full(index.shape, 0, x))
    return xp.scatter_add(count, dim, index, ones)


@scatter_reduce.vjp_together("input", "src")
def _scatter_reduce_gradient(xp, needs, g, out, input, dim, index, src, reduce, include_self):
    """Returns the gradients of what was there and of what fell on it."""
    dim, reduce = wrap_dim(dim, input.ndim), _REDUCES[reduce]
    if not numel_of(index):
        return g, xp.full(src.shape, 0, g)
    part = src if src.shape == index.shape else xp.getitem(src, _first(index.shape))
    if reduce == "sum":
        mine, theirs = g, xp.gather(g, dim, index)
    elif reduce == "mean":
        share = g / _counted(xp, input, dim, index, include_self)
        mine, theirs = share, xp.gather(share, dim, index)
    elif reduce == "prod":
        mine, theirs = _product_gradient(xp, g, input, dim, index, part, include_self)
    else:
        kind = xp.dtype_of(g)
        met = xp.cast(xp.eq(part, xp.gather(out, dim, index)), kind)
        own = xp.cast(xp.eq(input, out), kind)
        count = own
        if not include_self:
            count = xp.scatter(own, dim, index, xp.full(index.shape, 0, g))
        count = xp.scatter_add(count, dim, index, met)
        share = g / xp.maximum(count, xp.full((), 1, g))
        mine, theirs = share * own, met * xp.gather(share, dim, index)
    if not include_self:
        mine = xp.scatter(mine, dim, index, xp.full(index.shape, 0, g))
    return mine, _padded(xp, theirs, src.shape)


def _first(shape):
    return tuple([slice(0, size) for size in shape])


def _product_gradient(xp, g, input, dim, index, src, include_self):
    # The derivative by one factor is the product of the others, which must not be had by dividing
    # by a factor that is 0: products are taken of the factors that are not, and zeros counted.
    one, kind = xp.full((), 1, g), xp.dtype_of(g)
    zero_here, zero_there = xp.eq(input, 0), xp.eq(src, 0)
    start, zeros = xp.where(zero_here, one, input), xp.cast(zero_here, kind)
    if not include_self:
        start = xp.scatter(start, dim, index, xp.full(index.shape, 1, g))
        zeros = xp.scatter(zeros, dim, index, xp.full(index.shape, 0, g))
    factors = xp.where(zero_there, one, src)
    product = xp.scatter_reduce(start, dim, index, factors, "prod")
    zeros = xp.scatter_add(zeros, dim, index, xp.cast(zero_there, kind))
    met, count = xp.gather(product, dim, index), xp.gather(zeros, dim, index)
    others = xp.cast(xp.eq(zeros, xp.cast(zero_here, kind)), kind)
    mine = g * (product / start) * others
    alone = xp.cast(xp.eq(count, xp.cast(zero_there, kind)), kind)
    return mine, xp.gather(g, dim, index) * (met / factors) * alone


@composite(inplace=True)
def index_reduce(xp, input, dim, index, source, reduce, *, include_self=True):
    """A copy in which the slices of `source` that fall on one place are combined.

    `reduce` is prod, mean, amax or amin.
    """
    dim = wrap_dim(dim, input.ndim)
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got "
            f"{reduce}."
        )
    if index.ndim > 1:
        raise IndexError("index_reduce(): Index is supposed to be a vector")
    shape = source.shape
    if not input.ndim:
        return scatter_reduce(
            input, 0, reshape(index, ()), reshape(source, ()), reduce, include_self=include_self
        )
    places = reshape(index, tuple([index.numel() if i == dim else 1 for i in range(len(shape))]))
    places = expand(places, shape)
    return scatter_reduce(input, dim, places, source, reduce, include_self=include_self)


@composite
def take_along_dim(xp, input, indices, dim=None):
    """Elements picked along `dim` by places that broadcast with the other dimensions.

    >>> import lantern
    >>> x = lantern.tensor([[3, 1], [2, 4]])
    >>> lantern.take_along_dim(x, lantern.argmax(x, 1, keepdim=True), dim=1)
    tensor([[3],
            [4]])
    """
    if indices.dtype is not int64:
        raise RuntimeError(
            "torch.take_along_dim(): dtype of indices should be Long but got "
            f"{indices.dtype.legacy}"
        )
    if dim is None:
        return gather(reshape(input, (input.numel(),)), 0, reshape(indices, (indices.numel(),)))
    if indices.ndim != input.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    dim = wrap_dim(dim, input.ndim)
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    if input.shape[dim]:
        indices = xp.remainder(indices, input.shape[dim])
    mine, theirs = list(input.shape), list(indices.shape)
    mine[dim] = theirs[dim] = 1
    joint = broadcast_shapes(mine, theirs)
    wide = (*joint[:dim], input.shape[dim], *joint[dim + 1 :])
    narrow = (*joint[:dim], indices.shape[dim], *joint[dim + 1 :])
    return gather(expand(input, wide), dim, expand(indices, narrow))
