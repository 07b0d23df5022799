"""Views of a whole tensor: the same elements in another shape or order.

Each says how to look (its forward), how to replace what it shows in the base (`putting`), and how
its arguments are checked (`preparing`); gradients and in-place writes through it follow. Shapes and
strides are those that PyTorch gives.
"""

from __future__ import annotations

import warnings
from math import prod

from ..autograd.mode import active, mode
from ..autograd.plan import sum_to
from ..autograd.views import rederive
from ..backends import NAMESPACES
from ..op import KEEP, composite, op
from ..shape import as_sizes, infer_size, wrap_dim, wrap_dims
from ..tensor import wrap_view
from ..view_op import view, window


def numel_of(x):
    """Returns the number of elements of an array, a symbol or a tensor."""
    return prod(x.shape)


# --- another shape
@view(method=False, function=False)
def reshape_view(xp, input, shape):
    """The same memory in another shape."""
    return xp.reshape(input, shape)


@reshape_view.putting
def _(xp, base, value, shape):
    return xp.reshape(value, base.shape)


reshape_view.vjp(input=lambda xp, g, input_shape: xp.reshape(g, input_shape))
reshape_view._grad_name = "ViewBackward0"


def viewed(input, shape):
    """Returns a view of a tensor in a shape of as many elements; None where strides allow none."""
    base = input._base
    if base is not None and base._node is not input._seen:
        rederive(input)
    trace = active.recording and active.trace
    value = input._array if trace is None else trace.read(input)
    shown = NAMESPACES[type(value)].view_as(value, shape)
    if shown is None:
        return None
    tensor = wrap_view(input, shown, (reshape_view, (shape,)))
    if input._node is None and mode.enabled:
        return tensor
    return reshape_view._track(input, value, tensor, (shape,))


def reshaped(input, shape):
    """Returns a tensor in another shape: a view where strides allow it, else a copy."""
    target = infer_size(shape, input._array.size)
    shown = viewed(input, target)
    return reshape_copy(input, target) if shown is None else shown


@op(promote=KEEP, method=False, function=False)
def reshape_copy(xp, input, shape):
    """A row-major copy in another shape."""
    return xp.reshape(xp.contiguous(input), shape)


reshape_copy.vjp(input=lambda xp, g, input_shape: xp.reshape(g, input_shape))
reshape_copy._grad_name = "UnsafeViewBackward0"


@composite(variadic="size", function=False)
def view_(xp, input, size):
    """The same memory in another shape; raises RuntimeError where strides do not allow that.

    >>> import lantern
    >>> lantern.arange(6).view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    shown = viewed(input, infer_size(as_sizes((size,), "view"), input._array.size))
    if shown is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return shown


@composite(variadic="shape")
def reshape(xp, input, shape):
    """The elements in another shape: a view where strides allow it, else a copy.

    >>> import lantern
    >>> lantern.reshape(lantern.arange(4), (2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return reshaped(input, as_sizes((shape,), "reshape", "shape"))


@composite(function=False)
def view_as(xp, input, other):
    """The same memory in the shape of another tensor."""
    return view_(input, other.shape)


@composite(function=False)
def reshape_as(xp, input, other):
    """The elements in the shape of another tensor."""
    return reshape(input, other.shape)


@composite
def flatten(xp, input, start_dim=0, end_dim=-1):
    """Several dimensions as one.

    >>> import lantern
    >>> lantern.flatten(lantern.zeros(2, 3, 4), 1).shape
    torch.Size([2, 12])
    """
    shape = input._array.shape
    ndim = len(shape)
    if not ndim:
        return reshaped(input, (1,))
    start, end = wrap_dim(start_dim, ndim), wrap_dim(end_dim, ndim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if start == end:
        return input
    count = prod(shape[start : end + 1])
    return reshaped(input, (*shape[:start], count, *shape[end + 1 :]))


@composite
def ravel(xp, input):
    """All elements in one dimension."""
    return reshape(input, (-1,) if input.numel() else (0,))


@composite
def unflatten(xp, input, dim, sizes):
    """One dimension as several; one of `sizes` may be -1.

    >>> import lantern
    >>> lantern.unflatten(lantern.zeros(2, 12), 1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    dim = wrap_dim(dim, input.ndim)
    sizes = as_sizes((sizes,), "unflatten", "sizes")
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    if not input.ndim:
        raise RuntimeError("unflatten got an unexpected error:\na 0-d tensor has no dimension")
    try:
        target = infer_size(sizes, input.shape[dim])
    except RuntimeError as error:
        if str(error).startswith("only one"):
            raise RuntimeError(f"unflatten got an unexpected error:\n{error}") from None
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({input.shape[dim]}) in the input tensor"
        ) from None
    return view_(input, (*input.shape[:dim], *target, *input.shape[dim + 1 :]))


@view(method=False, function=False)
def alias(xp, input):
    """The same tensor once more."""
    return input


@alias.putting
def _(xp, base, value):
    return value


alias.vjp(input=lambda g: g)


# --- another order
@view(variadic="dims")
def permute(xp, input, dims):
    """The dimensions in another order.

    >>> import lantern
    >>> lantern.permute(lantern.zeros(2, 3, 5), (2, 0, 1)).shape
    torch.Size([5, 2, 3])
    """
    return xp.permute(input, dims)


@permute.preparing
def _(input, dims):
    dims = as_sizes((dims,), "permute", "dims")
    if len(dims) != input.ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {input.ndim} is not "
            f"equal to len(dims) = {len(dims)}"
        )
    dims = tuple([wrap_dim(each, input.ndim) for each in dims])
    if len(set(dims)) != len(dims):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return (dims,)


def inverse_order(dims):
    """Returns the order that undoes an order of dimensions."""
    result = [0] * len(dims)
    for place, dim in enumerate(dims):
        result[dim] = place
    return tuple(result)


@permute.putting
def _(xp, base, value, dims):
    return xp.permute(value, inverse_order(dims))


permute.vjp(input=lambda xp, g, dims: xp.permute(g, inverse_order(dims)))


@view
def transpose(xp, input, dim0, dim1):
    """Two dimensions exchanged.

    >>> import lantern
    >>> lantern.transpose(lantern.zeros(2, 3), 0, 1).shape
    torch.Size([3, 2])
    """
    return xp.permute(input, exchanged(input.ndim, dim0, dim1))


transpose.preparing(
    lambda input, dim0, dim1: (wrap_dim(dim0, input.ndim), wrap_dim(dim1, input.ndim))
)


def exchanged(ndim, dim0, dim1):
    """Returns the order of dimensions in which two are exchanged."""
    dims = list(range(ndim))
    if ndim:
        dims[dim0], dims[dim1] = dim1, dim0
    return tuple(dims)


@transpose.putting
def _(xp, base, value, dim0, dim1):
    return xp.permute(value, exchanged(value.ndim, dim0, dim1))


transpose.vjp(input=lambda xp, g, dim0, dim1: xp.permute(g, exchanged(g.ndim, dim0, dim1)))


@composite
def swapaxes(xp, input, axis0, axis1):
    """Two dimensions exchanged."""
    return transpose(input, axis0, axis1)


@composite
def swapdims(xp, input, dim0, dim1):
    """Two dimensions exchanged."""
    return transpose(input, dim0, dim1)


@view
def t(xp, input):
    """The transpose of a matrix; a vector or scalar as it is.

    >>> import lantern
    >>> lantern.t(lantern.zeros(2, 3)).shape
    torch.Size([3, 2])
    """
    return xp.permute(input, exchanged(input.ndim, 0, input.ndim - 1))


@t.preparing
def _(input):
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return ()


@t.putting
def _(xp, base, value):
    return xp.permute(value, exchanged(value.ndim, 0, value.ndim - 1))


t.vjp(input=lambda xp, g: xp.permute(g, exchanged(g.ndim, 0, g.ndim - 1)))
t._grad_name = "TBackward0"


@composite
def adjoint(xp, input):
    """The last two dimensions exchanged."""
    if input.ndim == 1:
        raise RuntimeError(
            "tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor."
        )
    if not input.ndim:
        warnings.warn(
            "adjoint() is deprecated on 0-D tensors. Consider using x.conj().",
            UserWarning,
            stacklevel=3,
        )
        return input
    return transpose(input, -2, -1)


@composite(tensors="-source")
def movedim(xp, input, source, destination):
    """Dimensions moved to other places; the others keep their order.

    >>> import lantern
    >>> lantern.movedim(lantern.zeros(2, 3, 5), 0, 2).shape
    torch.Size([3, 5, 2])
    """
    starts, ends = (
        (each,) if hasattr(each, "__index__") else tuple(each) for each in (source, destination)
    )
    if len(starts) != len(ends):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(starts)} dims) should "
            f"contain the same number of dims as destination ({list(ends)} dims)"
        )
    starts, ends = (tuple([wrap_dim(each, input.ndim) for each in dims]) for dims in (starts, ends))
    for name, dims in (("source", starts), ("destination", ends)):
        if len(set(dims)) != len(dims):
            given = source if name == "source" else destination
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(given)})")
    if not input.ndim:
        return alias(input)
    rest = iter([dim for dim in range(input.ndim) if dim not in starts])
    moved = dict(zip(ends, starts, strict=True))
    return permute(
        input, tuple([moved[i] if i in moved else next(rest) for i in range(input.ndim)])
    )


@composite(tensors="-source")
def moveaxis(xp, input, source, destination):
    """Dimensions moved to other places; the others keep their order."""
    return movedim(input, source, destination)


# --- sizes of 1
@view(variadic="size", function=False)
def expand(xp, input, size):
    """A view in which dimensions of size 1 are repeated; -1 keeps a size.

    >>> import lantern
    >>> lantern.tensor([[1], [2]]).expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    return xp.expand(input, size)


@expand.preparing
def _(input, size):
    return (expanded_size(input, as_sizes((size,), "expand")),)


def expanded_size(input, size):
    """Returns the target of an expansion; raises RuntimeError with torch's sentences."""
    shape = input.shape
    lead = len(size) - len(shape)
    if lead < 0:
        kind = NAMESPACES[type(input)].dtype_of(input).legacy
        kind = f"CPU{kind}Type" if kind in ("BFloat16", "Bool") else f"torch.{kind}Tensor"
        raise RuntimeError(
            f"expand({kind}{{{list(shape)}}}, size={list(size)}): the number of sizes "
            f"provided ({len(size)}) must be greater or equal to the number of dimensions in the "
            f"tensor ({len(shape)})"
        )
    result = []
    for i, want in enumerate(size):
        have = shape[i - lead] if i >= lead else 1
        if want < 0 and i < lead:
            raise RuntimeError(
                f"The expanded size of the tensor ({want}) isn't allowed in a leading, "
                f"non-existing dimension {i}"
            )
        if want == -1:
            want = have
        elif want < 0 or have not in (1, want):
            raise RuntimeError(
                f"The expanded size of the tensor ({want}) must match the existing size ({have}) "
                f"at non-singleton dimension {i}.  Target sizes: {list(size)}.  Tensor sizes: "
                f"{list(shape)}"
            )
        result.append(want)
    return tuple(result)


@expand.putting
def _(xp, base, value, size):
    # Elements that share a place have one value, so any of them will do.
    lead = len(size) - base.ndim
    value = xp.getitem(value, (0,) * lead) if lead else value
    index = tuple([slice(0, 1) if have == 1 else slice(None) for have in base.shape])
    return xp.getitem(value, index) if 0 not in size else base


expand.overlaps = True
expand.vjp(input=lambda xp, g, input_shape: sum_to(xp, g, input_shape))


@composite
def broadcast_to(xp, input, size):
    """The tensor expanded to a shape."""
    return expand(input, as_sizes((size,), "broadcast_to"))


@composite(function=False)
def expand_as(xp, input, other):
    """The tensor expanded to the shape of another."""
    return expand(input, other.shape)


def _squeezing(name, grad_name):
    def forward(xp, input, dims):
        """The tensor without those of `dims` that have size 1."""
        index = [
            0 if i in dims and size == 1 else slice(None) for i, size in enumerate(input.shape)
        ]
        return xp.getitem(input, tuple(index)) if 0 in index else xp.reshape(input, input.shape)

    forward.__name__ = name
    made = view(forward, method=False, function=False)
    made.putting(lambda xp, base, value, dims: xp.reshape(value, base.shape))
    made.vjp(input=lambda xp, g, input_shape: xp.reshape(g, input_shape))
    made._grad_name = grad_name
    return made


_squeeze_all = _squeezing("squeeze_all", "SqueezeBackward0")
_squeeze_one = _squeezing("squeeze_one", "SqueezeBackward1")
_squeeze_some = _squeezing("squeeze_some", "SqueezeBackward2")


@composite
def squeeze(xp, input, dim=None):
    """Without the dimensions of size 1: all of them, or those named.

    >>> import lantern
    >>> lantern.squeeze(lantern.zeros(1, 3, 1)).shape
    torch.Size([3])
    """
    if dim is None:
        return _squeeze_all.show(input, (tuple(range(input.ndim)),))
    if hasattr(dim, "__index__"):
        return _squeeze_one.show(input, ((wrap_dim(dim, input.ndim),),))
    return _squeeze_some.show(input, (wrap_dims(dim, input.ndim) if len(dim) else (),))


@window
def unsqueeze(xp, input, dim):
    """With a dimension of size 1 put in at `dim`.

    >>> import lantern
    >>> lantern.unsqueeze(lantern.zeros(3), 0).shape
    torch.Size([1, 3])
    """
    return xp.reshape(input, (*input.shape[:dim], 1, *input.shape[dim:]))


@unsqueeze.placed
def _(shape, strides, offset, dim):
    step = shape[dim] * strides[dim] if dim < len(shape) else 1
    return (*shape[:dim], 1, *shape[dim:]), (*strides[:dim], step, *strides[dim:]), offset


unsqueeze.preparing(lambda input, dim: (wrap_dim(dim, input.ndim + 1),))
unsqueeze.putting(lambda xp, base, value, dim: xp.reshape(value, base.shape))
unsqueeze.vjp(input=lambda xp, g, input_shape: xp.reshape(g, input_shape))
